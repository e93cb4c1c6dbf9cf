"""The parser: from a photo of a person, with their joints and silhouette, to the ten labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batched import heatmaps, limb_maps
from pgen.body.heatmaps import sigma_for
from pgen.body.joints import BONES, JOINT_COUNT
from pgen.body.labels import LABEL_COUNT


@dataclass(frozen=True)
class ParserConfig:
    """Sizes of the parser. The defaults suit 256×256."""

    widths: tuple[int, ...] = (40, 64, 96, 80)  #: channels of each level, finest first
    fold: int = 4  #: blocks of fold×fold pixels become channels of the finest level

    def __post_init__(self) -> None:
        if len(self.widths) < 2:
            raise ValueError("widths are two or more")
        if self.fold not in (2, 4, 8):
            raise ValueError(f"fold is 2, 4 or 8, not {self.fold}")


@dataclass
class ParserInput:
    """What the parser sees: B photos in frames of (H, W), multiples of fold · 2^(levels − 1)."""

    images: Tensor  #: (B, 3, H, W) in [−1, 1]
    poses: Tensor  #: (B, 18, 2), (x, y) in pixels, NaN = missing
    silhouettes: Tensor  #: (B, 1, H, W), 0 to 1: how likely a pixel is of the person; anything where there is none
    has_silhouette: Tensor  #: bool (B,)


class Parser(nn.Module):
    """A small U-shaped network. What is fine comes from the folded photo, what is left and right from the joints."""

    stride = 2  #: photo pixels a pixel of the logits

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        self.config = config
        widths, fold = config.widths, config.fold
        seen = 4 * fold**2 + 1  # photo and silhouette, folded, and whether there is one
        told = JOINT_COUNT + len(BONES)
        inputs = [seen, widths[0] + told, *widths[1:-1]]
        self.down = nn.ModuleList(
            nn.Sequential(_conv(before, width, stride=1 if k == 0 else 2), _conv(width, width))
            for k, (before, width) in enumerate(zip(inputs, widths, strict=True))
        )
        levels = range(len(widths) - 1, 0, -1)
        self.narrow = nn.ModuleList(_conv(widths[k], widths[k - 1]) for k in levels)
        self.join = nn.ModuleList(_conv(widths[k - 1], widths[k - 1]) for k in levels)
        self.to_logits = nn.Conv2d(widths[0], LABEL_COUNT * (fold // self.stride) ** 2, 3, padding=1)

    def forward(self, inputs: ParserInput) -> Tensor:
        """Logits (B, 10, H/2, W/2); their softmax is the map at half the photo's size."""
        fold, size = self.config.fold, (inputs.images.shape[2], inputs.images.shape[3])
        there = inputs.has_silhouette.to(inputs.images.dtype)[:, None, None, None]
        pixels = F.pixel_unshuffle(torch.cat([inputs.images, inputs.silhouettes * there], 1), fold)
        small = (size[0] // fold, size[1] // fold)
        seen = torch.cat([pixels, there.expand(-1, 1, *small)], 1)
        levels = [self.down[0](seen.contiguous(memory_format=torch.channels_last))]
        x = torch.cat([levels[0], pose_maps(inputs.poses, size, fold).to(levels[0].dtype)], 1)
        for down in list(self.down)[1:]:
            x = down(x)
            levels.append(x)
        for narrow, join, skip in zip(self.narrow, self.join, levels[-2::-1], strict=True):
            x = join(F.interpolate(narrow(x), size=skip.shape[-2:], mode="nearest") + skip)
        return F.pixel_shuffle(self.to_logits(x).float(), fold // self.stride)


def pose_maps(poses: Tensor, size: tuple[int, int], shrink: int) -> Tensor:
    """Joint heatmaps and limb maps (B, 35, H/shrink, W/shrink) of poses (B, 18, 2) in a frame of ``size``."""
    small = (size[0] // shrink, size[1] // shrink)
    poses = (poses + 0.5) / shrink - 0.5
    sigma = max(sigma_for(size) / shrink, 1.0)
    return torch.cat([heatmaps(poses, small, sigma), limb_maps(poses, small)], 1)


def _conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )

"""Pose detectors: from an image to joint heatmaps. Trained once, then frozen as the measure of the pose loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.joints import JOINT_COUNT
from pgen.models.limits import check_sizes


@dataclass(frozen=True)
class PoseDetectorConfig:
    """Sizes of a pose detector."""

    kind: str = "light"  #: "light": heatmaps at half size; "resnet": the paper's, full size, tanh
    width: int = 32  #: channels of the first level (the paper's: 64)
    blocks: int = 9  #: residual blocks of the "resnet" kind

    def __post_init__(self) -> None:
        check_sizes(self)
        if self.kind not in ("light", "resnet"):
            raise ValueError(f'kind is "light" or "resnet", not "{self.kind}"')

    @property
    def frame_unit(self) -> int:
        """Sides of frames are multiples of so many pixels."""
        return 4 if self.kind == "resnet" else 2


def _build_conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()
    )


class LightPoseDetector(nn.Module):
    """A small U-shaped network: image (B, 3, H, W) in [−1, 1] → heatmaps (B, 18, H/2, W/2)."""

    stride = 2  #: image pixels a heatmap pixel

    def __init__(self, config: PoseDetectorConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        widths = [w, 2 * w, 3 * w, 4 * w, 4 * w]
        self.down = nn.ModuleList(
            nn.Sequential(_build_conv(before, after, stride=2), _build_conv(after, after))
            for before, after in zip([3, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(_build_conv(widths[k], widths[k - 1]) for k in range(4, 0, -1))
        self.to_heatmaps = nn.Conv2d(w, JOINT_COUNT, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        levels, x = [], image
        for down in self.down:
            # One column more of zeros changes nothing; without it, the gradient of strided filters in bf16 takes in
            # memory that nobody wrote, where the processor has AMX (oneDNN 3.13).
            x = down(x if x.shape[-1] > 1 else F.pad(x, (0, 1)))
            levels.append(x)
        for up, skip in zip(self.up, levels[-2::-1], strict=True):
            x = F.interpolate(up(x), size=skip.shape[-2:], mode="nearest") + skip
        return self.to_heatmaps(x).float()


class _ResidualBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()

        def conv() -> list[nn.Module]:
            return [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]

        self.net = nn.Sequential(*conv(), nn.ReLU(), *conv())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class ResnetPoseDetector(nn.Module):
    """The paper's: two strided convolutions, residual blocks, two transposed ones, tanh.

    Image (B, 3, H, W) in [−1, 1] → heatmaps (B, 18, H, W).
    """

    stride = 1  #: image pixels a heatmap pixel

    def __init__(self, config: PoseDetectorConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width

        def block(conv: nn.Module, width: int) -> list[nn.Module]:
            return [conv, nn.InstanceNorm2d(width), nn.ReLU()]

        self.net = nn.Sequential(
            nn.ReflectionPad2d(3),
            *block(nn.Conv2d(3, w, 7), w),
            *block(nn.Conv2d(w, 2 * w, 3, 2, 1), 2 * w),
            *block(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), 4 * w),
            *(_ResidualBlock(4 * w) for _ in range(config.blocks)),
            *block(nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, output_padding=1), 2 * w),
            *block(nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1), w),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, JOINT_COUNT, 7),
        )

    def forward(self, image: Tensor) -> Tensor:
        return torch.tanh(self.net(image).float())


PoseDetector = LightPoseDetector | ResnetPoseDetector


def find_joints(heatmaps: Tensor, stride: int, threshold: float = 0.2) -> Tensor:
    """Peaks (B, 18, 2) as (x, y) in image pixels; NaN where no value exceeds ``threshold``."""
    width = heatmaps.shape[-1]
    peak, at = heatmaps.flatten(2).max(2)
    xy = torch.stack([at % width, at // width], 2).float()
    xy = (xy + 0.5) * stride - 0.5
    return torch.where((peak > threshold)[..., None], xy, torch.nan)

"""The parser: from a photo of a person, with their joints and silhouette, to the ten labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import downscale_poses
from pgen.body.heatmaps import heatmap_sigma, heatmaps, limb_maps
from pgen.body.joints import BONES, JOINT_COUNT
from pgen.body.labels import LABEL_COUNT
from pgen.models.efficientnet_lite0 import STAGE_CHANNELS, Lite0
from pgen.models.limits import check_sizes

#: Stages of EfficientNet-Lite0 that the parser looks through.
TRUNK_STAGES = 5

#: Sides of frames are multiples of so many pixels.
FRAME_UNIT = 16

_BLOCK = 4  # blocks of so many pixels a side become channels of the finest level
_POSE_CHANNELS = JOINT_COUNT + len(BONES) + 2  # joints, limbs, silhouette, and whether there is one


@dataclass(frozen=True)
class ParserConfig:
    """Sizes of what is trained. The defaults suit 256×256."""

    widths: tuple[int, ...] = (48, 80, 128)  #: channels of the levels at 1/4, 1/8 and 1/16 of the photo's size
    depths: tuple[int, ...] = (2, 2, 3)  #: convolutions of each
    carried: bool = False  #: whether things that are carried, such as bags, are found too
    tuned: int = 0  #: how many of the last stages of the trunk are trained with it
    kind: str = "lite0_unet"  #: the only one in the package

    def __post_init__(self) -> None:
        check_sizes(self)
        for name, sizes in (("widths", self.widths), ("depths", self.depths)):
            if len(sizes) != 3 or min(sizes) < 1:
                raise ValueError(f"{name} are three numbers of at least 1, not {list(sizes)}")
        if not 0 <= self.tuned <= TRUNK_STAGES:
            raise ValueError(f"tuned is 0 to {TRUNK_STAGES}, not {self.tuned}")

    @property
    def frame_unit(self) -> int:
        """Sides of frames are multiples of so many pixels."""
        return FRAME_UNIT


@dataclass
class ParserInput:
    """What the parser sees: B photos in frames of (H, W), multiples of `FRAME_UNIT`."""

    images: Tensor  #: (B, 3, H, W) in [−1, 1]
    poses: Tensor  #: (B, 18, 2), (x, y) in pixels, NaN = missing
    silhouettes: Tensor  #: (B, 1, H, W), 0 to 1: how likely a pixel is of the person; anything where there is none
    has_silhouette: Tensor  #: bool (B,)


class Parser(nn.Module):
    """Three levels of convolutions, from coarse to fine, over features (``trunk``), the photo and the pose.

    All of the trunk but its last ``config.tuned`` stages stays as it was learnt on photos in general.
    """

    stride = 2  #: photo pixels a pixel of the logits

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Lite0(TRUNK_STAGES)
        fine, middle, coarse = config.widths
        finest, large, medium, small = (STAGE_CHANNELS[k] for k in (0, 1, 2, 4))
        finest_channels = 4 * _BLOCK**2 + finest * (_BLOCK // 2) ** 2 + large
        self.coarse = _Level(small + _POSE_CHANNELS, coarse, config.depths[2])
        self.context = nn.Linear(coarse, coarse)
        self.middle = _Level(medium + _POSE_CHANNELS, middle, config.depths[1], coarse)
        self.fine = _Level(finest_channels + _POSE_CHANNELS, fine, config.depths[0], middle)
        channels = LABEL_COUNT + config.carried
        self.to_logits = nn.Conv2d(fine, channels * (_BLOCK // self.stride) ** 2, 3, padding=1)
        for stage in self.trunk.stages[TRUNK_STAGES - config.tuned :]:
            stage.requires_grad_(True)

    def forward(self, inputs: ParserInput) -> Tensor:
        """Logits (B, 10, H/2, W/2); their softmax is the map at half the photo's size.

        With ``config.carried`` there is one more channel, whose sigmoid says how likely a thing is that is carried.
        """
        images = inputs.images.contiguous(memory_format=torch.channels_last)
        size = (images.shape[2], images.shape[3])
        known = inputs.has_silhouette.to(images.dtype)[:, None, None, None]
        silhouettes = inputs.silhouettes * known
        with torch.no_grad():
            maps = draw_pose_maps(inputs.poses, size, _BLOCK)
            is_known = known.expand(-1, 1, *maps.shape[2:])
            pose = torch.cat([maps, F.avg_pool2d(silhouettes, _BLOCK), is_known], 1)
        pixels = F.pixel_unshuffle(torch.cat([images, silhouettes], 1), _BLOCK)
        finest, large, medium, _, small = self._features(images)
        blocks = F.pixel_unshuffle(finest, _BLOCK // 2)
        x = self.coarse([small, F.avg_pool2d(pose, 4)])
        x = x + self.context(x.mean((2, 3)))[..., None, None]
        x = self.middle([medium, F.avg_pool2d(pose, 2)], x)
        x = self.fine([pixels, blocks, large, pose], x)
        return F.pixel_shuffle(self.to_logits(x).float(), _BLOCK // self.stride)

    def _features(self, images: Tensor) -> list[Tensor]:
        """The trunk's stages."""
        fixed = TRUNK_STAGES - self.config.tuned
        with torch.set_grad_enabled(torch.is_grad_enabled() and images.requires_grad):
            parts = [self.trunk.begin(part) for part in self.trunk.split(images)]
            rows = [[part, *self.trunk.run_stages(part, 0, fixed)] for part in parts]
            start, *found = [torch.cat(stage) for stage in zip(*rows, strict=True)]
        return [*found, *self.trunk.run_stages(found[-1] if found else start, fixed)]


def draw_pose_maps(poses: Tensor, size: tuple[int, int], shrink: int) -> Tensor:
    """Joint heatmaps and limb maps (B, 35, H/shrink, W/shrink) of poses (B, 18, 2) in a frame of ``size``."""
    small = (size[0] // shrink, size[1] // shrink)
    poses = downscale_poses(poses, shrink)
    sigma = max(heatmap_sigma(size) / shrink, 1.0)
    return torch.cat([heatmaps(poses, small, sigma), limb_maps(poses, small)], 1)


class _Level(nn.Module):
    """What is worked out at one size, from what is seen at it and what is known from the next smaller one."""

    def __init__(self, seen: int, width: int, depth: int, below: int | None = None) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(seen, width, 1, bias=False)
        self.narrow = None if below is None else nn.Conv2d(below, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
            for _ in range(depth)
        )

    def forward(self, seen: list[Tensor], below: Tensor | None = None) -> Tensor:
        # In memory as the convolution takes it, before it is one: half the time.
        parts = [part.to(seen[0].dtype).contiguous(memory_format=torch.channels_last) for part in seen]
        x: Tensor = self.squeeze(torch.cat(parts, 1))
        if self.narrow is not None and below is not None:
            x = x + F.interpolate(self.narrow(below), size=x.shape[-2:], mode="nearest")
        x = F.relu(self.norm(x))
        for block in self.blocks:
            x = x + block(x)
        return x

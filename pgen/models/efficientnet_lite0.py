"""EfficientNet-Lite0: features of photos in general, learnt on ImageNet. Frozen; its weights are given.

After Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), in the form for
small devices: ReLU6, no squeeze-and-excitation, stem and head of fixed width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Stage(NamedTuple):
    """Blocks that work at one size."""

    expansion: int  # channels inside of a block for one outside
    kernel: int
    stride: int  # of the first block
    channels: int
    blocks: int


_STEM, _HEAD, _CLASSES = 32, 1280, 1000
_STAGES = (
    _Stage(1, 3, 1, 16, 1),
    _Stage(6, 3, 2, 24, 2),
    _Stage(6, 5, 2, 40, 2),
    _Stage(6, 3, 2, 80, 3),
    _Stage(6, 5, 1, 112, 3),
    _Stage(6, 5, 2, 192, 4),
    _Stage(6, 3, 1, 320, 1),
)
_EPSILON = 1e-3  # of the batch normalizations that are folded into the convolutions

#: Channels of each stage, and photo pixels to one of its own.
STAGE_CHANNELS = tuple(stage.channels for stage in _STAGES)
STAGE_STRIDES = (2, 4, 8, 16, 16, 32, 32)

_FEW = 2  # images that the CPU's cache holds with all that is made of them


class Lite0Features(NamedTuple):
    """What the network makes of B photos in frames of (H, W)."""

    stages: tuple[Tensor, ...]  #: (B, STAGE_CHANNELS[k], H / STAGE_STRIDES[k], W / STAGE_STRIDES[k]), rounded up
    pooled: Tensor | None  #: (B, 1280), what the classifier sees; None if the network has no head


class Lite0(nn.Module):
    """The first ``stages`` of the network and, if these are all 7, its head and classifier.

    Batch normalization is folded into the convolutions: `fold_batch_norms` turns published weights into this form.
    Raises ValueError if there are no such stages.
    """

    def __init__(self, stages: int = len(_STAGES)) -> None:
        super().__init__()
        if not 1 <= stages <= len(_STAGES):
            raise ValueError(f"stages are 1 to {len(_STAGES)}, not {stages}")
        self.stem = _SameConv(3, _STEM, 3, stride=2)
        self.stages = nn.ModuleList()
        channels = _STEM
        for stage in _STAGES[:stages]:
            blocks = nn.Sequential()
            for k in range(stage.blocks):
                blocks.append(_Block(channels, stage, stage.stride if k == 0 else 1))
                channels = stage.channels
            self.stages.append(blocks)
        self.whole = stages == len(_STAGES)
        if self.whole:
            self.head = nn.Conv2d(channels, _HEAD, 1)
            self.classifier = nn.Linear(_HEAD, _CLASSES)
        self.requires_grad_(False)
        self.eval()

    def features(self, images: Tensor) -> Lite0Features:
        """The features of images (B, 3, H, W) in [−1, 1]."""
        stages = self.run_stages(self.begin(images))
        return Lite0Features(tuple(stages), F.relu6(self.head(stages[-1])).mean((2, 3)) if self.whole else None)

    def split(self, images: Tensor) -> tuple[Tensor, ...]:
        """``images`` (B, ...) in parts as fast as they can be: on the CPU few at a time take half the time of 16."""
        return images.split(_FEW if images.device.type == "cpu" else max(len(images), 1))

    def begin(self, images: Tensor) -> Tensor:
        """What the first stage sees of images (B, 3, H, W) in [−1, 1]."""
        return F.relu6(self.stem((127.5 * images + 0.5) / 128))  # from bytes it is (byte − 127) / 128

    def run_stages(self, x: Tensor, first: int = 0, end: int | None = None) -> list[Tensor]:
        """What each stage from ``first`` to before ``end`` gives, from what the one before gave."""
        found = []
        for stage in self.stages[first:end]:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, 1000) of ImageNet's classes. Raises ValueError if the network has no head."""
        pooled = self.features(images).pooled
        if pooled is None:
            raise ValueError("a network without its last stages has no classes")
        return self.classifier(pooled)


def fold_batch_norms(published: Mapping[str, Tensor], stages: int = len(_STAGES)) -> dict[str, Tensor]:
    """State of a `Lite0` of so many stages from the published weights.

    Those have names as in ``_blocks.0._depthwise_conv.weight`` and ``_blocks.0._bn1.running_var``. Raises KeyError if a
    tensor is missing.
    """
    state = _fold(published, "_conv_stem", "_bn0", "stem.conv")
    block = 0
    for k, stage in enumerate(_STAGES[:stages]):
        for j in range(stage.blocks):
            source, target = f"_blocks.{block}.", f"stages.{k}.{j}."
            if stage.expansion > 1:
                state |= _fold(published, f"{source}_expand_conv", f"{source}_bn0", f"{target}expand")
            state |= _fold(published, f"{source}_depthwise_conv", f"{source}_bn1", f"{target}depthwise.conv")
            state |= _fold(published, f"{source}_project_conv", f"{source}_bn2", f"{target}project")
            block += 1
    if stages == len(_STAGES):
        state |= _fold(published, "_conv_head", "_bn1", "head")
        state |= {f"classifier.{kind}": published[f"_fc.{kind}"] for kind in ("weight", "bias")}
    return state


def _fold(published: Mapping[str, Tensor], conv: str, norm: str, target: str) -> dict[str, Tensor]:
    """Weight and bias of a convolution with the normalization behind it."""
    gain = published[f"{norm}.weight"] / torch.sqrt(published[f"{norm}.running_var"] + _EPSILON)
    bias = published[f"{norm}.bias"] - gain * published[f"{norm}.running_mean"]
    return {f"{target}.weight": published[f"{conv}.weight"] * gain[:, None, None, None], f"{target}.bias": bias}


class _SameConv(nn.Module):
    """A convolution whose output is 1/stride of the input, rounded up, padded as TensorFlow does: less at the front."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu" and x.dtype != torch.float32 and torch.is_grad_enabled():
            # The CPU's gradients of filters on single channels take four to twelve times as long in bf16.
            with torch.autocast("cpu", enabled=False):
                return self._filter(x.float())
        return self._filter(x)

    def _filter(self, x: Tensor) -> Tensor:
        conv = self.conv
        if conv.stride[0] == 1:
            return conv(x)
        # Even sides miss one pixel more behind than in front. A zero in front of the kernel does the same as a copy of
        # the picture with a pixel less in front, in two thirds of the time.
        down, across = (1 - side % 2 for side in x.shape[2:])
        weight = F.pad(conv.weight, (across, 0, down, 0))
        return F.conv2d(x, weight, conv.bias, conv.stride, conv.kernel_size[0] // 2, groups=conv.groups)


class _Block(nn.Module):
    """More channels, a filter on each alone, fewer channels; added to what came in where the shapes agree."""

    def __init__(self, channels_in: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        inner = channels_in * stage.expansion
        self.expand = nn.Conv2d(channels_in, inner, 1) if stage.expansion > 1 else None
        self.depthwise = _SameConv(inner, inner, stage.kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, stage.channels, 1)
        self.is_residual = stride == 1 and channels_in == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        inner = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        found = self.project(F.relu6(self.depthwise(inner), inplace=True))
        return x + found if self.is_residual else found

"""What the generators share: norm, encoder, decoder, and the network of two encoders with deformable skips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.warp import Warp, deformable_skip
from pgen.models.checkpointing import Checkpointed
from pgen.models.strided_convs import DoublingConv, HalvingConv


class SampleNorm(nn.Module):
    """Normalizes each sample over (C, H, W) jointly, then one scalar scale and one scalar shift (eps 1e-3)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        return F.group_norm(x, 1, self.weight.expand(channels), self.bias.expand(channels), eps=1e-3)


class EncoderBlock(Checkpointed):
    """LeakyReLU(0.2) → conv 4×4 stride 2 → norm: (B, C, H, W) → (B, C', H/2, W/2)."""

    def __init__(self, channels_in: int, channels_out: int, norm: bool = True) -> None:
        super().__init__()
        self.conv = HalvingConv(channels_in, channels_out)
        self.norm = SampleNorm() if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.run_segment(lambda x: self.norm(self.conv(F.leaky_relu(x, 0.2))), x)


class DecoderBlock(Checkpointed):
    """ReLU → transposed conv 4×4 stride 2 → norm → channel dropout: (B, C, H, W), in parts → (B, C', 2H, 2W)."""

    def __init__(self, channels_in: int, channels_out: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = DoublingConv(channels_in, channels_out)
        self.norm = SampleNorm()
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, *parts: Tensor) -> Tensor:
        return self.run_segment(lambda *parts: self.dropout(self.norm(self.conv(join_active(parts)))), *parts)


def join_active(parts: Sequence[Tensor]) -> Tensor:
    """ReLU of features (B, C, H, W) that come in parts (B, ·, H, W)."""
    if torch.is_grad_enabled() or len({part.dtype for part in parts}) > 1:
        return F.relu(torch.cat([*parts], 1), inplace=True)
    widths = [part.shape[1] for part in parts]
    shape = (len(parts[0]), sum(widths), *parts[0].shape[2:])
    is_channels_last = parts[-1].is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if is_channels_last else torch.contiguous_format
    joined = torch.empty(shape, dtype=parts[0].dtype, device=parts[0].device, memory_format=layout)
    for part, place in zip(parts, joined.split(widths, 1), strict=True):
        torch.clamp_min(part, 0, out=place)  # what is written once is not gone through again
    return joined


class Encoder(nn.Module):
    """Conv 3×3 to ``widths[0]``, then one block for each further width; returns the feature of every level.

    Level k has ``widths[k]`` channels at 1/2^k of the input's size; the last level is not normalized unless
    ``norm_last``.
    """

    def __init__(self, channels: int, widths: Sequence[int], norm_last: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, widths[0], 3, padding=1)
        last = len(widths) - 1
        self.blocks = nn.ModuleList(
            EncoderBlock(widths[k - 1], widths[k], norm=norm_last or k < last) for k in range(1, len(widths))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.continue_from(self.stem(x))

    def continue_from(self, first: Tensor) -> list[Tensor]:
        """The levels that follow a given first one."""
        return list(accumulate(self.blocks, lambda level, block: block(level), initial=first))


class Decoder(nn.Module):
    """Up from the coarsest level: each block takes the previous result and the skip of its level, which is in parts.

    ``outputs[i]`` is the width of the block that leads from level n−1−i to the next finer one, ``skips[k]`` the
    number of channels that come in at level k. Returns the result at the finest level, before its skip.
    """

    def __init__(self, skips: Sequence[int], outputs: Sequence[int], dropout: float) -> None:
        super().__init__()
        blocks, previous = [], 0
        for i, (skip, output) in enumerate(zip(reversed(skips[1:]), outputs, strict=True)):
            blocks.append(DecoderBlock(previous + skip, output, dropout if i < 3 else 0.0))
            previous = output
        self.blocks = nn.ModuleList(blocks)

    def forward(self, skips: Sequence[Sequence[Tensor]]) -> Tensor:
        x: list[Tensor] = []
        for block, skip in zip(self.blocks, reversed(skips), strict=False):
            x = [block(*x, *skip)]
        return x[0]


class DeformableUnet(Checkpointed):
    """Encoders of source and target, whose levels meet in skips, and a decoder from the coarsest level to the finest.

    The source's ``warped_levels`` finest levels are carried to the target pose, part by part. A batch of one source
    serves all targets; what its encoder makes of it depends on no target. Subclasses have the last layer, which takes
    in ``feature_channels`` channels.
    """

    def __init__(
        self, source_channels: int, target_channels: int, widths: Sequence[int], warped_levels: int, dropout: float
    ) -> None:
        super().__init__()
        self.warped_levels = warped_levels
        self.source_encoder = Encoder(source_channels, widths)
        self.target_encoder = Encoder(target_channels, widths)
        skips = [2 * width for width in widths]
        outputs = widths[:0:-1]  # the block that ends at level k is as wide as level k + 1
        self.decoder = Decoder(skips, outputs, dropout)
        self.feature_channels = outputs[-1] + skips[0]

    def decode(self, source: Sequence[Tensor], target: Tensor, warps: Sequence[Warp]) -> list[Tensor]:
        """From the source's levels and the target encoder's first one to the last layer's features, in parts.

        These are the decoded one and the two that meet in the finest skip.
        """
        skips = []
        for k, (of_source, of_target) in enumerate(zip(source, self.target_encoder.continue_from(target), strict=True)):
            if k < self.warped_levels:
                of_source = deformable_skip(of_source, warps[k])
            skips.append((of_source.expand(len(of_target), -1, -1, -1), of_target))
        return [self.decoder(skips), *skips[0]]

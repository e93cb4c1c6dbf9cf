"""H_S: transforms the source's parsing map to the target pose (SPT, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, downscale_poses
from pgen.body.heatmaps import limb_maps, strided_heatmaps
from pgen.body.joints import BONES, JOINT_COUNT
from pgen.body.labels import LABEL_COUNT
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.transfer import Transfer
from pgen.body.warp import Size, Warp, deformable_skip
from pgen.models.layers import DeformableUnet, join_active
from pgen.models.limits import check_sizes


@dataclass(frozen=True)
class SemanticConfig:
    """Sizes of H_S. The defaults suit 256×256 and are the paper's inputs."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)  #: channels of each encoder level, finest first
    warped_levels: int = 0  #: how many of the finest levels have deformable skips; 0: plain skips throughout
    dropout: float = 0.5  #: channel dropout in the decoder's first three blocks
    space_to_depth: int = 1  #: blocks of so many pixels a side become channels: all levels are that much smaller
    warped_parsing: bool = False  #: an addition: E_P also sees the source's map, warped part by part to the target pose
    limb_maps: bool = False  #: an addition: E_P also sees how near each pixel is to each bone
    kind: str = "deformable_unet"  #: the only one in the package

    def __post_init__(self) -> None:
        check_sizes(self)
        if len(self.widths) < 2:
            raise ValueError("widths are two or more")
        if self.space_to_depth not in (1, 2, 4, 8):
            raise ValueError(f"space_to_depth is 1, 2, 4 or 8, not {self.space_to_depth}")

    @property
    def frame_unit(self) -> int:
        """Sides of frames are multiples of so many pixels."""
        return self.space_to_depth * 2 ** (len(self.widths) - 1)

    @property
    def source_channels(self) -> int:
        """Source parsing one-hot, source heatmaps, source pose mask."""
        return LABEL_COUNT * self.space_to_depth**2 + JOINT_COUNT + 1

    @property
    def target_channels(self) -> int:
        """Target heatmaps, target pose mask, and the additions."""
        return JOINT_COUNT + 1 + self.warped_parsing * LABEL_COUNT + self.limb_maps * len(BONES)


@dataclass
class SemanticInput:
    """What H_S sees. B samples of (h, w), the frame's (H, W) divided by the configuration's ``space_to_depth``."""

    #: (B, source_channels, h, w): source parsing one-hot, source heatmaps, source pose mask; or its encoder's levels
    source: Tensor | Sequence[Tensor]
    target: Tensor  #: (B, target_channels, h, w): target heatmaps, target pose mask, warped parsing, limb maps
    warps: Sequence[Warp] = ()  #: one for each warped level, finest first


class SemanticGenerator(DeformableUnet):
    """Encoders E_S (source map and pose) and E_P (target pose), decoder G_S to logits over the ten labels."""

    def __init__(self, config: SemanticConfig) -> None:
        channels = config.source_channels, config.target_channels
        super().__init__(*channels, config.widths, config.warped_levels, config.dropout)
        self.config = config
        self.to_logits = nn.Conv2d(self.feature_channels, LABEL_COUNT * config.space_to_depth**2, 3, padding=1)

    def forward(self, inputs: SemanticInput) -> Tensor:
        """Logits (B, 10, H, W); their softmax is the predicted map."""
        seen = inputs.source
        levels = self.source_encoder(seen) if isinstance(seen, Tensor) else seen
        parts = self.decode(levels, self.target_encoder.stem(inputs.target), inputs.warps)
        blocks = self.run_segment(lambda *parts: self.to_logits(join_active(parts)), *parts)
        return F.pixel_shuffle(blocks.float().contiguous(), self.config.space_to_depth)  # as losses go through maps


def upscale_semantic(model: SemanticGenerator) -> SemanticGenerator:
    """The same H_S for frames twice as large: it looks at blocks of twice the side, and predicts four pixels for one.

    All but the first and the last layer stay as they are, so that it begins with what ``model`` has learnt: its
    prediction for a map is that of ``model`` for the map at half the size, enlarged.
    """
    block = model.config.space_to_depth
    larger = SemanticGenerator(replace(model.config, space_to_depth=2 * block))
    state = {name: value.clone() for name, value in model.state_dict().items()}

    def repeat_pixels(weights: Tensor) -> Tensor:
        """Entries (labels·block², …), a pixel of a block each, repeated for the four pixels it becomes."""
        blocks = weights.unflatten(0, (LABEL_COUNT, block, block))
        return blocks.repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(0, 2)

    stem = state["source_encoder.stem.weight"]
    parsing, others = stem.tensor_split([LABEL_COUNT * block**2], 1)
    parsing = repeat_pixels(parsing.transpose(0, 1)).transpose(0, 1) / 4
    state["source_encoder.stem.weight"] = torch.cat([parsing, others], 1)
    for name in ("to_logits.weight", "to_logits.bias"):
        state[name] = repeat_pixels(state[name])
    larger.load_state_dict(state)
    return larger.train(model.training)


def encode_semantic_source(model: SemanticGenerator, source: PersonBatch) -> list[Tensor]:
    """What H_S's encoder E_S makes of ``source``, level by level: for any number of `predict_parsing`."""
    return model.source_encoder(_draw_source(model.config, source))


def predict_parsing(
    model: SemanticGenerator, source: PersonBatch, transfer: Transfer, encoded: Sequence[Tensor] | None = None
) -> Tensor:
    """Logits (B, 10, H, W) of the source's parsing map in the target pose (H_S); one source serves all targets.

    ``encoded`` is what `encode_semantic_source` makes of ``source``, if that is there already.
    """
    config, size = model.config, source.size
    block = config.space_to_depth
    first = block.bit_length() - 1  # the level of the transfer that is the network's finest
    of_target = _draw_pose(transfer.target, size, block)
    warps = transfer.warps(max(config.warped_levels, int(config.warped_parsing)), first)
    if config.warped_parsing:
        shares = F.avg_pool2d(source.one_hot(), block).contiguous(memory_format=torch.channels_last)
        of_target.append(deformable_skip(shares, warps[0]))
    if config.limb_maps:
        small = (size[0] // block, size[1] // block)
        of_target.append(limb_maps(downscale_poses(transfer.target, block), small))
    wanted = torch.cat(of_target, 1).contiguous(memory_format=torch.channels_last)
    return model(SemanticInput(_draw_source(config, source) if encoded is None else encoded, wanted, warps))


def _draw_source(config: SemanticConfig, source: PersonBatch) -> Tensor:
    pixels = F.pixel_unshuffle(source.labels[:, None].byte(), config.space_to_depth)  # of a block
    ids = torch.arange(LABEL_COUNT, dtype=torch.uint8, device=pixels.device)[:, None, None, None]
    maps = [(pixels[:, None] == ids).flatten(1, 2), *_draw_pose(source.poses, source.size, config.space_to_depth)]
    # In memory as the convolution takes it, before it is one: half the time.
    return torch.cat([part.contiguous(memory_format=torch.channels_last).float() for part in maps], 1)


def _draw_pose(poses: Tensor, size: Size, block: int) -> list[Tensor]:
    """Heatmaps and pose mask of ``poses`` in a frame of ``size``, in blocks."""
    mask = F.avg_pool2d(pose_masks(poses, size, pose_mask_radius(size)), block)
    return [strided_heatmaps(poses, size, block), mask]

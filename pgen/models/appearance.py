"""H_A: paints the source person's appearance into the target's parsing map (SPT, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, downscale_poses, find_likeliest, replace_parsing_by_pose_masks
from pgen.body.heatmaps import heatmap_sigma, heatmaps
from pgen.body.joints import JOINT_COUNT
from pgen.body.labels import LABEL_COUNT
from pgen.body.paste import Paste
from pgen.body.transfer import Transfer
from pgen.body.warp import Warp, deformable_skip
from pgen.models.color_correction import match_guide_colors
from pgen.models.layers import DecoderBlock, DeformableUnet, Encoder, join_active
from pgen.models.limits import check_sizes


@dataclass(frozen=True)
class AppearanceConfig:
    """Sizes of H_A. The defaults are the paper's 256×256 model."""

    widths: tuple[int, ...] = (64, 128, 256, 512, 512, 512)  #: channels of each encoder level, finest first
    local_widths: tuple[int, ...] = (32, 64)  #: levels of the full-size network; empty: one level only
    warped_levels: int = 4  #: how many of the finest levels have deformable skips
    dropout: float = 0.5  #: channel dropout in the decoder's first three blocks
    guide_channels: int = 0  #: 4: the label-aware paste and its validity go to the target encoder; 0 in the paper
    label_aware_levels: int = 0  #: how many of the finest skips carry only values whose labels agree; 0 in the paper
    blend: bool = False  #: an addition: the network also says how much of the guide to keep at each pixel
    parsing: bool = True  #: False: no parsing map anywhere (the paper's baseline); pose masks stand in for them
    kind: str = "deformable_unet"  #: the only one in the package

    def __post_init__(self) -> None:
        check_sizes(self)
        if len(self.widths) < 2 or len(self.local_widths) not in (0, 2):
            raise ValueError("widths are two or more, local_widths two or none")
        if self.local_widths and self.local_widths[1] != self.widths[0]:
            raise ValueError("local_widths end with the first of widths: there the local network fades in")
        if self.blend and not self.guide_channels:
            raise ValueError("blend keeps pixels of the guide: set guide_channels = 4 with it")

    @property
    def frame_unit(self) -> int:
        """Sides of frames are multiples of so many pixels: of two levels, the global one sees half the size."""
        return 2 ** (len(self.widths) - 1 + bool(self.local_widths))

    @property
    def source_channels(self) -> int:
        """Image, source parsing without background, source heatmaps."""
        return 3 + self.parsing * (LABEL_COUNT - 1) + JOINT_COUNT

    @property
    def target_channels(self) -> int:
        """Target heatmaps, target parsing without background, guide."""
        return JOINT_COUNT + self.parsing * (LABEL_COUNT - 1) + self.guide_channels

    @property
    def output_channels(self) -> int:
        """An image and, to ``blend``, the share of the guide."""
        return 3 + self.blend


@dataclass
class AppearanceInput:
    """What H_A sees at one size. B samples of (H, W)."""

    #: (B, 30, H, W): image in [−1, 1], source parsing one-hot 1–9, source heatmaps; or what `encode` makes of it
    source: Tensor | Sequence[Tensor]
    target: Tensor  #: (B, 27 + guide, H, W): target heatmaps, target parsing 1–9 (one-hot or soft), guide
    warps: Sequence[Warp]  #: one for each warped level, finest first
    guide: Tensor | None = None  #: (B, 3, H, W) in [−1, 1]: the image to blend with


def _blend(output: Tensor, guide: Tensor | None) -> Tensor:
    """Image (B, 3, H, W) in [−1, 1] from a last layer's output (B, 3 or 4, H, W): the fourth weighs the guide."""
    image = torch.tanh(output[:, :3].float())
    if guide is None:
        return image
    # Half of the guide to begin with: a logit of 0.
    return torch.lerp(image, guide, torch.sigmoid(output[:, 3:].float()))


class OneLevelAppearanceGenerator(DeformableUnet):
    """The global network: source, target and their skips to an image of the input's size.

    With ``upsample`` it is the paper's half-size network, whose image is twice its input's size.
    """

    def __init__(self, config: AppearanceConfig, upsample: bool = False) -> None:
        channels = config.source_channels, config.target_channels
        super().__init__(*channels, config.widths, config.warped_levels, config.dropout)
        self.config, self.upsample = config, upsample
        self.to_image = nn.Conv2d(self.feature_channels, config.output_channels, 3, padding=1)

    def forward(self, inputs: AppearanceInput) -> Tensor:
        """Image (B, 3, H, W) in [−1, 1]."""
        seen = inputs.source
        levels = self.encode(seen) if isinstance(seen, Tensor) else seen
        return self.paint(self.decode(levels, self.target_encoder.stem(inputs.target), inputs.warps), inputs.guide)

    def encode(self, source: Tensor) -> list[Tensor]:
        """What the source's encoder makes of (B, 30, H, W), level by level; it depends on no target."""
        return self.source_encoder(source)

    def paint(self, features: Sequence[Tensor], guide: Tensor | None) -> Tensor:
        """The image that the network's last layer makes of its features; ``guide`` is of the image's size."""
        x = join_active(features)
        if self.upsample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        return _blend(self.to_image(x), guide)


class TwoLevelAppearanceGenerator(nn.Module):
    """The paper's generator: a global network at half size and a local one at full size that fades in."""

    def __init__(self, config: AppearanceConfig) -> None:
        super().__init__()
        self.config = config
        self.fade_in = 1.0  #: how far the local network has faded in, 0 (global alone) to 1; training sets it
        self.coarse = OneLevelAppearanceGenerator(config, upsample=True)
        local = config.local_widths
        self.source_encoder = Encoder(config.source_channels, local, norm_last=True)
        self.target_encoder = Encoder(config.target_channels, local, norm_last=True)
        self.block = DecoderBlock(config.widths[1] + 2 * config.widths[0], local[1])
        self.to_image = nn.Conv2d(local[1] + 2 * local[0], config.output_channels, 3, padding=1)

    def forward(self, full: AppearanceInput, half: AppearanceInput) -> Tensor:
        """Image (B, 3, H, W) in [−1, 1] of the full input's size.

        Args:
            full: inputs at (H, W), with the warp of the finest level.
            half: the same inputs at (H/2, W/2), with the warps of its own levels.
        """
        alpha = self.fade_in
        if isinstance(full.source, Tensor) and isinstance(half.source, Tensor):
            local_source, source = self.encode(full.source, half.source)
        else:
            local_source, source = list(full.source), list(half.source)
        target = self.coarse.target_encoder.stem(half.target)
        if alpha == 0.0:
            return self.coarse.paint(self.coarse.decode(source, target, half.warps), full.guide)
        local_target = self.target_encoder(full.target)
        target = torch.lerp(target, local_target[1], alpha)
        features = self.coarse.decode(source, target, half.warps)
        finest = self.block(*features), deformable_skip(local_source[0], full.warps[0]), local_target[0]
        local = _blend(self.to_image(join_active(finest)), full.guide)
        if alpha == 1.0:
            return local
        return torch.lerp(self.coarse.paint(features, full.guide), local, alpha)

    def encode(self, full: Tensor, half: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What the sources' encoders make of (B, 30, H, W) and (B, 30, H/2, W/2), level by level, local and global.

        It depends on no target. As long as the local network has not begun to fade in, it makes nothing.
        """
        first, local = self.coarse.source_encoder.stem(half), []
        if self.fade_in > 0.0:
            local = self.source_encoder(full)
            first = torch.lerp(first, local[1], self.fade_in)
        return local, self.coarse.source_encoder.continue_from(first)


AppearanceGenerator = OneLevelAppearanceGenerator | TwoLevelAppearanceGenerator

#: What H_A's encoders make of a source: the levels of the one network; or of the local and of the global one.
EncodedSource = Sequence[Sequence[Tensor]]


def build_appearance_generator(config: AppearanceConfig) -> AppearanceGenerator:
    """H_A of the given sizes: two levels if it has local widths, else one."""
    return TwoLevelAppearanceGenerator(config) if config.local_widths else OneLevelAppearanceGenerator(config)


def encode_appearance_source(model: AppearanceGenerator, source: PersonBatch) -> EncodedSource:
    """What H_A's encoders make of ``source``, whatever the target: for any number of `paint`; arguments as there."""
    seen = _draw_sources(model, source, None)
    return model.encode(*seen) if isinstance(model, TwoLevelAppearanceGenerator) else [model.encode(*seen)]


def paint(
    model: AppearanceGenerator,
    source: PersonBatch,
    transfer: Transfer,
    parsing: Tensor,
    guide: Paste | None = None,
    source_parsing: Tensor | None = None,
    correct_colors: bool = False,
    encoded: EncodedSource | None = None,
) -> Tensor:
    """Image (B, 3, H, W) in [−1, 1] of the source's person in the target pose (H_A).

    Args:
        source: B people, or one for all targets.
        parsing: target parsing map (B, 10, H, W), one-hot or a softmax (then H_A's gradients reach H_S).
        guide: the label-aware paste, for models with guide channels; computed here if not given.
        source_parsing: soft source map, where the source was generated; else the one-hot of its labels.
        correct_colors: give the image the guide's colors, see `pgen.models.color_correction`; this changes nothing for
            models without guide or parsing.
        encoded: what `encode_appearance_source` makes of the source, if that is there already.

    A model without parsing takes pose masks in place of both maps.
    """
    if correct_colors and model.config.guide_channels and model.config.parsing:
        labels = find_likeliest(parsing)
        guide = guide or transfer.paste(source.images, source.labels, labels)
        image = paint(model, source, transfer, parsing, guide, source_parsing, encoded=encoded)
        with torch.autocast(image.device.type, enabled=False):
            return match_guide_colors(image, source, guide, labels)
    seen: Sequence[Tensor | Sequence[Tensor]] = encoded or _draw_sources(model, source, source_parsing)
    if not model.config.parsing:
        source = replace_parsing_by_pose_masks(source)
        parsing = replace_parsing_by_pose_masks(PersonBatch(source.images, source.labels, transfer.target)).one_hot()
    levels = model.config.warped_levels
    if not isinstance(model, TwoLevelAppearanceGenerator):
        return model(_build_input(model.config, source, transfer, parsing, guide, seen[0], levels))
    half = source.halve()
    half_transfer = Transfer(downscale_poses(transfer.source), downscale_poses(transfer.target), half.size)
    full = _build_input(model.config, source, transfer, parsing, guide, seen[0], 1)
    return model(full, _build_input(model.config, half, half_transfer, F.avg_pool2d(parsing, 2), None, seen[1], levels))


def _draw_sources(model: AppearanceGenerator, source: PersonBatch, source_parsing: Tensor | None) -> list[Tensor]:
    """What the source's encoders see, (B, source_channels, H, W), and of two levels also at half the size."""
    if not model.config.parsing:
        source, source_parsing = replace_parsing_by_pose_masks(source), None
    seen = [_draw_source(model.config, source, source_parsing)]
    if isinstance(model, TwoLevelAppearanceGenerator):
        half_parsing = None if source_parsing is None else F.avg_pool2d(source_parsing, 2)
        seen.append(_draw_source(model.config, source.halve(), half_parsing))
    return seen


def _draw_source(config: AppearanceConfig, source: PersonBatch, source_parsing: Tensor | None) -> Tensor:
    maps = [source.images]
    if config.parsing:
        maps.append((source.one_hot() if source_parsing is None else source_parsing)[:, 1:])
    maps.append(heatmaps(source.poses, source.size, heatmap_sigma(source.size)))
    return torch.cat(maps, 1).contiguous(memory_format=torch.channels_last)


def _build_input(
    config: AppearanceConfig,
    source: PersonBatch,
    transfer: Transfer,
    parsing: Tensor,
    guide: Paste | None,
    seen: Tensor | Sequence[Tensor],
    levels: int,
) -> AppearanceInput:
    maps = [heatmaps(transfer.target, source.size, heatmap_sigma(source.size))]
    if config.parsing:
        maps.append(parsing[:, 1:])
    labels = find_likeliest(parsing)
    if config.guide_channels:
        guide = guide or transfer.paste(source.images, source.labels, labels)
        maps += [guide.image, guide.valid]
    wanted = torch.cat(maps, 1).contiguous(memory_format=torch.channels_last)
    warps = transfer.label_warps(levels, config.label_aware_levels, source.labels, labels)
    return AppearanceInput(seen, wanted, warps, guide.image if guide is not None and config.blend else None)

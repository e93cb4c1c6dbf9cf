"""From people to what the networks see: one-hot maps, heatmaps, pose masks, warps and the guide, for a batch.

Everything that is cheap to compute and dear to load is computed here, on the device, from keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batched import heatmaps, limb_maps, part_affines, part_masks, pose_masks
from pgen.body.head_turn import head_turns
from pgen.body.heatmaps import sigma_for
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.paste import Paste, paste, plan_paste
from pgen.body.pose_mask import radius_for
from pgen.body.warp import Size, Warp, deformable_skip, plan_warp, resize_labels
from pgen.models.appearance import AppearanceGenerator, AppearanceInput, TwoLevelAppearanceGenerator
from pgen.models.semantic import SemanticGenerator, SemanticInput

#: Faces whose turns differ by more (from −1 to 1) do not show the same.
_SAME_FACE = 0.6


@dataclass
class Views:
    """A batch of B photos of people, on the device."""

    images: Tensor  #: (B, 3, H, W) in [−1, 1]
    labels: Tensor  #: long (B, H, W), ids 0–9
    poses: Tensor  #: (B, 18, 2), (x, y) in pixels, NaN = missing

    @property
    def size(self) -> Size:
        return (self.labels.shape[-2], self.labels.shape[-1])

    def one_hot(self) -> Tensor:
        """Parsing map (B, 10, H, W) of 0 and 1."""
        return one_hot(self.labels)

    def half(self) -> Views:
        """The same views at half their size."""
        size = (self.size[0] // 2, self.size[1] // 2)
        return Views(F.avg_pool2d(self.images, 2), resize_labels(self.labels, size), shrunk(self.poses))


def without_parsing(views: Views) -> Views:
    """``views`` with their pose masks, as upper clothes, in place of the parsing maps."""
    mask = pose_masks(views.poses, views.size, radius_for(views.size))[:, 0]
    return Views(views.images, mask.long() * Label.UPPER, views.poses)


def one_hot(labels: Tensor) -> Tensor:
    """Label ids (B, H, W) → float (B, 10, H, W)."""
    return F.one_hot(labels, LABEL_COUNT).permute(0, 3, 1, 2).float()


def hardened(logits: Tensor) -> Tensor:
    """One-hot map (B, 10, H, W) of each pixel's likeliest label, with the gradient of the softmax (straight through).

    A soft map would be told from a true one by its softness alone.
    """
    soft = logits.softmax(1)
    return one_hot(logits.argmax(1)) + soft - soft.detach()


def shrunk(poses: Tensor, factor: int = 2) -> Tensor:
    """Poses in the pixels of a frame ``factor`` times smaller."""
    return (poses + 0.5) / factor - 0.5


class Transfer:
    """The geometry that carries a batch of source poses to target poses in one frame; what costs is kept."""

    def __init__(self, source: Tensor, target: Tensor, size: Size) -> None:
        self.source, self.target, self.size = source, target, size
        self.affines = part_affines(source, target)
        self.masks = part_masks(target, size)
        self._plain: dict[int, Warp] = {}

    def warps(self, levels: int, first: int = 0) -> list[Warp]:
        """Warps of ``levels`` levels, finest first; level k is the frame divided by 2^k."""
        return [self._level(first + k) for k in range(levels)]

    def label_warps(self, levels: int, aware: int, source: Tensor, target: Tensor) -> list[Warp]:
        """The same, where the ``aware`` finest carry only values whose labels agree; maps are long (B, H, W)."""
        return [
            plan_warp(self.affines, self.masks, self._size(k), source, target) if k < aware else self._level(k)
            for k in range(levels)
        ]

    def paste(self, image: Tensor, source: Tensor, target: Tensor) -> Paste:
        """The label-aware paste of ``image`` (B, 3, H, W) into the map ``target`` (long, B, H, W).

        A face is left out where the head is turned too far between the poses: an affine would carry it to where it
        cannot be, an eye to the cheek.
        """
        turned = (head_turns(self.source) - head_turns(self.target)).abs() > _SAME_FACE
        carried = source.masked_fill(turned[:, None, None] & (source == Label.FACE), -1)
        return paste(image, source, target, plan_paste(self.affines, self.masks, carried, target))

    def _size(self, level: int) -> Size:
        return (self.size[0] >> level, self.size[1] >> level)

    def _level(self, level: int) -> Warp:
        if level not in self._plain:
            self._plain[level] = plan_warp(self.affines, self.masks, self._size(level))
        return self._plain[level]


def predict_layout(model: SemanticGenerator, source: Views, transfer: Transfer) -> Tensor:
    """Logits (B, 10, H, W) of the source's parsing map in the target pose (H_S)."""
    config, size = model.config, source.size
    fold = config.fold
    small = (size[0] // fold, size[1] // fold)
    first = fold.bit_length() - 1  # the level of the transfer that is the network's finest

    def pose_maps(poses: Tensor) -> list[Tensor]:
        mask = F.avg_pool2d(pose_masks(poses, size, radius_for(size)), fold)
        return [heatmaps(shrunk(poses, fold), small, sigma_for(size) / fold), mask]

    layout = source.one_hot()
    of_source = [F.pixel_unshuffle(layout, fold), *pose_maps(transfer.source)]
    of_target = pose_maps(transfer.target)
    warps = transfer.warps(max(config.warped_levels, int(config.guide)), first)
    if config.guide:
        shares = F.avg_pool2d(layout, fold).contiguous(memory_format=torch.channels_last)
        of_target.append(deformable_skip(shares, warps[0]))
    if config.limbs:
        of_target.append(limb_maps(shrunk(transfer.target, fold), small))
    return model(
        SemanticInput(
            torch.cat(of_source, 1).contiguous(memory_format=torch.channels_last),
            torch.cat(of_target, 1).contiguous(memory_format=torch.channels_last),
            warps,
        )
    )


def paint(
    model: AppearanceGenerator,
    source: Views,
    transfer: Transfer,
    layout: Tensor,
    guide: Paste | None = None,
    source_layout: Tensor | None = None,
) -> Tensor:
    """Image (B, 3, H, W) in [−1, 1] of the source's person in the target pose (H_A).

    Args:
        layout: target parsing map (B, 10, H, W), one-hot or a softmax (then H_A's gradients reach H_S).
        guide: the label-aware paste, for models with guide channels; computed here if not given.
        source_layout: soft source map, where the source was generated; else the one-hot of its labels.

    A model without parsing takes pose masks in place of both maps.
    """
    if not model.config.parsing:
        source, source_layout = without_parsing(source), None
        layout = without_parsing(Views(source.images, source.labels, transfer.target)).one_hot()
    if isinstance(model, TwoLevelAppearanceGenerator):
        half = source.half()
        half_transfer = Transfer(shrunk(transfer.source), shrunk(transfer.target), half.size)
        half_source_layout = None if source_layout is None else F.avg_pool2d(source_layout, 2)
        coarse = _appearance_input(
            model,
            half,
            half_transfer,
            F.avg_pool2d(layout, 2),
            None,
            half_source_layout,
            model.config.warped_levels,
        )
        return model(_appearance_input(model, source, transfer, layout, guide, source_layout, 1), coarse)
    levels = model.config.warped_levels
    return model(_appearance_input(model, source, transfer, layout, guide, source_layout, levels))


def _appearance_input(
    model: AppearanceGenerator,
    source: Views,
    transfer: Transfer,
    layout: Tensor,
    guide: Paste | None,
    source_layout: Tensor | None,
    levels: int,
) -> AppearanceInput:
    config, size = model.config, source.size
    sigma = sigma_for(size)
    of_source = [source.images]
    of_target = [heatmaps(transfer.target, size, sigma)]
    if config.parsing:
        of_source.append((source.one_hot() if source_layout is None else source_layout)[:, 1:])
        of_target.append(layout[:, 1:])
    of_source.append(heatmaps(transfer.source, size, sigma))
    labels = layout.argmax(1)
    if config.guide_channels:
        guide = guide or transfer.paste(source.images, source.labels, labels)
        of_target += [guide.image, guide.valid]
    return AppearanceInput(
        torch.cat(of_source, 1).contiguous(memory_format=torch.channels_last),
        torch.cat(of_target, 1).contiguous(memory_format=torch.channels_last),
        transfer.label_warps(levels, config.label_aware_levels, source.labels, labels),
        guide.image if guide is not None and config.blend else None,
    )

"""From people to what the networks see: one-hot maps, heatmaps, pose masks, warps and the guide, for a batch.

Everything that is cheap to compute and dear to load is computed here, on the device, from keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batched import heatmaps, part_affines, part_masks, pose_masks
from pgen.body.heatmaps import sigma_for
from pgen.body.labels import LABEL_COUNT
from pgen.body.posemask import radius_for
from pgen.models.appearance import AppearanceGenerator, AppearanceInput, TwoLevelAppearanceGenerator
from pgen.models.paste import Paste, paste, plan_paste
from pgen.models.semantic import SemanticGenerator, SemanticInput
from pgen.models.warp import Size, Warp, plan_warp, resize_labels


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
        return Views(F.avg_pool2d(self.images, 2), resize_labels(self.labels, size), half_poses(self.poses))


def one_hot(labels: Tensor) -> Tensor:
    """Label ids (B, H, W) → float (B, 10, H, W)."""
    return F.one_hot(labels, LABEL_COUNT).permute(0, 3, 1, 2).float()


def half_poses(poses: Tensor) -> Tensor:
    """Poses in the pixels of a frame of half the size."""
    return (poses + 0.5) / 2 - 0.5


class Transfer:
    """The geometry that carries a batch of source poses to target poses in one frame; what costs is kept."""

    def __init__(self, source: Tensor, target: Tensor, size: Size) -> None:
        self.source, self.target, self.size = source, target, size
        self.affines = part_affines(source, target)
        self.masks = part_masks(target, size)
        self._plain: dict[int, Warp] = {}

    def warps(self, levels: int) -> list[Warp]:
        """Warps of the ``levels`` finest levels, finest first."""
        return [self._level(k) for k in range(levels)]

    def label_warps(self, levels: int, aware: int, source: Tensor, target: Tensor) -> list[Warp]:
        """The same, where the ``aware`` finest carry only values whose labels agree; maps are long (B, H, W)."""
        return [
            plan_warp(self.affines, self.masks, self._size(k), source, target) if k < aware else self._level(k)
            for k in range(levels)
        ]

    def paste(self, image: Tensor, source: Tensor, target: Tensor) -> Paste:
        """The label-aware paste of ``image`` (B, 3, H, W) into the map ``target`` (long, B, H, W)."""
        return paste(image, source, target, plan_paste(self.affines, self.masks, source, target))

    def _size(self, level: int) -> Size:
        return (self.size[0] >> level, self.size[1] >> level)

    def _level(self, level: int) -> Warp:
        if level not in self._plain:
            self._plain[level] = plan_warp(self.affines, self.masks, self._size(level))
        return self._plain[level]


def predict_layout(model: SemanticGenerator, source: Views, transfer: Transfer) -> Tensor:
    """Logits (B, 10, H, W) of the source's parsing map in the target pose (H_S)."""
    size = source.size
    sigma, radius = sigma_for(size), radius_for(size)
    return model(
        SemanticInput(
            torch.cat(
                [
                    source.one_hot(),
                    heatmaps(transfer.source, size, sigma),
                    pose_masks(transfer.source, size, radius),
                ],
                1,
            ).contiguous(memory_format=torch.channels_last),
            torch.cat(
                [heatmaps(transfer.target, size, sigma), pose_masks(transfer.target, size, radius)], 1
            ).contiguous(memory_format=torch.channels_last),
            transfer.warps(model.config.warped_levels),
        )
    )


def paint(
    model: AppearanceGenerator,
    source: Views,
    transfer: Transfer,
    layout: Tensor,
    guide: Paste | None = None,
    source_layout: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Image (B, 3, H, W) in [−1, 1] of the source's person in the target pose (H_A).

    Args:
        layout: target parsing map (B, 10, H, W), one-hot or a softmax (then H_A's gradients reach H_S).
        guide: the label-aware paste, for models with guide channels; computed here if not given.
        source_layout: soft source map, where the source was generated; else the one-hot of its labels.
        alpha: fade-in of two-level models.
    """
    if isinstance(model, TwoLevelAppearanceGenerator):
        half = source.half()
        half_transfer = Transfer(half_poses(transfer.source), half_poses(transfer.target), half.size)
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
        return model(_appearance_input(model, source, transfer, layout, guide, source_layout, 1), coarse, alpha)
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
    )

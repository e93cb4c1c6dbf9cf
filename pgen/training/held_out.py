"""Pairs of photos of held-out people, and how H_A does on them: scores against their true photos, and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import PersonBatch, downscale_poses, to_pictures, to_uint8
from pgen.body.masks import pose_mask_radius, pose_masks
from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.data.dataset import PersonDataset
from pgen.data.holding_out import find_held_out_pairs
from pgen.metrics.joints import joint_errors
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.metrics.ssim_kernel import ssim
from pgen.models.pose_detector import PoseDetector, find_joints

#: How many held-out pairs of a file the scores at intervals are taken over.
_VALIDATION_PAIRS = 96


def find_pairs(held_out: PersonDataset | None, seed: int) -> Tensor:
    """Pairs to validate on, (M, 2), as indices into ``held_out``: of each file a number quick to score."""
    found = [torch.empty(0, 2, dtype=torch.long)]
    for start, part in held_out.list_parts() if held_out is not None else ():
        pairs = find_held_out_pairs(part.store, part.indices, _VALIDATION_PAIRS, seed)
        found.append(start + torch.from_numpy(pairs))
    return torch.cat(found)


@dataclass
class ValidationBatch:
    """What H_A has made of B people, and what they look like in truth."""

    source: PersonBatch
    target: PersonBatch
    labels: Tensor  #: long (B, H, W), the map that it was given
    paste: Tensor  #: (B, 3, H, W), the label-aware paste into it
    image: Tensor  #: (B, 3, H, W)


def score_transfers(batches: Iterable[ValidationBatch], detector: PoseDetector, downscale: int = 1) -> dict[str, float]:
    """Scores against the true photo of the same person in the other pose.

    SSIM, also of images times SPT's pose mask, of H_A's image and of the paste without a network; how far, in torso
    lengths, ``detector`` (which looks at images ``downscale`` times smaller) finds the joints from where they should
    be; and the maps' mIoU.
    """
    scores: dict[str, list[float]] = {}
    counts = []
    for one in batches:
        target = one.target
        mask = pose_masks(target.poses, target.size, pose_mask_radius(target.size))
        for prefix, found in (("", one.image), ("paste_", one.paste)):
            scores.setdefault(f"{prefix}ssim", []).extend(_ssim(found, target.images))
            scores.setdefault(f"{prefix}spt_mask_ssim", []).extend(_ssim(found, target.images, mask))
        scores.setdefault("joint_error", []).extend(_joint_errors(one.image, target.poses, detector, downscale))
        counts.append(count_intersection_and_union(one.labels, target.labels))
    return {name: float(np.mean(values)) for name, values in scores.items()} | {
        "miou": mean_iou(torch.cat(counts).sum(0)).item()
    }


def _ssim(found: Tensor, true: Tensor, mask: Tensor | None = None) -> list[float]:
    """SSIM of each image (B, 3, H, W) in [−1, 1] as bytes; both are multiplied by ``mask`` (B, 1, H, W) first."""
    images = to_uint8(found).cpu(), to_uint8(true).cpu()
    return ssim(*images, "gaussian-255", None if mask is None else mask.cpu()).tolist()


def _joint_errors(images: Tensor, poses: Tensor, detector: PoseDetector, downscale: int) -> list[float]:
    """Mean distance of each image's known joints from where the detector finds them, in torso lengths.

    Images whose torso is not wholly known are left out.
    """
    poses, small = downscale_poses(poses, downscale), F.avg_pool2d(images, downscale)
    found = find_joints(detector(small), detector.stride, threshold=-torch.inf)
    errors = joint_errors(found, poses).nanmean(1)
    return errors[errors.isfinite()].tolist()


def draw_transfers(batch: ValidationBatch) -> np.ndarray:
    """A row a person, uint8 (H, W, 3): source, pose, map, paste, generated, true."""
    columns: dict[str, Sequence[np.ndarray]] = {
        "source": list(to_pictures(batch.source.images)),
        "pose": [draw_skeleton(batch.target.size, pose) for pose in batch.target.poses.cpu().numpy()],
        "map": [colorize_parsing(ids) for ids in batch.labels.byte().cpu().numpy()],
        "paste": list(to_pictures(batch.paste)),
        "generated": list(to_pictures(batch.image)),
        "true": list(to_pictures(batch.target.images)),
    }
    return draw_sheet([[(name, pictures[k]) for name, pictures in columns.items()] for k in range(len(batch.labels))])

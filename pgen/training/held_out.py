"""How H_A does on held-out people: scores against their true photos, and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pgen.body.batch import PersonBatch, downscale_poses
from pgen.body.batched import pose_masks, torso_lengths
from pgen.body.pose_mask import pose_mask_radius
from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.models.pose_detector import PoseDetector, joints_from_heatmaps
from pgen.training.similarity import as_bytes, ssim
from pgen.training.tasks.semantic import count_intersection_and_union, mean_iou


@dataclass
class ValidationBatch:
    """What was made of B people, and what they look like in truth."""

    source: PersonBatch
    target: PersonBatch
    labels: Tensor  #: long (B, H, W), the map that was painted into
    pasted: Tensor  #: (B, 3, H, W), the label-aware paste into it
    painted: Tensor  #: (B, 3, H, W)


def score_transfers(tried: Iterable[ValidationBatch], detector: PoseDetector, shrink: int = 1) -> dict[str, float]:
    """Scores against the true photo of the same person in the other pose.

    SSIM and mask-SSIM of H_A's image, and of the paste without a network; how far, in torso lengths, ``detector``
    (which looks at pictures ``shrink`` times smaller) finds the joints from where they should be; and the map's mIoU.
    """
    scores: dict[str, list[float]] = {}
    overlap = torch.zeros(2, 10)
    for one in tried:
        target = one.target
        mask = pose_masks(target.poses, target.size, pose_mask_radius(target.size))
        for prefix, found in (("", one.painted), ("paste_", one.pasted)):
            scores.setdefault(f"{prefix}ssim", []).extend(ssim(found, target.images))
            scores.setdefault(f"{prefix}mask_ssim", []).extend(ssim(found, target.images, mask))
        scores.setdefault("joint_error", []).extend(joint_errors(one.painted, target.poses, detector, shrink))
        overlap += count_intersection_and_union(one.labels, target.labels).cpu()
    return {name: float(np.mean(values)) for name, values in scores.items()} | {"miou": mean_iou(overlap)}


def joint_errors(images: Tensor, poses: Tensor, detector: PoseDetector, shrink: int) -> list[float]:
    """Mean distance of each image's known joints from where the detector finds them, in torso lengths.

    Images whose torso is not wholly known are left out.
    """
    poses, small = downscale_poses(poses, shrink), F.avg_pool2d(images, shrink)
    found = joints_from_heatmaps(detector(small), detector.stride, threshold=-torch.inf)
    lengths = torso_lengths(poses)
    errors = (found - poses).norm(dim=2) / lengths[:, None]
    return errors[lengths > 0].nanmean(1).tolist()


def draw_transfers(tried: ValidationBatch) -> np.ndarray:
    """A row a person, uint8 (H, W, 3): source, pose, map, paste, painted, true."""
    columns: dict[str, Sequence[np.ndarray]] = {
        "source": list(as_bytes(tried.source.images)),
        "pose": [draw_skeleton(tried.target.size, pose) for pose in tried.target.poses.cpu().numpy()],
        "map": [colorize_parsing(ids) for ids in tried.labels.byte().cpu().numpy()],
        "paste": list(as_bytes(tried.pasted)),
        "painted": list(as_bytes(tried.painted)),
        "true": list(as_bytes(tried.target.images)),
    }
    return draw_sheet([[(name, pictures[k]) for name, pictures in columns.items()] for k in range(len(tried.labels))])

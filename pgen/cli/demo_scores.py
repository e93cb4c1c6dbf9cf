"""What `pgen demo` measures: the generated pictures, and the unchanged source photos, against the rendered truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.cli.demo_people import DemoPerson
from pgen.inference.result import Result
from pgen.metrics.miou import count_intersection_and_union, mean_iou
from pgen.metrics.ssim_kernel import ssim


def score_demo(people: Sequence[DemoPerson], results: Sequence[Sequence[Result]]) -> list[tuple[str, str, str]]:
    """Rows of a table: whose, mean IoU of the parsing maps, SSIM of the pictures."""
    truths = [truth for person in people for truth in person.truths.values()]
    sources = [person.source for person in people for _ in person.truths]
    generated = [result for person in results for result in person]
    true_maps, true_images = _stack([one.parsing for one in truths]), _stack([one.image for one in truths])
    rows = []
    for name, shown in (("Generated", generated), ("Source photo, unchanged", sources)):
        counts = count_intersection_and_union(_stack([one.parsing for one in shown]), true_maps).sum(0)
        similarity = ssim(_stack([one.image for one in shown]), true_images, "gaussian-255").mean()
        rows.append((name, f"{mean_iou(counts).item():.3f}", f"{similarity.item():.3f}"))
    return rows


def _stack(pictures: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """Maps (H, W) → (B, H, W), images (H, W, 3) → (B, 3, H, W)."""
    batch = torch.from_numpy(np.stack(pictures))
    return batch.movedim(-1, 1) if batch.ndim == 4 else batch

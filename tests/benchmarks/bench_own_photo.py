"""How well joints and parsing maps of photos are estimated, and how fast, on 200 synthetic people not seen before.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_own_photo.py``; ``PGEN_SEED`` says which people.
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pgen.body.joints import Joint
from pgen.body.labels import LABELS
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.own_parser import OwnParser
from pgen.data.readers.synthetic import synthetic_example
from pgen.metrics.joints import joint_errors
from pgen.metrics.miou import count_intersection_and_union, mean_iou

PHOTOS, SEED = 200, int(os.environ.get("PGEN_SEED", "777001"))

LIMBS = (
    ((Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST), (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST)),
    ((Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE), (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE)),
)
_ASIDE = 0.35  # of the torso length, which the shoulders of people seen from the side are less apart


@pytest.mark.benchmark
def test_estimates_of_new_people() -> None:
    pytest.importorskip("mediapipe")
    from pgen.data.annotators.mediapipe_pose import MediapipePose

    poses, parser = MediapipePose(), OwnParser()
    counts, errors, doubtful, seconds = torch.zeros(2 * len(LABELS)), [], 0, []
    swaps = {side: np.zeros(2, int) for side in ("front", "back", "side")}
    for index in range(PHOTOS):
        truth = synthetic_example(SEED, index, index % 4)
        begin = time.perf_counter(), time.process_time()
        found = poses.people(truth.image)[0]
        parsed = parser.parse([ParsingRequest(truth.image, found.pose, found.silhouette)])[0]
        seconds.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
        doubtful += bool(found.doubts or parsed.doubts)
        counts += count_intersection_and_union(
            torch.from_numpy(parsed.labels)[None], torch.from_numpy(truth.parsing)[None]
        )[0]
        both = [torch.from_numpy(pose)[None] for pose in (found.pose, truth.pose)]
        errors.append(joint_errors(*both)[0].numpy())
        swaps[seen_from(truth.pose)] += swapped(found.pose, truth.pose)
    error, (wall, cpu) = float(np.nanmean(errors)), np.mean(seconds[1:], axis=0)
    print(f"\njoints: mean error {error:.4f} of the torso length, in {PHOTOS} photos")
    for side, (wrong, all_of_them) in swaps.items():
        print(f"limbs seen from the {side:5}: {wrong:3d} of {all_of_them:3d} swapped")
    for label, (intersection, union) in zip(LABELS, counts.reshape(2, -1).T.tolist(), strict=True):
        print(f"{label:12} IoU {intersection / union:.3f}")
    print(f"{'mean':12} IoU {mean_iou(counts):.3f}; {doubtful} photos told to be doubtful")
    print(f"{1000 * wall:.0f} ms a photo, {1000 * cpu:.0f} ms of processor time")
    assert error < 0.06
    assert mean_iou(counts) > 0.82


def seen_from(pose: NDArray[np.float32]) -> str:
    shoulders, hips = ([Joint.R_SHOULDER, Joint.L_SHOULDER], [Joint.R_HIP, Joint.L_HIP])
    torso = float(np.linalg.norm(pose[shoulders].mean(0) - pose[hips].mean(0)))
    across = float(pose[Joint.L_SHOULDER, 0] - pose[Joint.R_SHOULDER, 0]) / torso
    return "side" if abs(across) < _ASIDE else "front" if across > 0 else "back"


def swapped(found: NDArray[np.float32], true: NDArray[np.float32]) -> tuple[int, int]:
    """How many limbs are nearer to the other side's true joints than to their own, of how many known on both sides."""
    wrong = judged = 0
    for right, left in LIMBS:
        pairs = [p for p in zip(right, left, strict=True) if np.isfinite([found[list(p)], true[list(p)]]).all()]
        if pairs:
            one, other = (np.array([found[list(p)] - true[list(q)] for p, q in zip(pairs, of, strict=True)])
                          for of in (pairs, [p[::-1] for p in pairs]))  # fmt: skip
            judged += 2
            wrong += 2 * int(np.linalg.norm(other, axis=-1).sum() < np.linalg.norm(one, axis=-1).sum())
    return wrong, judged

"""Poses for the tests of this folder: a plain standing person, random ones, and the golden ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st

#: A person standing, seen from the front, in a 128-pixel square: (x, y) a joint.
STANDING = np.array(
    [
        *[(64, 18), (64, 30), (53, 31), (49, 48), (47, 63), (75, 31), (79, 48), (81, 63)],
        *[(57, 64), (56, 88), (55, 112), (71, 64), (72, 88), (73, 112)],
        *[(61, 15), (67, 15), (57, 17), (71, 17)],
    ],
    dtype=np.float32,
)

#: Frames to test in: square, upright, broad, odd.
SIZES = st.sampled_from([(64, 64), (128, 64), (48, 96), (51, 37)])


@st.composite
def points(draw: st.DrawFn, missing: float = 0.1) -> np.ndarray:
    """Any 18 points about a frame of 100 pixels, some missing, some in one place, often at whole pixels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pose = rng.uniform(-20, 120, (18, 2))
    if draw(st.booleans()):
        pose = pose.round()
    if draw(st.booleans()):
        pose[rng.integers(18, size=3)] = pose[rng.integers(18, size=3)]
    pose[rng.random(18) < missing] = np.nan
    return pose.astype(np.float32)


@st.composite
def people(draw: st.DrawFn, missing: float = 0.15, whole: bool = True) -> np.ndarray:
    """The standing person with every joint moved about: the torso known, any other joint perhaps missing.

    Half the time at whole pixels, unless ``whole`` is False.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pose = STANDING + rng.normal(0, 4, (18, 2)).astype(np.float32)
    if whole and draw(st.booleans()):
        pose = pose.round()
    gone = rng.random(18) < missing
    gone[[2, 5, 8, 11]] = False
    pose[gone] = np.nan
    return pose


def from_golden(yx: np.ndarray) -> np.ndarray:
    """Golden poses, whole (y, x) with −1 for missing joints, as ours."""
    poses = yx[..., ::-1].astype(np.float32)
    poses[(yx < 0).any(axis=-1)] = np.nan
    return poses


def rescaled(pose: np.ndarray, factor: float) -> np.ndarray:
    """``pose`` in a frame ``factor`` times as large."""
    return ((pose.astype(np.float64) + 0.5) * factor - 0.5).astype(np.float32)


def for_one_pose(function: Callable[..., torch.Tensor]) -> Callable[..., np.ndarray]:
    """A function of batches of poses as one of single poses, arrays, in float64."""

    def call(*args: object) -> np.ndarray:
        batches = (torch.from_numpy(arg).double()[None] if isinstance(arg, np.ndarray) else arg for arg in args)
        return function(*batches)[0].numpy()

    return call

"""Where each pixel lies along a limb: what sleeves and trouser legs are measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINTS, LEGS, Joint, known_joints

#: Length of a thigh, or of a calf, in torso lengths.
LEG_BONE = 0.85

#: What share of a hand may be beside its sleeve's end; how far beyond the wrist that is of long cuffs, at least and at
#: most, and how far a hand is from the line of its arm, in torso lengths.
_FIRST, _LONG, _CUFF, _HAND = 0.05, 0.08, 0.4, 0.11

#: Width of shoulders, in torso lengths, from which on a body is not seen from the side.
FRONTAL = 0.35


@dataclass(frozen=True)
class LimbField:
    """For every pixel (H, W) of a frame: where it lies along a limb, and how far from its bones."""

    along: NDArray[np.float32]  #: 0 at the first joint, 1 at the second, 2 at the third, and on beyond either end
    distance: NDArray[np.float32]  #: in torso lengths


def torso_length(pose: NDArray[np.floating]) -> float:
    """`parts.torso_lengths` of one pose (18, 2)."""
    import torch  # not for the names of edits alone, which help texts list

    from pgen.body.parts import torso_lengths

    return float(torso_lengths(torch.from_numpy(np.asarray(pose, np.float64))[None]))


def place_on_limb(value: str | float, names: Mapping[str, float]) -> float:
    """Where along a limb, from 0 to 2, something ends, by name or as a share of the limb's length."""
    return names[value] if isinstance(value, str) else 2 * value


def measure_limb(chain: NDArray[np.floating], size: tuple[int, int], unit: float) -> LimbField:
    """Field of the limb through ``chain`` (K, 2) of (x, y), two joints or more; ``unit`` is the torso length."""
    y, x = np.mgrid[: size[0], : size[1]]
    along, distance = measure_along(np.stack([x, y], axis=-1), chain)
    return LimbField(along.astype(np.float32), (distance / unit).astype(np.float32))


def measure_along(points: NDArray[Any], chain: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each point (..., 2) lies along ``chain`` (K, 2), as in `LimbField`, and its distance in pixels: (...)."""
    chain = np.asarray(chain, np.float64)
    nearest = np.full(points.shape[:-1], np.inf)
    along = np.zeros(points.shape[:-1])
    for index in range(len(chain) - 1):
        bone = chain[index + 1] - chain[index]
        share = (points - chain[index]) @ bone / max(float(bone @ bone), 1e-9)
        low = -np.inf if index == 0 else 0.0
        high = np.inf if index == len(chain) - 2 else 1.0
        distance = np.linalg.norm(points - chain[index] - np.clip(share, 0, 1)[..., None] * bone, axis=-1)
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        along = np.where(closer, index + np.clip(share, low, high), along)
    return along, nearest


def find_hand(arm: NDArray[np.floating], skin: NDArray[np.bool_], unit: float) -> NDArray[np.floating]:
    """Where (x, y) the hand of an ``arm``, joints (3, 2), begins: at the wrist, or beyond it, below a long cuff.

    Args:
        skin: where (H, W) the hand, or the whole arm, is bare.
        unit: the torso length, pixels.
    """
    wrist, way = arm[2], (arm[2] - arm[1]) / max(float(np.linalg.norm(arm[2] - arm[1])), 1e-6)
    rows, columns = np.nonzero(skin)
    offset = np.stack([columns, rows], axis=1) - wrist
    along, aside = offset @ way, np.abs(offset @ (-way[1], way[0]))
    is_bare = (along < 0) & (along > -_CUFF * unit) & (aside < _HAND * unit)
    beyond = aside[along >= 0]
    if not len(beyond) or is_bare.mean() > _FIRST or np.median(beyond) > _HAND * unit:
        return wrist
    first = min(float(np.quantile(along, _FIRST)), _CUFF * unit)
    return np.asarray(wrist + way * first if first > _LONG * unit else wrist)


def find_spine(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vector (x, y) from between the shoulders to between the hips, all four known; down if they coincide."""
    joints = np.asarray(pose, np.float64)
    shoulders = (joints[Joint.R_SHOULDER] + joints[Joint.L_SHOULDER]) / 2
    down = (joints[Joint.R_HIP] + joints[Joint.L_HIP]) / 2 - shoulders
    length = float(np.linalg.norm(down))
    return down / length if length > 1e-6 else np.array([0.0, 1.0])


def measure_along_spine(
    origin: NDArray[np.float64], axis: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position (H, W) of each pixel along ``axis``, a unit vector (x, y), from ``origin``, and square to it.

    Square to a spine that goes down is to the right.
    """
    y, x = np.mgrid[: size[0], : size[1]]
    dx, dy = x - origin[0], y - origin[1]
    return dx * axis[0] + dy * axis[1], dx * axis[1] - dy * axis[0]


def measure_shoulder_half(pose: NDArray[np.floating]) -> float:
    """How far (pixels) the left shoulder is to the right of the spine; negative for who is seen from behind."""
    joints, down = np.asarray(pose, np.float64), find_spine(pose)
    to_left = joints[Joint.L_SHOULDER] - joints[Joint.R_SHOULDER]
    return float(to_left @ np.array([down[1], -down[0]])) / 2


def complete_legs(pose: NDArray[np.floating]) -> tuple[list[NDArray[np.float64]], tuple[str, ...]]:
    """Right and left hip, knee and ankle (3, 2), and the names of the joints that had to be assumed.

    A missing knee is put below the hip, in the direction of the other thigh or of the spine, and a missing ankle below
    the knee.
    """
    joints, known = np.asarray(pose, np.float64), known_joints(pose)
    thighs = [joints[knee] - joints[hip] for hip, knee, _ in LEGS if known[knee]]
    usual = thighs[0] if len(thighs) == 1 else LEG_BONE * torso_length(pose) * find_spine(pose)
    chains, assumed = [], []
    for hip, knee, ankle in LEGS:
        at_knee = joints[knee] if known[knee] else joints[hip] + usual
        thigh = at_knee - joints[hip]
        at_ankle = joints[ankle] if known[ankle] else at_knee + thigh
        chains.append(np.stack([joints[hip], at_knee, at_ankle]))
        assumed += [JOINTS[joint] for joint in (knee, ankle) if not known[joint]]
    return chains, tuple(assumed)

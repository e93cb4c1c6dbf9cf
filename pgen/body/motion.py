"""Poses of one person that follow each other: gaps filled, sides kept apart, and smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import FLIP_JOINTS, JOINT_COUNT

#: Frames in a row that a joint may be missing and be filled in between.
LONGEST_GAP = 8

#: Frames of the window, and degree, of the polynomial that smooths (Savitzky and Golay, 1964).
_WINDOW, _DEGREE = 7, 2

# Sides are swapped back if the joints then lie closer to those before, on average, by this share.
_CLEARLY = 0.6


def smooth_motion(poses: Sequence[NDArray[np.floating] | None]) -> list[NDArray[np.float32]]:
    """The poses (18, 2) of a motion, smoothed; None and NaN are frames and joints that were not found.

    Frames in which left and right are mixed up are mended, joints missing for up to `LONGEST_GAP` frames filled in by
    straight lines between the frames around. At the ends, and in longer gaps, joints stay missing. Raises ValueError if
    no frame has a pose.
    """
    if all(pose is None for pose in poses):
        raise ValueError("no frame has a pose")
    from scipy.signal import savgol_filter  # takes as long to import as torch

    track = np.array([np.full((JOINT_COUNT, 2), np.nan) if pose is None else pose for pose in poses], np.float64)
    _mend_sides(track)
    for joint in range(JOINT_COUNT):
        for start, end in _fill_gaps(track[:, joint]):
            window = min(_WINDOW, end - start - (end - start + 1) % 2)
            if window > _DEGREE:
                track[start:end, joint] = savgol_filter(track[start:end, joint], window, _DEGREE, axis=0)
    return list(track.astype(np.float32))


def _mend_sides(track: NDArray[np.float64]) -> None:
    """Swap left and right in frames (T, 18, 2) where the joints then go on from the frame before."""
    before = None
    for index, pose in enumerate(track):
        if before is not None:
            swapped = pose[list(FLIP_JOINTS)]
            as_is, other = _measure_gap(pose, before), _measure_gap(swapped, before)
            if other < _CLEARLY * as_is:
                track[index] = swapped
        if np.isfinite(track[index]).any():
            before = track[index]


def _measure_gap(pose: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    gaps = np.linalg.norm(pose - before, axis=1)
    return float(np.nanmean(gaps)) if np.isfinite(gaps).any() else 0.0


def _fill_gaps(places: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Fill short gaps of one joint (T, 2); the runs of frames, start and past-the-end, where it is known then."""
    there = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not there.size:
        return []
    runs, start = [], int(there[0])
    for last, following in pairwise(there.tolist()):
        if following - last - 1 > LONGEST_GAP:
            runs.append((start, last + 1))
            start = following
        else:
            share = np.linspace(0, 1, following - last + 1)[:, None]
            places[last : following + 1] = (1 - share) * places[last] + share * places[following]
    return [*runs, (start, int(there[-1]) + 1)]

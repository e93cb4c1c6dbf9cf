"""The people that a pose file has of one photo: how sure their joints are, in which unit, and whose pose is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINTS, known_joints
from pgen.errors import InputError

#: Joints below it are left out, as the field's own scripts do that read poses of detectors.
MIN_CONFIDENCE = 0.1
# Joints below it are kept, with a word.
_DOUBTFUL = 0.3

# Nearly all coordinates of a body in pixels are larger, and of one in parts of the photo smaller; the rest may lie
# outside of the photo.
_LARGEST_PART, _NEARLY_ALL = 1.5, 80  # percent
# Coordinates from -1 to 1 are as often below 0 as above; of those from 0 to 1 a few are, a little, beyond the border.
_BELOW, _OFTEN = -0.25, 0.2


class ChosenPose(NamedTuple):
    """One person of several."""

    pose: NDArray[np.float32]  # (18, 2), NaN = missing
    notes: tuple[str, ...]  # how it was chosen and read
    doubts: tuple[str, ...]  # what may be wrong with it
    choice: str | None = None  # which of several people it is, where nobody said which; it is in `notes`, too


@dataclass(frozen=True)
class PosesOfPhoto:
    """The people of one photo, in the order of the file; one without joints is there, all of them missing."""

    poses: list[NDArray[np.float32]]  # each (18, 2) (x, y) as the file has them, see `in_pixels`; NaN = missing
    frame: tuple[int, int] | None  # (height, width) of the photo, if the file says so
    confidences: Sequence[NDArray[np.float32]] = ()  # each (18,); empty if the file does not say it
    notes: tuple[str, ...] = ()  # what was assumed

    def in_pixels(self, size: tuple[int, int] | None, where: str) -> PosesOfPhoto:
        """The same in pixels, see `convert_to_pixels`, of ``frame`` or else of a photo of ``size``."""
        poses, notes = convert_to_pixels(self.poses, self.frame or size, where)
        return replace(self, poses=poses, notes=(*self.notes, *notes))

    def choose(self, number: int | None = None, least: float = MIN_CONFIDENCE) -> ChosenPose:
        """The pose of person ``number``, or of whom the file shows largest and surest, without joints below ``least``.

        Raises `InputError` if there is no such person, or none of the joints is sure enough.
        """
        sure = self.confidences or [known_joints(pose).astype(np.float32) for pose in self.poses]
        kept = [np.where((its >= least)[:, None], pose, np.nan) for pose, its in zip(self.poses, sure, strict=True)]
        index = int(np.argmax([*map(_measure_weight, kept, sure)])) if number is None else number
        if not 0 <= index < len(self.poses):
            there = f"{len(self.poses)} people, 0 to {len(self.poses) - 1}" if len(self.poses) > 1 else "one person, 0"
            raise InputError(f"it has {there}, and no person {index}", option="number")
        pose, own = self.poses[index], sure[index]
        left_out = known_joints(pose) & ~(own >= least)
        if left_out.any() and not known_joints(kept[index]).any():
            best = float(own[left_out].max())
            raise InputError(
                f"no joint has a confidence over {best:.2g}, and {least:g} is asked for", option="min_confidence"
            )
        if number is not None and len(self.poses) > 1 and not known_joints(pose).any():
            raise InputError(f"person {index} has no joints", option="number")
        notes, doubts, choice = [*self.notes], [], None
        if number is None and len(self.poses) > 1:
            others = ", ".join(str(other) for other in range(len(self.poses)) if other != index)
            choice = f"{len(self.poses)} people, number {index} is taken, who is large and sure (others: {others})"
            notes.append(choice)
        if left_out.any():
            doubts.append(f"{_list_joints(left_out)} left out: of less confidence than {least:g}")
        weak = known_joints(kept[index]) & (own < _DOUBTFUL)
        if weak.any():
            doubts.append(f"{_list_joints(weak)} uncertain, of less confidence than {_DOUBTFUL:g}; look at the result")
        return ChosenPose(kept[index].astype(np.float32), tuple(notes), tuple(doubts), choice)


def convert_to_pixels(
    poses: Sequence[NDArray[np.floating]], size: tuple[int, int] | None, where: str
) -> tuple[list[NDArray[np.float32]], tuple[str, ...]]:
    """``poses`` (18, 2) of one photo in pixels, and a note if they were in another unit.

    Others are parts of the photo's width and height, from 0 to 1, or, as OpenPose's ``keypoint_scale`` 4 has it, from
    -1 to 1. Nearly all coordinates decide, as joints may lie beyond the border. Raises `InputError` if the ``size``
    (height, width) of the photo is needed and not known.
    """
    known = [pose[known_joints(pose)] for pose in poses]
    values = np.concatenate(known).ravel() if known else np.empty(0)
    as_given = [np.asarray(pose, np.float32) for pose in poses]
    if len(values) < 4 or np.percentile(np.abs(values), _NEARLY_ALL) > _LARGEST_PART:  # a lone joint is no evidence
        return as_given, ()
    is_centered = values.min() < _BELOW or (values < 0).mean() > _OFTEN
    span = "-1 and 1" if is_centered else "0 and 1"
    if size is None:
        raise InputError(
            f"{where}: coordinates lie within {span}, so they are parts of a photo of unknown size; add "
            "canvas_width and canvas_height to the file, or write pixels (keypoint_scale 0 of OpenPose)"
        )
    scale = np.array((size[1], size[0]), np.float64)
    pixels = [((pose + 1) / 2 if is_centered else pose) * scale for pose in map(np.float64, poses)]
    range_ = f"{values.min():.3g} to {values.max():.3g}"
    note = f"coordinates from {range_} are read as parts of the photo of {size[0]}x{size[1]}, between {span}"
    return [pose.astype(np.float32) for pose in pixels], (note,)


def to_joints(values: Any) -> NDArray[np.float64]:
    """Rows (x, y, confidence) of a flat list."""
    return np.array(values, dtype=np.float64).reshape(-1, 3)


def _measure_weight(pose: NDArray[np.floating], sure: NDArray[np.floating]) -> float:
    """How large and sure a person is: the sum of confidences times the length of the box around the joints."""
    known = known_joints(pose)
    if not known.any():
        return -1.0
    area = float(np.prod(np.ptp(pose[known], axis=0) + 1))
    return float(np.clip(sure[known], 0, 1).sum()) * area**0.5


def _list_joints(which: NDArray[np.bool_]) -> str:
    names = [joint for joint, there in zip(JOINTS, which.tolist(), strict=True) if there]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"

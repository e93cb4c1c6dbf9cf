"""The frame that keypoints refer to: carrying them into the photo, and noticing that it is another one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known_joints
from pgen.errors import InputError

#: Frames of the field's keypoint files, (height, width).
KNOWN_FRAMES = ((256, 256), (256, 176), (128, 64), (1101, 750))

#: What to do about x and y that have changed places, in a keypoint CSV and in other files.
CSV_REMEDY = "if its lists are x before y, make its header name:keypoints_x:keypoints_y"
FILE_REMEDY = "x stands before y in such files; write them in that order"

_SUSPICIOUS = 0.2  # share of the poses that must look wrong before all are refused
_ENOUGH = 10  # poses that must be seen before a frame is called too large
_OFF_CENTRE = 0.1  # heights by which bodies must miss the middle, and
_CENTRED = 0.05  # by which they may miss that of the right frame


def pose_into_photo(pose: NDArray[np.float32], frame: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Carry ``pose`` (18, 2), in pixels of ``frame``, into a photo of ``size``; both (height, width).

    The frame and the photo show the same height and have the same vertical axis, as all frames of the field
    do (256 wide with white borders, the 176 columns between them, the photo in high resolution).
    """
    scale = size[0] / frame[0]
    x = (pose[:, 0] - (frame[1] - 1) / 2) * scale + (size[1] - 1) / 2
    y = (pose[:, 1] + 0.5) * scale - 0.5
    return np.stack([x, y], axis=1).astype(np.float32)


def parsing_into_photo(parsing: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Carry a parsing map (h, w) into a photo of ``size``, (height, width).

    Pixels take the nearest label, and are background where the map does not reach. The same height
    is shown, with the same vertical axis, as `pose_into_photo` has it.
    """
    scale = parsing.shape[0] / size[0]
    rows = ((np.arange(size[0]) + 0.5) * scale).astype(int)
    columns = np.floor((np.arange(size[1]) + 0.5 - size[1] / 2) * scale + parsing.shape[1] / 2).astype(int)
    there = (columns >= 0) & (columns < parsing.shape[1])
    carried = np.zeros(size, dtype=np.uint8)
    carried[:, there] = parsing[rows[:, None], columns[there]]
    return carried


def guess_frame(
    poses: Sequence[NDArray[np.floating]], frames: Sequence[tuple[int, int]] = KNOWN_FRAMES
) -> tuple[int, int] | None:
    """The one of ``frames`` in which ``poses`` stand upright in the middle; None if none does, or several."""
    seen = [points for points in (pose[known_joints(pose)] for pose in poses) if len(points)]
    fitting = [frame for frame in frames if seen and _is_suited(seen, frame)]
    return fitting[0] if len(fitting) == 1 else None


def check_frame(
    poses: Sequence[NDArray[np.floating]], frames: Sequence[tuple[int, int]], source: str, swap_remedy: str = CSV_REMEDY
) -> None:
    """Refuse ``poses`` that cannot belong to ``frames`` (height, width), one each.

    ``source`` names the file of the poses. Raises `InputError` with the likely remedy if in many of them joints lie
    outside the frame, the body lies on its side, if all of them fill no more than a corner of it, or if they are all
    shifted as in another known frame. ``swap_remedy`` is what to do about x and y that have changed places.
    """
    known = [(pose[known_joints(pose)], own) for pose, own in zip(poses, frames, strict=True)]
    seen = [(points, own) for points, own in known if len(points)]
    if not seen:
        if poses:
            raise InputError(f"{source}: every joint of every pose is missing; look at the file")
        return
    points_of = [points for points, _ in seen]
    outside = float(np.mean([not _is_within(points, own) for points, own in seen]))
    if outside > _SUSPICIOUS:
        if np.mean([_is_within(points[:, ::-1], own) for points, own in seen]) > 1 - _SUSPICIOUS:
            finding = f"{outside:.0%} of the poses leave the photo unless x and y change places"
            raise InputError(f"{source}: {finding}; {swap_remedy}")
        raise InputError(
            f"{source}: {outside:.0%} of the poses have joints outside of {_name_frames(frames)}; give the frame "
            f"that they refer to{_suggest_frame(points_of)}",
            option="frame",
        )
    trunks = np.array([pose[[Joint.R_HIP, Joint.L_HIP]].mean(axis=0) - pose[Joint.NECK] for pose in poses])
    trunks = np.abs(trunks[np.isfinite(trunks).all(axis=1)])
    lying = trunks[:, 0] > trunks[:, 1]
    if len(lying) > 1 and lying.mean() > 1 - _SUSPICIOUS:
        raise InputError(f"{source}: {lying.mean():.0%} of the bodies lie on their side; {swap_remedy}")
    _check_shift(seen, source)
    filled = max(float((points / (own[1], own[0])).max()) for points, own in seen)
    if len(seen) >= _ENOUGH and filled < 0.5:
        raise InputError(
            f"{source}: all poses lie in the upper left quarter of {_name_frames(frames)}; give the frame that "
            f"they refer to{_suggest_frame(points_of)}",
            option="frame",
        )


def height_by_width(size: tuple[int, ...]) -> str:
    """ "256x176" for the size (256, 176), (height, width)."""
    return "x".join(map(str, size))


def _is_within(points: NDArray[np.floating], frame: tuple[int, int]) -> bool:
    slack = 0.02 * max(frame)  # detectors and augmentation put a joint a little outside now and then
    high = np.array([frame[1] - 1, frame[0] - 1]) + slack
    return bool((points >= -slack).all() and (points <= high).all())


def _measure_shift(seen: Sequence[NDArray[np.floating]], frames: Sequence[tuple[int, int]]) -> float:
    """How far right of the frame's middle the bodies stand, in heights of the frame: their median."""
    middles = [(np.median(points[:, 0]) + 0.5 - own[1] / 2) / own[0] for points, own in zip(seen, frames, strict=True)]
    return float(np.median(middles))


def _are_within(seen: Sequence[NDArray[np.floating]], frame: tuple[int, int]) -> bool:
    return bool(np.mean([_is_within(points, frame) for points in seen]) > 1 - _SUSPICIOUS)


def _is_suited(seen: Sequence[NDArray[np.floating]], frame: tuple[int, int]) -> bool:
    filled = np.median([np.ptp(points[:, 1]) for points in seen]) > 0.3 * frame[0]
    return bool(_are_within(seen, frame) and filled and abs(_measure_shift(seen, [frame] * len(seen))) < _CENTRED)


def _check_shift(seen: Sequence[tuple[NDArray[np.floating], tuple[int, int]]], source: str) -> None:
    """Refuse poses that all stand off the middle of their frame, as those of another one of the same height do."""
    points, frames = [points for points, _ in seen], [own for _, own in seen]
    shift = _measure_shift(points, frames)
    heights = {own[0] for own in frames}
    if len(seen) < _ENOUGH or abs(shift) < _OFF_CENTRE or len(heights) > 1:
        return
    height = heights.pop()
    for other in KNOWN_FRAMES:
        if other[0] == height and other not in frames and _is_suited(points, other):
            side = "left" if shift < 0 else "right"
            raise InputError(
                f"{source}: all poses are shifted by about {abs(shift) * height:.0f} pixels to the {side} of the "
                f"middle of {_name_frames(frames)}; give their frame, perhaps {height_by_width(other)}",
                option="frame",
            )


def _suggest_frame(seen: Sequence[NDArray[np.floating]]) -> str:
    fitting = [frame for frame in KNOWN_FRAMES if _is_suited(seen, frame)]  # a wrong hint is worse than none
    return f", perhaps {height_by_width(fitting[0])}" if len(fitting) == 1 else ", as HEIGHTxWIDTH"


def _name_frames(frames: Sequence[tuple[int, int]]) -> str:
    return height_by_width(frames[0]) if len(set(frames)) == 1 else "their photos"

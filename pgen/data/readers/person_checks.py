"""Checks of the pose and the parsing map of one photo: the same for photos of data sets, and for a single one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pgen.body.crop import has_same_shape
from pgen.body.joints import HEAD_JOINTS, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import find_spine
from pgen.body.torso import list_missing_limbs
from pgen.data.annotators.choose import SAME_PERSON, PeopleOfPhoto, measure_gap
from pgen.data.formats.parsing_schemes import ParsingScheme, schemes_with
from pgen.data.readers.frames import KNOWN_FRAMES, height_by_width, pose_into_photo
from pgen.errors import InputError

Pose = NDArray[np.floating]
Size = tuple[int, int]

OFF_BODY = "keypoints off the body"
OTHER_FRAME = "keypoints of another frame"
OTHER_LABELS = "labels out of range"

#: Share of the joints that lie on the body below which pose and map are doubtful.
DOUBTFUL = 0.75

_NEAR = 0.01  # heights of the photo by which a joint may miss the body
_OFF_BODY = 0.4  # share of the joints that must lie on the body
_UPRIGHT = 0.35  # of a spine's way that must go down for a person who stands or sits
_ON_BODY = 0.8  # share that shows that a frame is the right one
_JOINTS_TO_JUDGE = 5
_USUAL_HEIGHTS = {224, 320, 384, 480, 512, 640, 720, 768, 1024, 1080, 1280, 1920, 2048}  # of copies of photos
_SAME_SHAPE = 0.08  # of a pose's longer side: how far joints of the same pose lie apart, moved and scaled
_MOVED, _SCALED = 0.25, 1.25  # of that side, and by how much, from which on two poses are not two estimates of one


class MisfitError(InputError):
    """Annotations that cannot be those of a photo; ``reason`` is the same words for all photos that it is said of."""

    def __init__(self, reason: str, message: str, *, option: str | None = None) -> None:
        super().__init__(message, option=option)
        self.reason = reason


def check_within(pose: Pose, size: Size, source: str, photo: str) -> None:
    """Refuse a pose (18, 2) most of whose joints miss the ``photo`` of ``size``: it is in pixels of another frame.

    ``source`` names the pose. Raises `MisfitError` with the likely remedy.
    """
    joints = pose[known_joints(pose)]
    outside = len(find_outside(joints, size))
    if 2 * outside <= len(joints):
        return
    where = (
        f"{source}: {outside} of {len(joints)} joints lie outside of {photo} ({height_by_width(size)}, height x width)"
    )
    if 4 * len(find_outside(joints[:, ::-1], size)) < len(joints):
        raise MisfitError(OTHER_FRAME, f"{where} unless x and y change places; write x before y", option="pose")
    raise MisfitError(
        OTHER_FRAME, f"{where}; give joints in pixels of that photo, or the frame that they refer to", option="frame"
    )


def check_on_body(
    pose: Pose, parsing: NDArray[np.uint8], what: str, source: str, with_doubts: bool = False
) -> str | None:
    """Refuse a pose (18, 2) that does not lie on the body of ``parsing`` (H, W), 0 where nobody is, called ``what``.

    Both are in pixels of the photo. Returns a doubt, if it is ``with_doubts`` and there is one. Raises `MisfitError`
    that names a frame in which the joints would fit, if there is one.
    """
    share = joints_on_body(pose, parsing)
    if share is None or share >= (DOUBTFUL if with_doubts else _OFF_BODY):
        return None
    finding = f"only {share:.0%} of the joints lie on the body of {what}"
    if share >= _OFF_BODY:
        return f"{source}: {finding}; look at it"
    size = (parsing.shape[0], parsing.shape[1])
    frame = _find_frame(pose, size, lambda moved: joints_on_body(moved, parsing) or 0, _ON_BODY)
    if frame is not None:
        raise MisfitError(
            OTHER_FRAME,
            f"{source}: {finding}, but most if they refer to a frame of {frame}; give that",
            option="frame",
        )
    raise MisfitError(
        OFF_BODY, f"{source}: {finding}; give pose and map of the same person in that photo", option="pose"
    )


def check_somebody(pose: Pose, size: Size, people: PeopleOfPhoto, source: str, photo: str) -> str | None:
    """Refuse a pose (18, 2) that nobody in the photo of ``size`` has, as far as those that were found tell.

    Returns a doubt where that is not sure. Raises `MisfitError`, with the frame in which somebody has these joints if
    there is one.
    """
    if people.match(pose) is not None:
        return None
    if not people.found:
        return f"{source}: nobody was found in {photo}, so it is not known whether these are somebody's joints"
    frame = _find_frame(pose, size, lambda moved: -people.measure_distance(moved), -SAME_PERSON)
    nobody = f"{source}: nobody in {photo} has these joints"
    if frame is not None:
        raise MisfitError(
            OTHER_FRAME, f"{nobody}, but somebody if they refer to a frame of {frame}; give that", option="frame"
        )
    if people.match(pose[:, ::-1]) is not None:
        raise MisfitError(OTHER_FRAME, f"{nobody} unless x and y change places; write x before y", option="pose")
    for other in people.found:
        if (how := _describe_move(pose, other.pose)) is not None:
            raise MisfitError(
                OTHER_FRAME,
                f"{nobody}, but somebody if they are {how}; they refer to another frame, or a part of the photo: give "
                "the frame, or joints in pixels of that photo",
                option="frame",
            )
    share = people.measure_share(pose)
    if share is not None and share < _OFF_BODY:
        finding = f"only {share:.0%} of them lie on anybody"
        raise MisfitError(OFF_BODY, f"{nobody}: {finding}; give the pose of a person in that photo", option="pose")
    nearest = min(measure_gap(other.pose, pose) for other in people.found)
    return f"{nobody} exactly: those of the nearest person lie {nearest:.0f} pixels away; look at the result"


def list_pose_doubts(pose: Pose, photo: str, is_given: bool) -> list[str]:
    """What results of a person in ``pose`` (18, 2), of a ``photo``, with shoulders and hips, may suffer from."""
    doubts = []
    if find_spine(pose)[1] < _UPRIGHT:
        doubts.append(f"{photo}: the person lies or is upside down; turn the photo where standing poses are wanted")
    lacking = [*list_missing_limbs(pose), *(["head"] if not known_joints(pose)[list(HEAD_JOINTS)].any() else [])]
    if is_given and lacking:
        doubts.append(f"{photo}: the given pose lacks {', '.join(lacking)}, so that these parts are painted anew")
    return doubts


def check_label_ids(ids: NDArray[np.integer], scheme: ParsingScheme, source: str) -> None:
    """Refuse a map with labels that ``scheme`` does not have. Raises `MisfitError` naming schemes that have all."""
    unknown = scheme.unknown(ids)
    if not unknown.size:
        return
    have = ", ".join(map(str, unknown[:8])) + (", …" if unknown.size > 8 else "")
    others = [name for name in schemes_with(np.unique(ids)) if name != scheme.name]
    remedy = f"; give the scheme that it follows, perhaps {' or '.join(others)}" if others else ""
    low, high = min(scheme.merges), max(scheme.merges)
    raise MisfitError(
        OTHER_LABELS,
        f"{source} has label ids {have}, which {scheme.name} does not have ({low} to {high}){remedy}",
        option="parsing_scheme",
    )


def joints_on_body(pose: Pose, parsing: NDArray[np.uint8]) -> float | None:
    """The share of the joints within the photo that lie on the body, or nearly; None if they are too few to judge.

    ``pose`` (18, 2) and ``parsing`` (H, W) are in the same pixels.
    """
    height, width = parsing.shape
    points = np.rint(pose[known_joints(pose)]).astype(int)
    inside = ((points >= 0) & (points < (width, height))).all(axis=1)
    if inside.sum() < _JOINTS_TO_JUDGE:
        return None
    reach = round(_NEAR * height)
    hits = [
        (parsing[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1] != Label.BACKGROUND).any()
        for x, y in points[inside].tolist()
    ]
    return sum(hits) / len(hits)


def find_outside(pose: Pose, size: Size) -> list[int]:
    """The indices of joints (N, 2) that lie outside of a photo of ``size`` (height, width); missing ones do not."""
    return np.flatnonzero(((pose < -0.5) | (pose > np.array(size[::-1]) - 0.5)).any(axis=1)).tolist()


def _find_frame(pose: Pose, size: Size, measure: Callable[[NDArray[np.float32]], float], least: float) -> str | None:
    """The frame, other than the photo's, in which the pose fits best, at least as well as ``least``; else None.

    The field's frames, and copies of the photo at heights that are usual.
    """
    heights = {height for height, _ in KNOWN_FRAMES} | _USUAL_HEIGHTS
    known = [frame for frame in KNOWN_FRAMES if frame != size]
    copies = [(height, max(1, round(height * size[1] / size[0]))) for height in sorted(heights)]
    frames = known + [
        copy
        for copy in copies
        if copy != size and not any(copy[0] == one[0] and has_same_shape(copy, one) for one in known)
    ]
    given = np.asarray(pose, np.float32)
    fits = {frame: measure(pose_into_photo(given, frame, size)) for frame in frames}
    best = max(fits, key=lambda frame: (fits[frame], has_same_shape(frame, size)))
    return height_by_width(best) if fits[best] >= least else None


def _describe_move(pose: Pose, other: Pose) -> str | None:
    """How ``pose`` must be moved and scaled to be ``other``; None if that does not do, or is no great way."""
    both = known_joints(pose) & known_joints(other)
    if both.sum() < 2 * _JOINTS_TO_JUDGE:
        return None
    given, there = pose[both].astype(np.float64), other[both].astype(np.float64)
    centers = given.mean(0), there.mean(0)
    given_centered, there_centered = given - centers[0], there - centers[1]
    extent, spread = float(np.ptp(there, axis=0).max()), float((given_centered**2).sum())
    if spread <= 0 or extent <= 0:
        return None
    scale = float((given_centered * there_centered).sum()) / spread
    off = np.linalg.norm(scale * given_centered - there_centered, axis=1)
    shift = centers[1] - centers[0]
    if scale <= 0 or float(np.median(off)) > _SAME_SHAPE * extent:
        return None
    if max(scale, 1 / scale) < _SCALED:
        if np.linalg.norm(shift) < _MOVED * extent:
            return None
        return f"moved by {shift[0]:.0f}, {shift[1]:.0f} pixels"
    return f"{scale:.2g} times as large"

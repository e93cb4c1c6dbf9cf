"""Heads: whether one keeps the direction that it has in the photo, and how it is carried to its new place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.joints import FLIP_JOINTS, HEAD_JOINTS, Joint, known_joints, shows_face
from pgen.body.limb_fields import FRONTAL, torso_length
from pgen.body.transfer import measure_head_turns
from pgen.inference.rendering.settings import Head
from pgen.inference.rendering.turned_faces import TurnedFace, find_turned_face

#: Heads whose turns, from −1 to 1, differ by more do not show the same.
_SAME = 0.45
#: Heads whose turns to different sides differ by less are the same in a mirror.
_MIRRORED = 0.25
#: A head that is turned farther is in profile.
_PROFILE = 0.8
_SHOULDERS = [Joint.R_SHOULDER, Joint.L_SHOULDER]


@dataclass(frozen=True)
class HeadPlan:
    """What becomes of a head."""

    pose: NDArray[np.float32]  #: the target pose (18, 2) with the head as it will be
    carry: NDArray[np.float64] | None  #: similarity (2, 3) from the result to the photo; None: it is painted anew
    note: str | None = None  #: what the user should know
    is_turned: bool = False  #: whether it is carried mirrored, to be seen from behind
    face: TurnedFace | None = None  #: of a face that is carried by itself, to a head that is turned farther


def plan_head(source: NDArray[np.floating], target: NDArray[np.floating], wish: Head, is_bundled: bool) -> HeadPlan:
    """What becomes of the head of ``source`` in ``target``, poses (18, 2) in pixels with both shoulders.

    ``is_bundled`` says that the target is one of the poses that come with the package, which mean no direction of this
    person's head unless it is from behind or in profile.
    """
    target = np.asarray(target, np.float32)
    has_head = [bool(known_joints(pose)[list(HEAD_JOINTS)].any()) for pose in (source, target)]
    is_turned = _measure_width(source) * _measure_width(target) < 0
    if not has_head[0]:
        return HeadPlan(target, None)
    if not has_head[1] and not is_turned:
        return replace(_keep_head(source, target), note="the pose shows no head: that of the photo is kept")
    is_away, is_seen = not shows_face(target), shows_face(source)
    turn, own = (_measure_turn(pose) for pose in (target, source))
    if wish == "keep" or (wish == "auto" and is_bundled and is_seen and not is_away and abs(turn) < _PROFILE):
        return _keep_head(source, target)
    if is_away and is_seen and abs(own) < _PROFILE and is_turned:
        return _turn_head(source, target)
    if is_away or not is_seen:
        # From behind there is hair to be seen, which the photo may show as well.
        return _follow_head(source, target) if is_away and not is_seen else HeadPlan(target, None)
    if abs(turn - own) <= _SAME:
        return _follow_head(source, target)
    if abs(turn + own) <= _MIRRORED:
        return _mirror_head(source, target)
    turned = "the head is turned farther than the photo shows it"
    if abs(turn) > abs(own) < _PROFILE and (face := find_turned_face(source, target)) is not None:
        return HeadPlan(target, None, f"{turned}: the face is drawn out to one side", face=face)
    if wish == "follow":
        return HeadPlan(target, None, f"{turned}, so the face is painted anew")
    if abs(turn + own) < abs(turn - own):
        return _mirror_head(source, target)
    kept = "the photo shows less of the head than the pose does: it is kept"
    return replace(_keep_head(source, target), note=kept)


def _keep_head(source: NDArray[np.floating], target: NDArray[np.float32]) -> HeadPlan:
    """The head goes with the neck, as large as the body is."""
    carried, carry = _carry_joints(source, target)
    moved, head = target.copy(), list(HEAD_JOINTS)
    moved[head] = carried[head]
    return HeadPlan(moved, carry)


def _turn_head(source: NDArray[np.floating], target: NDArray[np.float32]) -> HeadPlan:
    """The head goes with the neck, as large as the body is, and is seen from behind: mirrored."""
    mirrored, carry = _carry_joints(source, target, side=-1)
    ears = [joint for joint in (Joint.R_EAR, Joint.L_EAR) if known_joints(source)[joint]]
    moved = target.copy()
    moved[ears] = mirrored[ears]
    return HeadPlan(moved, carry, is_turned=True)


def _mirror_head(source: NDArray[np.floating], target: NDArray[np.float32]) -> HeadPlan:
    """The head goes with the neck, as large as the body is, and looks to the other side: mirrored."""
    mirrored, carry = _carry_joints(source, target, side=-1)
    moved, head = target.copy(), list(HEAD_JOINTS)
    moved[head] = mirrored[np.asarray(FLIP_JOINTS)[head]]
    return HeadPlan(moved, carry, "the head looks to the other side: it is mirrored")


def _carry_joints(
    source: NDArray[np.floating], target: NDArray[np.float32], side: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Joints (18, 2) of ``source`` put onto the neck of ``target``, mirrored with ``side`` −1; the way back (2, 3)."""
    scale = torso_length(target) / max(torso_length(source), 1e-6)
    starts = [np.asarray(pose, np.float64)[_SHOULDERS].mean(axis=0) for pose in (source, target)]
    carry = np.array([[side / scale, 0, 0], [0, 1 / scale, 0]])
    carry[:, 2] = starts[0] - carry[:, :2] @ starts[1]
    return (np.asarray(source, np.float64) - starts[0]) * (side * scale, scale) + starts[1], carry


def _follow_head(source: NDArray[np.floating], target: NDArray[np.float32]) -> HeadPlan:
    """The similarity that brings the head joints that both show together."""
    both = [joint for joint in HEAD_JOINTS if known_joints(source)[joint] and known_joints(target)[joint]]
    if len(both) < 2:
        return _keep_head(source, target) if both else HeadPlan(target, None)
    points, images = target[both].astype(np.float64), np.asarray(source, np.float64)[both]
    return HeadPlan(target, fit_similarity(points, images))


def fit_similarity(points: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
    """The similarity (2, 3) that carries ``points`` (N, 2) nearest to ``images`` (N, 2), in least squares."""
    centers = points.mean(axis=0), images.mean(axis=0)
    point, image = points - centers[0], images - centers[1]
    size = max(float((point**2).sum()), 1e-9)
    along, turned = float((point * image).sum()), float((point[:, 0] * image[:, 1] - point[:, 1] * image[:, 0]).sum())
    linear = np.array([[along, -turned], [turned, along]]) / size
    return np.concatenate([linear, (centers[1] - linear @ centers[0])[:, None]], axis=1)


def _measure_turn(pose: NDArray[np.floating]) -> float:
    """How far the head is turned, −1 to 1; where no ear tells, it looks where a body in profile does."""
    turn = float(measure_head_turns(torch.from_numpy(np.asarray(pose, np.float64))[None])[0])
    if not np.isnan(turn):
        return turn
    looks = pose[Joint.NOSE, 0] - pose[_SHOULDERS, 0].mean()
    is_profile = abs(_measure_width(pose)) <= FRONTAL * torso_length(pose) and np.isfinite(looks)
    return float(_PROFILE * np.sign(looks)) if is_profile else 0.0


def _measure_width(pose: NDArray[np.floating]) -> float:
    """How far the left shoulder is to the right of the right one, pixels: negative from behind."""
    return float(pose[Joint.L_SHOULDER, 0] - pose[Joint.R_SHOULDER, 0])

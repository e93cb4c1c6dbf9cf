"""Targets that leave the photo: made smaller and moved into it, or the photo extended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pgen.body.crop import CropBox
from pgen.body.joints import ARMS, LEGS, Joint, known_joints
from pgen.body.labels import Label
from pgen.body.limb_fields import torso_length
from pgen.data.formats.image_colors import take_off_white
from pgen.inference.person import Person
from pgen.inference.rendering.background import fill_background

#: How far a body reaches beyond its last joints, in torso lengths: heads, hands and feet.
_HEAD, _HAND, _FOOT = 0.42, 0.35, 0.4
#: Poses are moved by no more than this share of the photo's sides: farther up or down, they would not stand any more.
_FARTHEST = 0.08
#: Bodies that are larger than a photo are made smaller, down to so many times their size: a step farther away.
_SMALLEST = 0.88
#: Nobody is told of less than this share of size, or of the photo's sides.
_HARDLY = 0.015

Sides = tuple[int, int, int, int]  #: left, top, right, bottom


def find_extent(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Left, top, right and bottom of a body of ``pose`` (18, 2), pixels."""
    unit, known = torso_length(pose), known_joints(pose)
    reach = np.full(len(pose), 0.1)
    reach[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR]] = _HEAD
    reach[[arm[2] for arm in ARMS]], reach[[leg[2] for leg in LEGS]] = _HAND, _FOOT
    points, around = pose[known], unit * reach[known, None]
    return np.concatenate([(points - around).min(axis=0), (points + around).max(axis=0)]).astype(np.float64)


def move_into(
    pose: NDArray[np.floating], size: tuple[int, int], source: NDArray[np.floating]
) -> tuple[NDArray[np.float32], str | None]:
    """``pose`` (18, 2) moved into a photo of ``size`` (height, width), and what the user should know.

    A body that is a little too large for it becomes smaller. Where the body of ``source`` itself leaves the photo, so
    may the pose.
    """
    extent, own = find_extent(pose), find_extent(source)
    sides = np.array(size[::-1], np.float64)
    low, high = np.minimum(0, own[:2]), np.maximum(sides, own[2:])
    told = []
    scale = float(((high - low) / (extent[2:] - extent[:2])).min())
    if _SMALLEST <= scale < 1:
        ground = np.array([extent[[0, 2]].mean(), extent[3]])
        pose, extent = ground + (pose - ground) * scale, np.tile(ground, 2) + (extent - np.tile(ground, 2)) * scale
        if scale < 1 - _HARDLY:
            told.append(f"made {round(100 * (1 - scale))} % smaller to fit into the photo")
    short, over = np.maximum(low - extent[:2], 0), np.maximum(extent[2:] - high, 0)
    limit = _FARTHEST * sides
    # As far as there is room on the other side.
    back, forth = np.minimum(over, np.maximum(extent[:2] - low, 0)), np.minimum(short, np.maximum(high - extent[2:], 0))
    shift = np.clip(forth - back, -limit, limit)
    left = np.maximum(short - np.maximum(shift, 0), 0) + np.maximum(over - np.maximum(-shift, 0), 0)
    if (left > 0.05 * torso_length(pose)).any():
        told.append("the pose reaches beyond the photo, where the result is cut; extend the frame to show all of it")
    elif (np.abs(shift) > np.maximum(_HARDLY * sides, 1)).any():
        told.append(f"moved by {round(float(np.abs(shift).max()))} pixels to stay in the photo")
    return (pose + shift).astype(np.float32), ", ".join(told) or None


def find_lacking(size: tuple[int, int], poses: Sequence[NDArray[np.floating]]) -> Sides:
    """How many pixels a photo of ``size`` (height, width) lacks on each side to show the bodies of all ``poses``.

    Poses (18, 2) are in its pixels.
    """
    extents = np.stack([find_extent(pose) for pose in poses])
    left, top = np.ceil(np.maximum(-extents[:, :2].min(axis=0), 0)).astype(int).tolist()
    right, bottom = np.ceil(np.maximum(extents[:, 2:].max(axis=0) - size[::-1], 0)).astype(int).tolist()
    return left, top, right, bottom


def extend_person(person: Person, lacking: Sides) -> Person:
    """``person`` in a larger part of the photo, or an extended photo, with all that was ``lacking`` on each side."""
    left, top, right, bottom = lacking
    box, whole = person.crop, person.photo.shape
    wanted = (box.top - top, box.left - left, box.bottom + bottom, box.right + right)
    pad = ((max(0, -wanted[0]), max(0, wanted[2] - whole[0])), (max(0, -wanted[1]), max(0, wanted[3] - whole[1])))
    photo = np.pad(person.photo, (*pad, (0, 0)), mode="edge")
    beyond = np.pad(np.zeros(whole[:2], bool), pad, constant_values=True)
    if beyond.any():
        figure = np.pad(person.expand_parsing(person.parsing) != Label.BACKGROUND, pad)
        photo = np.where(beyond[..., None], fill_background(photo, figure | beyond), photo)
    crop = CropBox(wanted[0] + pad[0][0], wanted[1] + pad[1][0], wanted[2] + pad[0][0], wanted[3] + pad[1][0])
    around = ((top, bottom), (left, right))
    masks = [None if mask is None else np.pad(mask, around) for mask in (person.carried, person.silhouette)]
    pose = (person.pose + np.array([left, top])).astype(np.float32)
    parsing = np.pad(person.parsing, around)
    rgba = None
    if person.rgba is not None:
        alpha = np.pad(person.rgba[..., 3:], (*pad, (0, 0)), mode="edge")
        around_photo = take_off_white(photo, alpha[..., 0])
        own = np.pad(person.rgba[..., :3], (*pad, (0, 0)))
        rgba = np.dstack([np.where(beyond[..., None], around_photo, own), alpha])
    return replace(
        person, photo=photo, rgba=rgba, crop=crop, pose=pose, parsing=parsing, carried=masks[0], silhouette=masks[1]
    )

"""The ten body parts of one pose: their masks, and the affine that carries each from one pose to another.

The parts and constants are those of deformable skip connections (Siarohin et al., *Deformable GANs for
pose-based human image generation*, CVPR 2018), which SPT uses. The batched form is in ``batched``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgen.body.affine import NOWHERE, fit_affine
from pgen.body.joints import HEAD_JOINTS, TORSO_JOINTS, Joint, known_joints
from pgen.body.raster import polygon_mask

#: The limbs as (from, to, is it a calf or forearm); right and left alternate.
LIMBS: tuple[tuple[Joint, Joint, bool], ...] = (
    (Joint.R_HIP, Joint.R_KNEE, False),
    (Joint.L_HIP, Joint.L_KNEE, False),
    (Joint.R_KNEE, Joint.R_ANKLE, True),
    (Joint.L_KNEE, Joint.L_ANKLE, True),
    (Joint.R_SHOULDER, Joint.R_ELBOW, False),
    (Joint.L_SHOULDER, Joint.L_ELBOW, False),
    (Joint.R_ELBOW, Joint.R_WRIST, True),
    (Joint.L_ELBOW, Joint.L_WRIST, True),
)
PARTS: tuple[str, ...] = (
    "body",
    "head",
    "r_thigh",
    "l_thigh",
    "r_calf",
    "l_calf",
    "r_upper_arm",
    "l_upper_arm",
    "r_forearm",
    "l_forearm",
)
PART_COUNT = len(PARTS)

#: ``quads[MIRRORED_LIMBS]`` swaps right and left limbs.
MIRRORED_LIMBS: tuple[int, ...] = (1, 0, 3, 2, 5, 4, 7, 6)

#: How far limbs are lengthened at either end, and calves and forearms at their far end.
EXTEND = 0.1
MASK_EXTEND = 0.5
TRANSFORM_EXTEND = 0.3
#: Half the width of a limb, and half the side of the head square, in torso lengths.
LIMB_HALF_WIDTH = 0.2
HEAD_HALF_SIDE = 0.4

#: Corners that carry the whole body, and the shoulders that steady the head.
BODY_CORNERS: tuple[Joint, ...] = (Joint.R_HIP, Joint.L_HIP, Joint.L_SHOULDER, Joint.R_SHOULDER)
SHOULDERS: tuple[Joint, ...] = (Joint.R_SHOULDER, Joint.L_SHOULDER)


def torso_length(pose: NDArray[np.floating]) -> float:
    """Root mean square of both shoulder–hip distances, in pixels; 0 unless all four joints are known.

    Limbs of such a pose count as unknown and its head has no square. ``torso.complete_torso`` fills the gaps.
    """
    if not known_joints(pose)[list(TORSO_JOINTS)].all():
        return 0.0
    right_shoulder, left_shoulder, right_hip, left_hip = np.asarray(pose, np.float64)[list(TORSO_JOINTS)]
    squares = ((right_hip - right_shoulder) ** 2).sum() + ((left_hip - left_shoulder) ** 2).sum()
    return float(np.sqrt(squares / 2))


def limb_quads(pose: NDArray[np.floating], extend: float) -> NDArray[np.float64]:
    """Corners of the eight limbs' rectangles: float64 (8, 4, 2), (x, y) in pixels.

    NaN where one of the limb's joints is missing, and everywhere if the torso length is 0.

    ``extend`` is the share by which calves and forearms are lengthened beyond ankle and wrist, to cover feet
    and hands: MASK_EXTEND or TRANSFORM_EXTEND.
    """
    joints = np.asarray(pose, dtype=np.float64)
    start = joints[[limb[0] for limb in LIMBS]]
    end = joints[[limb[1] for limb in LIMBS]]
    share = np.array([[extend if limb[2] else EXTEND] for limb in LIMBS])
    start = start + EXTEND * (start - end)
    end = end + share * (end - start)
    along = start - end
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    half = LIMB_HALF_WIDTH * (torso_length(pose) or np.nan) * normal
    return np.stack([start + half, start - half, end - half, end + half], axis=1)


def head_box(pose: NDArray[np.floating], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The head square clipped to the frame: (left, top, right, bottom) in pixels, right and bottom excluded.

    Centred on the whole-numbered mean of the known head joints. None if no head joint or not the whole torso
    is known, or nothing of the square lies in the frame of ``size`` (height, width).
    """
    head = np.asarray(pose, dtype=np.float64)[list(HEAD_JOINTS)]
    head = head[known_joints(head)]
    half = int(HEAD_HALF_SIDE * torso_length(pose))
    if len(head) == 0:
        return None
    x, y = (int(value) for value in head.mean(axis=0))
    left, top = max(x - half, 0), max(y - half, 0)
    right, bottom = min(x + half, size[1]), min(y + half, size[0])
    return (left, top, right, bottom) if left < right and top < bottom else None


def part_corners(pose: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float64]:
    """Corners of the ten parts in a frame of ``size`` (height, width): float64 (10, 4, 2), (x, y) in pixels.

    Of the body its hips and shoulders (BODY_CORNERS), of the head its box, clockwise from the left top, of limbs the
    rectangles that `part_affines` carries to one another. NaN where a part's joints are missing.
    """
    corners = np.full((PART_COUNT, 4, 2), np.nan)
    body = np.asarray(pose, dtype=np.float64)[list(BODY_CORNERS)]
    if known_joints(body).all():
        corners[0] = body
    box = head_box(pose, size)
    if box is not None:
        left, top, right, bottom = box
        corners[1] = (left, top), (right, top), (right, bottom), (left, bottom)
    corners[2:] = limb_quads(pose, TRANSFORM_EXTEND)
    return corners


def part_masks(pose: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where each part of ``pose`` is in a frame of ``size`` (height, width): bool (10, height, width).

    The whole body's mask is all ones; a part with an unknown joint is empty.
    """
    masks = np.zeros((PART_COUNT, *size), dtype=bool)
    masks[0] = True
    box = head_box(pose, size)
    if box is not None:
        left, top, right, bottom = box
        masks[1, top:bottom, left:right] = True
    for mask, quad in zip(masks[2:], limb_quads(pose, MASK_EXTEND), strict=True):
        mask[:] = polygon_mask(quad, size)
    return masks


def part_affines(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """For each part the affine from pixels of ``target`` to pixels of ``source``, both (18, 2).

    This is the direction in which an image is warped: where in the source to look for a pixel of the target.
    A limb missing in the source borrows the source's mirrored limb.

    Returns:
        float64 (10, 2, 3) on (x, y, 1); NOWHERE for parts that cannot be found.
    """
    affines = np.tile(NOWHERE, (PART_COUNT, 1, 1))
    quads, images = limb_quads(target, TRANSFORM_EXTEND), limb_quads(source, TRANSFORM_EXTEND)
    images = np.where(np.isnan(images), images[list(MIRRORED_LIMBS)], images)
    body = list(BODY_CORNERS)
    both = known_joints(source) & known_joints(target)
    head = [joint for joint in HEAD_JOINTS if both[joint]]
    head_and_shoulders = [*head, *SHOULDERS] if head else []
    pairs = [(target[body], source[body]), (target[head_and_shoulders], source[head_and_shoulders])]
    for part, (points, positions) in enumerate([*pairs, *zip(quads, images, strict=True)]):
        if np.isfinite(points).all() and np.isfinite(positions).all():
            fitted = fit_affine(points, positions)
            affines[part] = NOWHERE if fitted is None else fitted
    return affines


def face_affine(pose: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float64]:
    """The affine (2, 3) from a frame of ``size`` (height, width) to the head box; it crops the face.

    Corner to corner: (0, 0) to the box's (left, top), (width, height) to its (right, bottom). NOWHERE without
    a box.
    """
    box = head_box(pose, size)
    if box is None:
        return NOWHERE.copy()
    left, top, right, bottom = box
    return np.array([[(right - left) / size[1], 0.0, left], [0.0, (bottom - top) / size[0], top]])

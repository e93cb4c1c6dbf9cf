"""The geometry of one pose, in numpy, as it is defined: what the batched functions are held against."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import ndimage
from skimage.measure import grid_points_in_poly

from pgen.body.affine import NOWHERE, SINGULAR
from pgen.body.heatmaps import SIGMA
from pgen.body.joints import BONES, HEAD_JOINTS, TORSO_JOINTS, known_joints
from pgen.body.masks import CLOSING, RADIUS
from pgen.body.parts import (
    BODY_CORNERS,
    EXTEND,
    HEAD_HALF_SIDE,
    LIMB_HALF_WIDTH,
    LIMBS,
    MASK_EXTEND,
    MIRRORED_LIMBS,
    PART_COUNT,
    SHOULDERS,
    TRANSFORM_EXTEND,
)
from pgen.body.raster import RIM


def heatmaps(pose: np.ndarray, size: tuple[int, int], sigma: float = SIGMA) -> np.ndarray:
    """One channel a joint, exp(−d²/2σ²) for d the distance from it in pixels; zeros where it is missing."""
    there = known_joints(pose)[:, None]
    centers = np.where(there, np.asarray(pose, dtype=np.float64), 0)
    across = np.exp(-((np.arange(size[1]) - centers[:, :1]) ** 2) / (2 * sigma**2))
    down = np.exp(-((np.arange(size[0]) - centers[:, 1:]) ** 2) / (2 * sigma**2)) * there
    return np.einsum("jy,jx->jyx", down, across).astype(np.float32)


def torso_length(pose: np.ndarray) -> float:
    """Root mean square of both shoulder–hip distances, in pixels; 0 unless all four joints are known."""
    if not known_joints(pose)[list(TORSO_JOINTS)].all():
        return 0.0
    right_shoulder, left_shoulder, right_hip, left_hip = np.asarray(pose, np.float64)[list(TORSO_JOINTS)]
    squares = ((right_hip - right_shoulder) ** 2).sum() + ((left_hip - left_shoulder) ** 2).sum()
    return float(np.sqrt(squares / 2))


def limb_quads(pose: np.ndarray, extend: float) -> np.ndarray:
    """Corners of the eight limbs' rectangles: float64 (8, 4, 2), (x, y) in pixels."""
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


def head_box(pose: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The head square clipped to the frame: (left, top, right, bottom) in pixels, right and bottom excluded."""
    head = np.asarray(pose, dtype=np.float64)[list(HEAD_JOINTS)]
    head = head[known_joints(head)]
    half = int(HEAD_HALF_SIDE * torso_length(pose))
    if len(head) == 0:
        return None
    x, y = (int(value) for value in head.mean(axis=0))
    left, top = max(x - half, 0), max(y - half, 0)
    right, bottom = min(x + half, size[1]), min(y + half, size[0])
    return (left, top, right, bottom) if left < right and top < bottom else None


def part_corners(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Corners of the ten parts in a frame of ``size`` (height, width): float64 (10, 4, 2), (x, y) in pixels."""
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


def part_masks(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where each part of ``pose`` is in a frame of ``size`` (height, width): bool (10, height, width)."""
    masks = np.zeros((PART_COUNT, *size), dtype=bool)
    masks[0] = True
    box = head_box(pose, size)
    if box is not None:
        left, top, right, bottom = box
        masks[1, top:bottom, left:right] = True
    for mask, quad in zip(masks[2:], limb_quads(pose, MASK_EXTEND), strict=True):
        mask[:] = fill_polygon(quad, size)
    return masks


def part_affines(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """For each part the affine from pixels of ``target`` to pixels of ``source``, both (18, 2)."""
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


def face_affine(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The affine (2, 3) from a frame of ``size`` (height, width) to the head box; it crops the face."""
    box = head_box(pose, size)
    if box is None:
        return np.array(NOWHERE)
    left, top, right, bottom = box
    return np.array([[(right - left) / size[1], 0.0, left], [0.0, (bottom - top) / size[0], top]])


def pose_mask(pose: np.ndarray, size: tuple[int, int], radius: float = RADIUS) -> np.ndarray:
    """The silhouette M_p of SPT: bool (height, width)."""
    joints = np.asarray(pose, dtype=np.float64)
    mask = np.zeros(size, dtype=bool)
    for triangle in combinations(TORSO_JOINTS, 3):
        if np.isfinite(joints[list(TORSO_JOINTS)]).all():
            mask |= fill_polygon(joints[list(triangle)], size)
    grid = np.stack(np.broadcast_arrays(np.arange(size[1]), np.arange(size[0])[:, None]), axis=-1)
    for start, end in BONES:
        if np.isfinite(joints[[start, end]]).all():
            mask |= distance_from_bone(grid, joints[start], joints[end]) <= radius + RIM
    return close(mask)


def close(mask: np.ndarray) -> np.ndarray:
    """The closing with a square, for which nothing beyond the frame counts."""
    square = np.ones((CLOSING, CLOSING), dtype=bool)
    closed: np.ndarray = ndimage.binary_erosion(ndimage.binary_dilation(mask, square), square, border_value=1)
    return closed


#: Of the field's mask, joints counted from 1: the pairs of them that are joined.
FIELD_PAIRS = (
    "2-3 2-6 3-4 4-5 6-7 7-8 2-9 9-10 10-11 2-12 12-13 13-14 2-1 1-15 15-17 1-16 16-18 2-17 2-18 9-12 12-6 9-3 17-18"
)


def field_mask(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mask of published mask-SSIM: rectangles and discs of radius 4 in any frame, closed: bool (height, width)."""
    joints, mask = np.asarray(pose, dtype=np.float64), np.zeros(size, dtype=bool)
    for pair in FIELD_PAIRS.split():
        start, end = (joints[int(joint) - 1] for joint in pair.split("-"))
        along = end - start
        if np.isfinite(along).all() and np.linalg.norm(along):
            half = 4 * np.array([-along[1], along[0]]) / np.linalg.norm(along)
            mask |= fill_polygon(np.array([start + half, start - half, end - half, end + half]), size)
    grid = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), axis=-1)
    for joint in joints[known_joints(pose)]:
        mask |= np.linalg.norm(grid - joint, axis=-1) < 4 - RIM
    return close(mask)


def distance_from_bone(grid: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of every point (..., 2) from the segment between ``start`` and ``end``."""
    bone = end - start
    along = (grid - start) @ bone / np.maximum(bone @ bone, 1e-12)
    nearest = start + np.clip(along, 0, 1)[..., None] * bone
    distances: np.ndarray = np.linalg.norm(grid - nearest, axis=-1)
    return distances


def fit_affine(points: np.ndarray, images: np.ndarray) -> np.ndarray | None:
    """The affine that carries ``points`` (N, 2) to ``images`` (N, 2), N >= 3: float64 (2, 3)."""
    count = len(points)
    if count < 3:
        return None
    from_points, p = normalize(np.asarray(points, dtype=np.float64))
    from_images, q = normalize(np.asarray(images, dtype=np.float64))
    if abs(np.linalg.det(q.T @ p / count)) <= SINGULAR:
        return None
    equations = np.zeros((2 * count, 7))
    equations[:count, 0:2], equations[:count, 2] = p, 1
    equations[count:, 3:5], equations[count:, 5] = p, 1
    equations[:count, 6], equations[count:, 6] = q[:, 0], q[:, 1]
    solution = np.linalg.svd(equations)[2][-1]
    normalized = np.vstack([-(solution[:6] / solution[6]).reshape(2, 3), [0, 0, 1]])
    fitted: np.ndarray = (np.linalg.inv(from_images) @ normalized @ from_points)[:2]
    return fitted


def normalize(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (3, 3) matrix that centers and scales ``points``, and the points so normalized."""
    center = points.mean(axis=0)
    scale = np.sqrt(2 / max(((points - center) ** 2).sum(axis=1).mean(), 1e-30))
    matrix = np.array([[scale, 0, -scale * center[0]], [0, scale, -scale * center[1]], [0, 0, 1]])
    return matrix, (points - center) * scale


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``points`` (..., 2) carried by ``affine`` (2, 3)."""
    return points @ affine[:, :2].T + affine[:, 2]


def fill_polygon(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels in the polygon with ``corners`` (N, 2) of (x, y): bool (height, width), none if any is NaN."""
    if not np.isfinite(corners).all():
        return np.zeros(size, dtype=bool)
    return grid_points_in_poly(size, corners[:, ::-1])

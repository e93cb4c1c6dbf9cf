"""A pose given to another body: the bones of one person in the directions that another person's have.

Bones in a picture are foreshortened, and by how much is not known. A body's bones are taken to be as long as the longer
of left and right, or, if both are foreshortened or missing, as a usual body of that size has them; the same
foreshortening is then given to the other body's bones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import ARMS, HEAD_JOINTS, JOINT_COUNT, LEGS, Joint, known_joints

Pose = NDArray[np.floating]

#: Lengths of a usual body's bones in lengths of the spine (between shoulders to between hips), by the bones' ends.
#: Medians of synthetic people whose bones lie in the picture's plane.
_USUAL: dict[str, float] = {
    "spine": 1.0,
    "shoulder": 0.32,
    "hip": 0.21,
    "upper arm": 0.62,
    "forearm": 0.48,
    "thigh": 1.0,
    "shin": 0.88,
    "head": 0.54,
}

# Bones that are shorter than this share of a usual one's are taken for foreshortened, longer ones for the body's own.
_OWN_LENGTH = 0.8

#: The middle of the hips, from which all hangs: a row after those of the joints.
_ROOT = JOINT_COUNT

#: Each joint's parent and the bone between them, parents first. Shoulders hang on the neck.
_TREE: tuple[tuple[int, int, str], ...] = (
    (Joint.NECK, _ROOT, "spine"),
    *((shoulder, Joint.NECK, "shoulder") for shoulder, _, _ in ARMS),
    *((elbow, shoulder, "upper arm") for shoulder, elbow, _ in ARMS),
    *((wrist, elbow, "forearm") for _, elbow, wrist in ARMS),
    *((hip, _ROOT, "hip") for hip, _, _ in LEGS),
    *((knee, hip, "thigh") for hip, knee, _ in LEGS),
    *((ankle, knee, "shin") for _, knee, ankle in LEGS),
    *((joint, Joint.NECK, "head") for joint in HEAD_JOINTS),
)
_SHOULDERS, _HIPS = [Joint.R_SHOULDER, Joint.L_SHOULDER], [Joint.R_HIP, Joint.L_HIP]
_ANKLES = [Joint.R_ANKLE, Joint.L_ANKLE]


def measure_bones(poses: Sequence[Pose]) -> dict[str, float]:
    """How long a body's bones are where they are not foreshortened, in pixels, by the names of the bones.

    Of one body, seen in poses (18, 2) of one scale that each have both shoulders and both hips. Raises ValueError for
    poses without, and for a body without extent.
    """
    seen = {bone: max(_measure_longest(pose, bone) for pose in poses) for bone in _USUAL}
    # What is foreshortened least gives the size; a head turned down or hips in side view do not make it smaller.
    size = max(seen["spine"], *(seen[bone] / _USUAL[bone] * 0.8 for bone in ("thigh", "shin", "shoulder")))
    if not np.isfinite(size) or size <= 0:
        raise ValueError("the poses have no torso")
    return {
        bone: seen[bone] if seen[bone] >= _OWN_LENGTH * usual * size else usual * size for bone, usual in _USUAL.items()
    }


def retarget_motion(targets: Sequence[Pose], source: Pose) -> list[NDArray[np.float32]]:
    """Poses of one person, in one frame, with the body of ``source``: (18, 2) of (x, y) in pixels of the source.

    Directions and foreshortening of bones are the targets', their lengths the source's. The first pose takes the place
    of the source: if both ankles are known in both, they stand at the same height, and hips above each other; else the
    middles of the torsos coincide. The others move from there as the targets do, in proportion. Joints that a target
    lacks stay missing. All need both shoulders and both hips, or ValueError is raised.
    """
    if not targets:
        return []
    source_bones, target_bones = measure_bones([source]), measure_bones(targets)
    ratios = {bone: source_bones[bone] / target_bones[bone] for bone in _USUAL}
    bodies = [_rebuild_body(np.asarray(target, np.float64), ratios) for target in targets]
    first, start = _find_root(targets[0]), _find_place(bodies[0], np.asarray(source, np.float64))
    return [
        (body + start + ratios["spine"] * (_find_root(target) - first)).astype(np.float32)
        for body, target in zip(bodies, targets, strict=True)
    ]


def _rebuild_body(target: NDArray[np.float64], ratios: Mapping[str, float]) -> NDArray[np.float64]:
    """The target with bones longer by ``ratios``, around the middle of its hips at (0, 0)."""
    places = _add_root(target)
    result = np.zeros_like(places)
    for joint, parent, bone in _TREE:
        # A limb goes on from the nearest joint that is known.
        start = parent
        while not np.isfinite(places[start]).all():
            start = next(above for child, above, _ in _TREE if child == start)
        result[joint] = result[start] + ratios[bone] * (places[joint] - places[start])
    return np.where(known_joints(target)[:, None], result[:_ROOT], np.nan)


def _find_place(body: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the middle of the hips goes, of a body with it at (0, 0)."""
    place = _find_root(source)
    if known_joints(body)[_ANKLES].all() and known_joints(source)[_ANKLES].all():
        place = np.array((place[0], source[_ANKLES, 1].max() - body[_ANKLES, 1].max()))
    else:
        place = place + (source[_SHOULDERS].mean(axis=0) - place) / 2 - body[_SHOULDERS].mean(axis=0) / 2
    return place


def _find_root(pose: Pose) -> NDArray[np.float64]:
    return np.asarray(pose, np.float64)[_HIPS].mean(axis=0)


def _add_root(pose: Pose) -> NDArray[np.float64]:
    """The joints, with the neck midway between the shoulders if it is missing, and the middle of the hips: (19, 2)."""
    places = np.vstack([np.asarray(pose, np.float64), _find_root(pose)])
    if not np.isfinite(places[Joint.NECK]).all():
        places[Joint.NECK] = places[_SHOULDERS].mean(axis=0)
    return places


def _measure_longest(pose: Pose, bone: str) -> float:
    """The longer of both sides' bones, pixels; 0 if neither is known."""
    places = _add_root(pose)
    root, middle = places[_ROOT], places[_SHOULDERS].mean(axis=0)
    if not np.isfinite([root, middle]).all():
        raise ValueError("a pose lacks shoulders or hips; complete it first")
    if bone == "spine":
        return float(np.linalg.norm(middle - root))
    lengths = [np.linalg.norm(places[joint] - places[parent]) for joint, parent, name in _TREE if name == bone]
    return float(np.nanmax([0.0, *lengths]))

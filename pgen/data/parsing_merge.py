"""Parsing maps of other conventions merged into the ten labels, with the pose's help where ids alone do not say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known
from pgen.body.labels import LABEL_COUNT, Label
from pgen.data.parsing_schemes import ARM, DRESS, LEG, RULES, ParsingScheme, label_table
from pgen.errors import InputError

_SIDES = {
    ARM: (
        (Label.L_ARM, (Joint.L_SHOULDER, Joint.L_ELBOW, Joint.L_WRIST)),
        (Label.R_ARM, (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST)),
    ),
    LEG: (
        (Label.L_LEG, (Joint.L_HIP, Joint.L_KNEE, Joint.L_ANKLE)),
        (Label.R_LEG, (Joint.R_HIP, Joint.R_KNEE, Joint.R_ANKLE)),
    ),
}


def merge(
    ids: NDArray[np.integer], scheme: ParsingScheme, pose: NDArray[np.floating] | None = None
) -> NDArray[np.uint8]:
    """``ids`` (H, W) of ``scheme`` as a parsing map uint8 (H, W), label ids 0-9.

    ``pose``, (18, 2) in pixels of the map, splits a dress at the hips into upper clothes and skirt, and gives arms and
    legs without a side to the nearer limb. Raises `InputError` for ids that the scheme does not have, and where the
    pose is needed but lacks the joints.
    """
    unknown = scheme.unknown(ids)
    if unknown.size:
        shown = ", ".join(str(value) for value in unknown[:8]) + (", …" if unknown.size > 8 else "")
        raise InputError(f"label ids {shown}, which {scheme.name} does not have ({_span(scheme)})")
    codes = label_table(scheme)[ids]
    if codes.max(initial=0) < LABEL_COUNT:
        return codes
    merged = np.where(codes < LABEL_COUNT, codes, Label.BACKGROUND).astype(np.uint8)
    for index, rule in enumerate(RULES):
        rows, columns = np.nonzero(codes == LABEL_COUNT + index)
        if len(rows):
            points = np.stack([columns, rows], axis=1).astype(np.float64)
            merged[rows, columns] = _dress(points, pose) if rule == DRESS else _sides(points, pose, rule)
    return merged


def _dress(points: NDArray[np.float64], pose: NDArray[np.floating] | None) -> NDArray[np.uint8]:
    """Upper clothes above the line through the middle of the hips, square to the trunk; skirt below."""
    hips = _mean(pose, (Joint.R_HIP, Joint.L_HIP))
    if hips is None:
        raise InputError("a dress, which is split at the hips, and a pose without them")
    top = _mean(pose, (Joint.R_SHOULDER, Joint.L_SHOULDER))
    top = top if top is not None else _mean(pose, (Joint.NECK,))
    down = hips - top if top is not None and (hips != top).any() else np.array([0.0, 1.0])
    return np.where((points - hips) @ down < 0, Label.UPPER, Label.SKIRT).astype(np.uint8)


def _sides(points: NDArray[np.float64], pose: NDArray[np.floating] | None, rule: str) -> NDArray[np.uint8]:
    """The limb that each point is nearest to; the only known one if the other is not there."""
    distances = [
        (label, _distance(points, pose[list(joints)][known(pose)[list(joints)]]))
        for label, joints in _SIDES[rule]
        if pose is not None and known(pose)[list(joints)].any()
    ]
    if not distances:
        raise InputError(f"{rule}s without a side, and a pose without {rule}s to tell it")
    nearest = np.argmin([distance for _, distance in distances], axis=0)
    return np.array([label for label, _ in distances], np.uint8)[nearest]


def _distance(points: NDArray[np.float64], limb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance of each point (N, 2) from the line through the joints of ``limb`` (1 to 3, 2)."""
    bones = list(pairwise(limb)) or [(limb[0], limb[0])]
    found = []
    for start, end in bones:
        bone = (end - start).astype(np.float64)
        along = np.clip((points - start) @ bone / max(float(bone @ bone), 1e-12), 0, 1)
        found.append(np.linalg.norm(points - start - along[:, None] * bone, axis=1))
    return np.min(found, axis=0)


def _mean(pose: NDArray[np.floating] | None, joints: Sequence[Joint]) -> NDArray[np.float64] | None:
    if pose is None:
        return None
    there = [joint for joint in joints if known(pose)[joint]]
    return np.asarray(pose, np.float64)[there].mean(axis=0) if there else None


def _span(scheme: ParsingScheme) -> str:
    low, high = min(scheme.merges), max(scheme.merges)
    return f"{low} to {high}" if len(scheme.merges) == high - low + 1 else ", ".join(map(str, sorted(scheme.merges)))

"""Parsing maps of other conventions merged into the ten labels, with the pose's help where ids alone do not say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import Joint, known_joints
from pgen.body.labels import LABEL_COUNT, Label
from pgen.body.sides import find_nearest_sides, find_nearest_skin
from pgen.data.formats.parsing_schemes import DRESS, RULES, SKIN, ParsingScheme, label_table
from pgen.errors import InputError


def merge_labels(
    ids: NDArray[np.integer], scheme: ParsingScheme, pose: NDArray[np.floating] | None = None
) -> NDArray[np.uint8]:
    """``ids`` (H, W) of ``scheme`` as a parsing map uint8 (H, W), label ids 0-9.

    ``pose``, (18, 2) in pixels of the map, splits a dress at the hips into upper clothes and skirt, gives arms and legs
    without a side to the nearer limb, and skin to the nearest of head, arms and legs. Raises `InputError` for ids that
    the scheme does not have, and where the pose is needed but lacks the joints.
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
            share_out = {DRESS: _dress, SKIN: _skin}.get(rule, partial(_sides, rule=rule))
            merged[rows, columns] = share_out(points, pose)
    return merged


def find_carried(ids: NDArray[np.integer], scheme: ParsingScheme) -> NDArray[np.uint8] | None:
    """1 where ``ids`` (H, W) of ``scheme`` are things that are carried, uint8; None if the scheme does not tell."""
    return None if scheme.carried is None else np.isin(ids, list(scheme.carried)).astype(np.uint8)


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
    found = None if pose is None else find_nearest_sides(points, pose, rule)
    if found is None:
        raise InputError(f"{rule}s without a side, and a pose without {rule}s to tell it")
    return found[0]


def _skin(points: NDArray[np.float64], pose: NDArray[np.floating] | None) -> NDArray[np.uint8]:
    """Face, arms or legs: whichever has the bone nearest to each point (N, 2)."""
    found = None if pose is None else find_nearest_skin(points, pose)
    if found is None:
        raise InputError("skin, which is shared out among face, arms and legs, and a pose without any of them")
    return found


def _mean(pose: NDArray[np.floating] | None, joints: Sequence[Joint]) -> NDArray[np.float64] | None:
    if pose is None:
        return None
    there = [joint for joint in joints if known_joints(pose)[joint]]
    return np.asarray(pose, np.float64)[there].mean(axis=0) if there else None


def _span(scheme: ParsingScheme) -> str:
    low, high = min(scheme.merges), max(scheme.merges)
    return f"{low} to {high}" if len(scheme.merges) == high - low + 1 else ", ".join(map(str, sorted(scheme.merges)))

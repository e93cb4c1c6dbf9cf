"""Trousers, shorts and skirts, and their lengths, in a parsing map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.measure import grid_points_in_poly

from pgen.body.edits.settle import Mask, ParsingMap, Pose, Settings, settle
from pgen.body.hidden_legs import ANKLE_HEIGHT
from pgen.body.labels import Label
from pgen.body.limb_fields import complete_legs, find_spine, measure_limb, place_on_limb, torso_length
from pgen.errors import InputError

#: The label of each garment and how long it is if nothing is said: 0 hip, 1 knee, 2 ankle.
LOWER: dict[str, tuple[Label, float]] = {
    "pants": (Label.PANTS, 2.0),
    "shorts": (Label.PANTS, 0.7),
    "skirt": (Label.SKIRT, 0.95),
}
#: Lengths by name.
LENGTHS = {"mini": 0.55, "short": 0.7, "knee": 1.0, "midi": 1.45, "full": 2.0}

_LEGS = (Label.R_LEG, Label.L_LEG)
_GARMENTS = (Label.PANTS, Label.SKIRT)
# Feet begin here; no garment covers them.
_FOOT = 1.97
# Shoes may reach up to here. How far below a hem legs are looked for, in lengths of a bone, and in how many steps.
_ANKLE, _FOLLOWED, _STEPS = 1.7, 0.5, 48
# Half the width, in torso lengths, of bare legs and of trousers, at hip, crotch, knee, calf and ankle.
_PLACES = (0.0, 0.22, 1.0, 1.4, 2.0)
_LEG_HALF = (0.17, 0.158, 0.115, 0.105, 0.075)
_TROUSER_HALF = (0.24, 0.18, 0.145, 0.13, 0.115)
# By how much trousers are wider than bare legs.
_WIDER = 0.03
# Half the width of a skirt at the hip, and how much wider it is one thigh farther down.
_SKIRT_HALF, _FLARE = 0.19, 0.06
# Skirts that lack less of their length, in lengths of a bone, are long enough.
_HARDLY = 0.06
# By how much more another skirt that is worn may make it wider.
_WIDEST = 0.15


def find_lower_garment(parsing: ParsingMap) -> Label | None:
    """Pants or skirt, whichever ``parsing`` shows more of; None if neither."""
    counts = {label: int((parsing == label).sum()) for label in _GARMENTS}
    label = max(_GARMENTS, key=lambda label: counts[label])
    return label if counts[label] else None


def warn_of_assumed_legs(pose: Pose) -> list[str]:
    """A line that names the joints of legs that ``pose`` (18, 2) lacks, if there are any."""
    _, assumed = complete_legs(pose)
    return [f"{', '.join(assumed)} missing: the legs are assumed to continue straight on"] if assumed else []


def edit_lower(parsing: ParsingMap, pose: Pose, edits: Settings) -> ParsingMap:
    """``parsing`` (H, W) with the garment ``edits["lower"]``, else the one it shows, of ``edits["length"]``.

    A garment is a name of `LOWER`; a length is a name of `LENGTHS` or a share of the leg's, else the garment's usual.
    Raises `InputError` if there is no garment, or the picture or pose shows too little.
    """
    kind, length = LOWER.get(str(edits.get("lower")), (find_lower_garment(parsing), 0.0))
    if kind is None:
        raise InputError("the length cannot be edited: the map shows neither pants nor skirt; name lower= as well")
    if "length" in edits:
        length = place_on_limb(edits["length"], LENGTHS)
    return settle(lambda parsing: replace_lower_garment(parsing, pose, kind, length), parsing)


def replace_lower_garment(parsing: ParsingMap, pose: Pose, kind: Label, length: float) -> ParsingMap:
    """``parsing`` (H, W) with pants or a skirt that reach ``length`` along the legs: 0 hip, 1 knee, 2 ankle.

    What is worn above the hips, hands and feet stay as they are. A skirt covers what lies between the legs; below a
    hem is bare leg, as wide as it comes out from under the old hem, and background where the garment was wider.
    ``kind`` is `Label.PANTS` (shorts are short ones) or `Label.SKIRT`. Raises `InputError` if nothing below the waist
    is in the picture, or the torso is not known.
    """
    size, unit = (parsing.shape[0], parsing.shape[1]), torso_length(pose)
    if not unit:
        raise InputError("what is worn below cannot be edited: shoulders or hips are not known")
    if not np.isin(parsing, (*_GARMENTS, *_LEGS)).any():
        raise InputError("what is worn below cannot be edited: the map shows neither pants, skirt nor legs")
    chains, _ = complete_legs(pose)
    fields = [measure_limb(chain, size, unit) for chain in chains]
    left_nearer = fields[1].distance < fields[0].distance
    left = np.where(np.isin(parsing, _LEGS), parsing == Label.L_LEG, left_nearer)
    along = np.where(left, fields[1].along, fields[0].along)
    distance = np.where(left, fields[1].distance, fields[0].distance)
    feet = [measure_limb(_reach_ground(chain, unit), size, unit).distance for chain in chains]
    lower = np.where(along > 1, np.where(left, feet[1], feet[0]), distance)
    skin = np.where(lower <= np.interp(along, _PLACES, _LEG_HALF), np.where(left, *_LEGS[::-1]), Label.BACKGROUND)
    below = _find_leg_below(parsing, chains, along, left)
    skin = np.where(below != Label.BACKGROUND, below, skin)
    nearest = np.where(left_nearer, fields[1].along, fields[0].along)
    # By the nearer leg too, where legs cross: it is what the same edit will go by the next time.
    above = np.maximum(along, nearest) < min(length, _FOOT)
    garment, legs = np.isin(parsing, _GARMENTS), np.isin(parsing, _LEGS)
    shoes = (along > _ANKLE) & (distance > np.interp(along, _PLACES, _TROUSER_HALF))

    result = parsing.copy()
    result[legs & above & ~shoes] = kind
    result[garment & above] = kind
    result[garment & ~above] = skin[garment & ~above]
    if kind == Label.SKIRT:
        worn, low = parsing == Label.SKIRT, np.maximum(along, nearest)
        # A skirt that is long enough stays as wide as it is.
        if (parsing == Label.PANTS).any() or not (worn & (low > min(length, _FOOT) - _HARDLY)).any():
            hull = _fill_skirt(chains, min(length, _FOOT), pose, worn & above)
            result[hull & (garment | legs | (parsing == Label.BACKGROUND))] = kind
    else:
        apart = (along > 0) & (distance > np.interp(along, _PLACES, _TROUSER_HALF))
        result[(parsing == Label.SKIRT) & apart] = Label.BACKGROUND
        # New trouser legs are wider than the legs in them.
        beside = ndimage.distance_transform_edt(~(legs & above & ~shoes)) <= _WIDER * unit
        result[beside & above & ~apart & (along > 0) & (parsing == Label.BACKGROUND)] = kind
    return result


def _reach_ground(leg: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """The shin of a ``leg`` (3, 2) with what is below its ankle, where wide trousers hide a foot: (3, 2)."""
    way = leg[2] - leg[1]
    return np.stack([leg[1], leg[2], leg[2] + ANKLE_HEIGHT * unit * way / max(float(np.linalg.norm(way)), 1e-6)])


def _find_leg_below(
    parsing: ParsingMap, chains: list[NDArray[np.float64]], along: NDArray[np.floating], left: Mask
) -> ParsingMap:
    """The leg (H, W) that comes out from under the garment below each of its pixels, along the leg; or background.

    Looked for over half a bone's length. Feet do not count.
    """
    result = np.full(parsing.shape, Label.BACKGROUND, np.uint8)
    garment = np.isin(parsing, _GARMENTS)
    for side, chain in enumerate(chains):
        for bone in range(2):
            y, x = np.nonzero(garment & (left == bool(side)) & ((along < 1) == (bone == 0)) & (along > 0))
            way = _FOLLOWED * (chain[bone + 1] - chain[bone])
            steps = min(_STEPS, int(np.ceil(np.abs(way).max())))
            found = np.full(len(y), Label.BACKGROUND, np.uint8)
            inside = np.ones(len(y), bool)
            for step in range(1, steps + 1):
                at_x, at_y = (
                    np.rint(place + step / steps * way[axis]).astype(int) for axis, place in enumerate((x, y))
                )
                inside &= (at_x >= 0) & (at_x < parsing.shape[1]) & (at_y >= 0) & (at_y < parsing.shape[0])
                at_x, at_y = np.where(inside, at_x, x), np.where(inside, at_y, y)
                out = inside & ~garment[at_y, at_x]
                is_leg = np.isin(parsing[at_y, at_x], _LEGS) & (along[at_y, at_x] < _ANKLE)
                found[out & is_leg] = parsing[at_y, at_x][out & is_leg]
                inside &= ~out
            result[y, x] = found
    return result


def _fill_skirt(chains: list[NDArray[np.float64]], length: float, pose: Pose, worn: Mask) -> Mask:
    """Pixels (H, W) of a skirt from the hips down: what both legs and the space between them take up.

    It gets no narrower below the skirt that is ``worn`` (H, W).
    """
    down, unit = find_spine(pose), torso_length(pose)
    across = np.array([down[1], -down[0]])
    corners = []
    for chain in chains:
        for at in (0.0, *(joint for joint in (1.0,) if joint < length), length):
            index = min(int(at), 1)
            point = chain[index] + (at - index) * (chain[index + 1] - chain[index])
            half = (_SKIRT_HALF + _FLARE * at) * unit
            corners += [point - half * across, point + half * across]
    points = np.array(corners)
    if worn.any():
        sides, heights = points @ across, points @ down
        places = np.stack(np.nonzero(worn)[::-1], axis=1)
        widest = places @ across
        margin = _WIDEST * unit
        # A pixel less than what is worn, so that outlines rounded to pixels do not make it ever wider.
        ends = max(widest.min() + 1, sides.min() - margin), min(widest.max() - 1, sides.max() + margin)
        reach = min((places @ down).max(), heights.max())
        points = np.concatenate([points, [end * across + low * down for end in ends for low in (reach, heights.max())]])
    corners = points[ConvexHull(points, qhull_options="QJ").vertices]
    return np.asarray(grid_points_in_poly(worn.shape, corners[:, ::-1]))

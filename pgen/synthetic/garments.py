"""Garments: where they end, and how they fall.

The first are signed distances in reference coordinates, positive on the garment, about in metres; the second are
displacements of the suit and the skirt from the skin, at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import ndimage

from pgen.synthetic import Array
from pgen.synthetic.person import Bottom, Shoes, Top
from pgen.synthetic.regions import ALONG_ARM, ALONG_LEG, ARM, UPPER_ARM_LENGTH, X, Y, Z, sample_waves, smoothstep

#: The neckline's corner: distance from the middle, and its height over the shoulders.
_NECK_TOP = 0.712
_ARMPIT = 0.555
_LEG_LENGTH = 0.44

_AZIMUTHS, _LEVELS = 36, 30


def measure_top(top: Top, points: Array) -> Array:
    """Inside of a top (N,) at reference points (N, 6)."""
    side, height = np.abs(points[:, X]), points[:, Z]
    on_arm = points[:, ARM]
    front = smoothstep(-points[:, Y], 0.005, 0.055)
    uneven = 0.0 if top.tucked else 0.006
    hem = height - (top.hem + uneven * np.sin(9 * points[:, X] + 1))
    inside = np.where(on_arm > 0.5, 1.0, hem)
    inside = np.minimum(inside, _measure_neckline(top, side, height, front))
    if top.sleeve > 0:
        sleeve = (top.sleeve - points[:, ALONG_ARM]) * UPPER_ARM_LENGTH
        return np.minimum(inside, np.where((on_arm > 0.12) & (height < 0.9), sleeve, 1.0))
    # A tank top: the armhole runs from the strap's outer edge down to the armpit.
    inner = _measure_neck_width(top)
    rise = np.clip((height - _ARMPIT) / (0.655 - _ARMPIT), 0, 1)
    racer = 0.065 * (1 - front) * np.sin(np.pi * rise) if top.strap < 0.045 else 0.0
    edge = 0.172 - (0.172 - inner - top.strap) * rise**0.6 - racer
    armhole = np.where(height > _ARMPIT - 0.02, edge - side, 0.17 + (_ARMPIT - height) - side)
    below = (0.45 - on_arm) * 0.1
    return np.minimum(inside, np.minimum(armhole, below))


def _measure_neck_width(top: Top) -> float:
    """Half the width of the neckline at the shoulders, metres."""
    widths = {"round": 0.078, "scoop": 0.09, "v": 0.08, "boat": 0.118, "high": 0.06}
    return widths[top.neckline] + 0.012 * top.depth


def _measure_neckline(top: Top, side: Array, height: Array, front: Array) -> Array:
    if top.neckline == "high":
        return 0.742 - height
    lowest, power = {
        "round": (0.675 - 0.04 * top.depth, 2.2),
        "scoop": (0.64 - 0.07 * top.depth, 2.6),
        "v": (0.63 - 0.11 * top.depth, 1.0),
        "boat": (0.672 - 0.02 * top.depth, 3.0),
    }[top.neckline]
    if top.sleeve <= 0 and top.strap < 0.03:
        lowest, power = min(lowest, 0.6), 5.0  # thin straps over a straight edge
    width = _measure_neck_width(top)
    share = side / width
    at_front = lowest + (_NECK_TOP - lowest) * share**power
    lowest_back = 0.7 if top.sleeve > 0 else 0.665
    at_back = lowest_back + (_NECK_TOP - lowest_back) * share**2
    edge = front * at_front + (1 - front) * at_back
    beside = (side - width) * 0.9
    return np.maximum(edge - height, beside)


def measure_bottom(bottom: Bottom, points: Array) -> Array:
    """Inside of trousers, shorts or a skirt (N,) at reference points (N, 6)."""
    waist = bottom.waist - points[:, Z]
    if bottom.kind == "skirt":
        end = points[:, Z] - compute_skirt_end(bottom)
    else:
        end = (bottom.length - points[:, ALONG_LEG]) * _LEG_LENGTH
    return np.minimum(np.minimum(waist, end), (0.4 - points[:, ARM]) * 0.2)


def compute_skirt_end(bottom: Bottom) -> float:
    """Height of a skirt's hem."""
    return 0.139 - _LEG_LENGTH * bottom.length


def measure_shoes(shoes: Shoes, points: Array) -> Array:
    """Inside of shoes (N,) at reference points (N, 6)."""
    instep = -0.745 if shoes.height > 1.85 else 1.0
    high = (points[:, ALONG_LEG] - shoes.height) * _LEG_LENGTH
    # Low shoes leave the instep bare.
    return np.minimum(high, np.maximum(instep - points[:, Z] - 0.3 * (points[:, Y] + 0.06), -points[:, Z] - 0.775))


def shape_top(top: Top, rest: Array, normals: Array, points: Array) -> Array:
    """Rest vertices (N, 3) of a top, from the suit's ``rest`` (N, 3), ``normals`` and reference ``points`` (N, 6)."""
    arm = smoothstep(points[:, ARM], 0.05, 0.6)
    # Cloth lies close on the shoulders, which carry it; the suit itself stands some 6 mm off the skin.
    carried = smoothstep(points[:, Z], 0.5, 0.58)
    tight = 0.0045 + 0.004 * top.loose - carried * (0.009 + 0.004 * top.loose if top.sleeve <= 0 else 0.004)
    folds = sample_waves(points[:, :3], top.texture.seed, 0.16) * (0.001 + 0.004 * top.loose) * (1 - 0.8 * carried)
    sleeve = top.loose * (0.006 + 0.015 * smoothstep(points[:, ALONG_ARM], 0.0, 0.8))
    sleeve *= 1.0 if top.sleeve < 1.6 else 0.55
    out = rest + normals * (tight + folds + arm * sleeve)[:, None]
    torso = (1 - arm) * smoothstep(-points[:, Z], -0.64, -0.56 if top.sleeve > 0 else -0.48)
    hang = np.clip(0.15 + 0.95 * top.loose, 0, 1)
    hung = _hang_straight(out, points, decay=1.0 if top.loose > 0.4 else 0.985)
    center = _find_center(out)
    flare = 1 + 0.10 * top.loose * smoothstep(-points[:, Z], -0.4, -0.1)
    if top.tucked:
        # The cloth is gathered where it goes into the waistband.
        hang = hang * smoothstep(points[:, Z], top.hem - 0.02, top.hem + 0.14)
        flare = np.ones_like(flare)
    target = center + (out[:, :2] - center) * (hung * flare)[:, None]
    out[:, :2] += (target - out[:, :2]) * (hang * torso)[:, None]
    return out


def _find_center(rest: Array) -> Array:
    return np.array([0.0, float(np.median(rest[:, 1]))])


def _hang_straight(rest: Array, points: Array, decay: float) -> Array:
    """Factor (N,) by which the trunk's radius grows when cloth hangs straight down from what sticks out above."""
    trunk = (points[:, ARM] < 0.3) & (points[:, Z] > 0.0) & (points[:, Z] < 0.66)
    offset = rest[:, :2] - _find_center(rest)
    radius = np.hypot(offset[:, 0], offset[:, 1]) + 1e-6
    azimuth = (np.arctan2(offset[:, 1], offset[:, 0]) / (2 * np.pi)) % 1 * _AZIMUTHS
    level = np.clip((0.66 - points[:, Z]) / 0.66, 0, 1) * (_LEVELS - 1)
    grid, weight = np.zeros((_LEVELS, _AZIMUTHS)), np.full((_LEVELS, _AZIMUTHS), 1e-6)
    cells = (np.rint(level[trunk]).astype(int), azimuth[trunk].astype(int) % _AZIMUTHS)
    np.add.at(grid, cells, radius[trunk])
    np.add.at(weight, cells, 1)
    blur = partial(ndimage.gaussian_filter, sigma=1.0, mode=("nearest", "wrap"))
    smooth = blur(grid) / blur(weight)
    hung = smooth.copy()
    for row in range(1, _LEVELS):
        hung[row] = np.maximum(hung[row], decay * hung[row - 1])
    ratio = np.maximum(blur(hung) / smooth, 1.0)
    padded = np.concatenate([ratio[:, -1:], ratio, ratio[:, :2]], axis=1)
    return np.asarray(ndimage.map_coordinates(padded, [level, azimuth + 0.5], order=1, mode="nearest"))


def shape_trousers(bottom: Bottom, rest: Array, normals: Array, points: Array, chains: Sequence[Array]) -> Array:
    """Rest vertices (N, 3) of trousers or shorts; ``chains`` are hip, knee, ankle (3, 3) of the left and right leg."""
    along = points[:, ALONG_LEG]
    folds = sample_waves(points[:, :3], bottom.texture.seed, 0.13) * (0.001 + 0.0025 * bottom.wide)
    # Cloth bunches over the foot.
    folds = folds + 0.004 * smoothstep(along, 1.6, 1.95) * np.sin(along * 75) * (0.3 + bottom.wide)
    out = rest + normals * (0.0035 + folds)[:, None]
    leg = smoothstep(along, 0.1, 0.5)
    widths = np.array([0.085, 0.07 + 0.028 * bottom.wide, 0.056 + 0.055 * bottom.wide])
    widths = widths + (0.012 * bottom.wide if bottom.kind == "trousers" else 0.02 * bottom.wide)
    target = np.interp(along, [0.3, 1.0, 1.95], widths)
    for chain, side in zip(chains, (points[:, X] >= 0, points[:, X] < 0), strict=True):
        share = along[:, None]
        upper, lower = chain[0] + share * (chain[1] - chain[0]), chain[1] + (share - 1) * (chain[2] - chain[1])
        offset = out - np.where(share < 1, upper, lower)
        offset[:, 2] *= 0.3  # mostly sideways: hems stay level
        radius = np.linalg.norm(offset, axis=1) + 1e-6
        grow = np.maximum(target - radius, 0) / radius * leg
        chosen = side & (along > 0.05)
        out[chosen] += offset[chosen] * grow[chosen, None]
    return out


def shape_skirt(bottom: Bottom, rest: Array, normals: Array, points: Array) -> Array:
    """Rest vertices (N, 3) of a skirt, from the body's wide skirt surface."""
    out = rest + normals * 0.004
    down = np.clip((0.1 - points[:, Z]) / (0.1 - compute_skirt_end(bottom)), 0, 1.3)
    center = _find_center(out)
    offset = out[:, :2] - center
    azimuth = np.arctan2(offset[:, 1], offset[:, 0])
    drop = np.clip(0.1 - points[:, Z], 0, None)
    # The surface widens by itself, as the legs do at rest; straight skirts take some of the depth back.
    straight = (1 - bottom.wide) * np.clip(drop / 0.4, 0, 1)
    factor = 1 - straight * np.array([[0.03], [0.2]]) + 0.42 * bottom.wide**1.5 * down
    if bottom.pleats:
        depth = (0.015 + 0.07 * bottom.wide) * smoothstep(down, 0.05, 1.0)
        factor = factor + depth * np.sin(azimuth * bottom.pleats + 3 * np.sin(azimuth + bottom.texture.seed))
    out[:, :2] = center + offset * factor.T
    return out

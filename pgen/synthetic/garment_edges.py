"""Where garments end: signed distances in reference coordinates, positive on the garment, about in metres."""

from __future__ import annotations

import numpy as np

from pgen.synthetic import Array
from pgen.synthetic.regions import ALONG_ARM, ALONG_LEG, ARM, LEG_LENGTH, UPPER_ARM_LENGTH, X, Y, Z, smoothstep
from pgen.synthetic.wardrobe import Bottom, Shoes, Top

#: The neckline's corner: distance from the middle, and its height over the shoulders.
_NECK_TOP = 0.712
_ARMPIT = 0.555


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
        end = (bottom.length - points[:, ALONG_LEG]) * LEG_LENGTH
    return np.minimum(np.minimum(waist, end), (0.4 - points[:, ARM]) * 0.2)


def compute_skirt_end(bottom: Bottom) -> float:
    """Height of a skirt's hem."""
    return 0.139 - LEG_LENGTH * bottom.length


def measure_shoes(shoes: Shoes, points: Array) -> Array:
    """Inside of shoes (N,) at reference points (N, 6)."""
    instep = -0.745 if shoes.height > 1.85 else 1.0
    high = (points[:, ALONG_LEG] - shoes.height) * LEG_LENGTH
    # Low shoes leave the instep bare.
    return np.minimum(high, np.maximum(instep - points[:, Z] - 0.3 * (points[:, Y] + 0.06), -points[:, Z] - 0.775))

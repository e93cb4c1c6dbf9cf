"""The color of every visible point: cloth patterns, skin, face, hair and shoes, before light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pgen.synthetic import Array, Indices
from pgen.synthetic.hair import measure_hairline
from pgen.synthetic.person import Color, Hair, Person, Texture
from pgen.synthetic.person_mesh import Layer
from pgen.synthetic.regions import ALONG_ARM, ALONG_LEG, ARM, UPPER_ARM_LENGTH, X, Y, Z, sample_waves, smoothstep

Colors = NDArray[np.float32]


def paint_materials(person: Person, layers: Indices, points: Array, extra: Array) -> Colors:
    """Colors (N, 3), 0-255, of points of the figure: layer (N,), reference coordinates (N, 6) and extra (N, 2)."""
    colors = np.empty((len(points), 3), dtype=np.float32)
    top, bottom = person.top, person.bottom
    sole, shoes = _to_array(person.shoes.sole), _to_array(person.shoes.color)
    painters: dict[Layer, Callable[[Array, Array], Array]] = {
        Layer.SKIN: lambda here, more: _paint_skin(person, here, more[:, 0]),
        Layer.EYES: lambda here, more: _paint_eyes(person, here),
        Layer.SHOES: lambda here, more: np.where(here[:, Z, None] < -0.806, sole, shoes),
        Layer.BOTTOM: lambda here, more: _paint_garment(bottom.texture, here, bottom.wide, bottom.kind),
        Layer.TOP: lambda here, more: _paint_garment(top.texture, here, top.loose, "top"),
        Layer.HAIR: lambda here, more: _paint_hair(person.hair, here, more),
    }
    for layer, paint in painters.items():
        chosen = layers == layer
        colors[chosen] = paint(points[chosen], extra[chosen])
    return colors


def _to_array(color: Color) -> Colors:
    return np.array(color, dtype=np.float32)


def _paint_garment(texture: Texture, points: Array, loose: float, kind: str) -> Array:
    return _paint_cloth(texture, points, kind == "top") * _shade_folds(points, texture.seed, loose, kind == "skirt")


def _shade_folds(points: Array, seed: int, loose: float, skirt: bool) -> Array:
    """Brightness (N, 1) of small folds that the mesh lacks: long ones that hang, short ones at bent joints."""
    hanging = sample_waves(points[:, :3] * (1.0, 1.0, 0.4), seed + 1, 0.11, 2)
    if skirt:
        return np.asarray(1 + (0.05 + 0.04 * loose) * hanging, dtype=np.float32)[:, None]
    arm, leg = points[:, ALONG_ARM], points[:, ALONG_LEG]
    bent = np.exp(-(((arm - 1) / 0.22) ** 2)) * (points[:, ARM] > 0.5) + np.exp(-(((leg - 1.05) / 0.16) ** 2))
    bent += 0.8 * np.exp(-((leg / 0.2) ** 2)) * (points[:, ARM] < 0.3)
    creases = np.sin(40 * (arm * (points[:, ARM] > 0.5) + leg) + 60 * points[:, Y] + 25 * points[:, X] + seed % 7)
    share = (0.035 + 0.05 * loose) * hanging + 0.05 * bent * creases
    return np.asarray(1 + share, dtype=np.float32)[:, None]


def _paint_cloth(texture: Texture, points: Array, upper: bool) -> Colors:
    """A pattern at reference points; it follows the sleeves and wraps around trunk and legs."""
    color = _to_array(texture.color)
    if texture.kind == "plain":
        return np.broadcast_to(color, (len(points), 3))
    if texture.kind == "denim":
        worn = sample_waves(points[:, :3], texture.seed, 0.35, 1)
        worn = worn + np.exp(-(((points[:, ALONG_LEG] - 0.55) / 0.35) ** 2))
        weave = np.sin(900 * points[:, Z] + 500 * points[:, X])
        return color * (1 + 0.09 * worn + 0.03 * weave)[:, None].astype(np.float32)
    share = _paint_pattern(texture, points, upper)[:, None].astype(np.float32)
    return color + share * (_to_array(texture.second) - color)


def _paint_pattern(texture: Texture, points: Array, upper: bool) -> Array:
    """Share (N,) of the second color."""
    repeat = texture.repeat
    if texture.kind == "printed":
        return smoothstep(sample_waves(points[:, :3], texture.seed, 1.6 * repeat, 2), 0.05, 0.22)
    if texture.kind == "chest":
        x, z = points[:, X] / 0.085, (points[:, Z] - 0.5) / 0.07
        inside = smoothstep(1 - (x**4 + z**4), 0.0, 0.25) * (points[:, Y] < -0.04)
        motif = 0.5 + 0.5 * (sample_waves(points[:, :3] * (1, 0, 1), texture.seed, 0.06, 2) > 0)
        return inside * motif if upper else np.zeros(len(points))
    across, down = _unroll_cloth(points, upper)
    vertical, horizontal = np.cos(2 * np.pi * across / repeat), np.cos(2 * np.pi * down / repeat)
    if texture.kind == "horizontal":
        return smoothstep(horizontal, -0.12, 0.12)
    if texture.kind == "vertical":
        return smoothstep(vertical, 0.2, 0.6)
    if texture.kind == "checked":
        return 0.5 * smoothstep(vertical, -0.1, 0.1) + 0.5 * smoothstep(horizontal, -0.1, 0.1)
    # Dots, in rows that are set off by half.
    row = np.floor(down / repeat)
    shifted = np.mod(across / repeat + 0.5 * np.mod(row, 2), 1) - 0.5
    distance = np.hypot(shifted, np.mod(down / repeat, 1) - 0.5)
    return smoothstep(-distance, -0.36, -0.26)


def _unroll_cloth(points: Array, upper: bool) -> tuple[Array, Array]:
    """Metres around and down the cloth."""
    x, y, z = points[:, X], points[:, Y], points[:, Z]
    across = np.where(y < -0.02, x, x + 0.017)
    if not upper:
        return across, z
    # Sleeves: down the arm; around it, measured from its upper edge.
    sleeve = points[:, ARM] > 0.5
    around = np.arctan2(y + 0.03, 0.75 * (np.abs(x) - 0.18) + 0.66 * (z - 0.62)) * 0.05
    return np.where(sleeve, around, across), np.where(sleeve, points[:, ALONG_ARM] * UPPER_ARM_LENGTH, z)


def _paint_hair(hair: Hair, points: Array, strand: Array) -> Colors:
    across, along = strand[:, 0], strand[:, 1]
    phase = hair.seed % 97
    bend = 0.5 * np.sin(along * 22 + across + phase)
    fine = np.sin(across * 11 + 3 * bend + phase) + 0.7 * np.sin(across * 23 + 5 * bend)
    fine = fine + 0.5 * np.sin(across * 41 - 4 * bend)
    light = 1 + 0.075 * fine
    # A soft sheen around the crown, as straight hair has.
    light += 0.28 * np.exp(-(((points[:, Z] - 0.935 - 0.004 * fine) / 0.022) ** 2))
    light -= 0.16 * smoothstep(-points[:, Z], -0.8, -0.6)
    return (_to_array(hair.color) * light[:, None]).astype(np.float32)


def _paint_eyes(person: Person, points: Array) -> Colors:
    distance = np.hypot(np.abs(points[:, X]) - 0.031, points[:, Z] - 0.870)[:, None]
    colors = np.where(distance < 0.009, _to_array(person.iris), _to_array((196, 192, 188)))
    colors = np.where(distance < 0.0038, np.float32(14), colors)
    # The upper lid shades the eye and hides the iris's top.
    lid = smoothstep(points[:, Z], 0.8715, 0.875)[:, None]
    return (colors + lid * (0.6 * _to_array(person.skin) - colors)).astype(np.float32)


def _paint_skin(person: Person, points: Array, lips: Array) -> Colors:
    colors = np.tile(_to_array(person.skin), (len(points), 1))
    face = (points[:, Z] > 0.72) & (points[:, ARM] < 0.5)
    colors[face] = _paint_face(person, points[face], lips[face])
    return colors


def _paint_face(person: Person, points: Array, lips: Array) -> Colors:
    skin, hair = _to_array(person.skin), _to_array(person.hair.color)
    colors = np.tile(skin, (len(points), 1))
    side, y, z = np.abs(points[:, X]), points[:, Y], points[:, Z]
    front = y < -0.1

    def blend(share: Array, color: Array) -> None:
        weight = np.clip(share, 0, 1)[:, None].astype(np.float32)
        colors[:] += weight * (color - colors)

    blush = np.exp(-(((side - 0.045) / 0.02) ** 2) - ((z - 0.825) / 0.018) ** 2) * front
    blend(0.22 * blush, skin * _to_array((1.0, 0.72, 0.7)))
    natural, made_up = skin * _to_array((0.85, 0.6, 0.58)), _to_array((168, 30, 48))
    blend(0.85 * lips, natural + person.lips * (made_up - natural))
    seam = np.exp(-(((z - 0.7975 - 0.8 * side**2) / 0.0016) ** 2)) * (side < 0.022) * (y < -0.14)
    blend(0.55 * seam, skin * 0.35)
    # Eyes are set off by lids, a dark upper rim and some shade.
    far = np.hypot((side - 0.031) / 0.021, (z - 0.871) / 0.0105)
    blend(0.35 * np.exp(-((far / 1.5) ** 4)) * front, skin * 0.62)
    blend(0.9 * np.exp(-(((far - 0.85) / 0.28) ** 2)) * front * smoothstep(z, 0.869, 0.874), np.full(3, 25.0))
    arch = 0.8925 - 5.0 * np.maximum(side - 0.034, 0) ** 2 / 0.1 * 0.35 - 0.05 * np.maximum(0.03 - side, 0)
    brow = smoothstep(-np.abs(z - arch), -0.0058, -0.0026) * smoothstep(side, 0.011, 0.017)
    brow = brow * smoothstep(-side, -0.054, -0.044)
    blend(0.8 * brow * front, hair * 0.75)
    nose = np.exp(-(((side - 0.011) / 0.006) ** 2) - ((z - 0.8235) / 0.004) ** 2) * (y < -0.14)
    blend(0.4 * nose, skin * 0.5)
    blend(smoothstep(measure_hairline(points, person.hair.fringe), -0.002, 0.004), hair * 0.85)
    return colors

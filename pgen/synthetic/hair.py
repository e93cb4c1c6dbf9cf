"""Hair as a volume: a cap that follows the skull, and locks, which are closed tubes along a path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from pgen.synthetic import Array
from pgen.synthetic.body import Body, load_body
from pgen.synthetic.person import Hair
from pgen.synthetic.regions import smoothstep

_CENTER = np.array([0.0, -0.055, 0.868])  # of the skull, reference coordinates
_ROWS, _COLUMNS = 30, 56
_TUBE_ROWS, _TUBE_SIDES = 18, 18


@dataclass(frozen=True)
class HairMesh:
    """Hair in reference coordinates: ``strand`` (N, 2) runs across and along the strands, for drawing them."""

    vertices: Array
    faces: NDArray[np.intp]
    strand: Array


def measure_hairline(points: Array, fringe: bool) -> Array:
    """Signed distance (N,) into the hairy part of the head at reference points (N, >=3), metres."""
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    forehead = (0.9 if fringe else 0.944) - (0.4 if fringe else 3.2) * x**2
    temple = np.interp(
        z, [0.76, 0.81, 0.835, 0.85, 0.88, 0.91, 0.94], [-0.005, -0.02, -0.04, -0.072, -0.088, -0.1, -0.128]
    )
    return np.asarray(np.maximum((z - forehead) * 0.9, np.minimum(y - temple, z - 0.762)))


@lru_cache(maxsize=1)
def _fit_skull() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions (rows, columns, 3) from the skull's center, and its radius there, ears left out."""
    body = load_body()
    head = body.weight_of("head", "neck03") > 0.5
    head[np.unique(np.concatenate([body.faces["suit"], body.faces["skirt"], body.faces["eyes"]]))] = False
    place = body.mean[head].astype(np.float64)
    ear = (np.abs(place[:, 0]) > 0.074) & (place[:, 1] > -0.075) & (place[:, 1] < -0.01) & (place[:, 2] < 0.885)
    offset = place[~ear] - _CENTER
    radius = np.linalg.norm(offset, axis=1)
    polar = np.linspace(0, np.pi * 0.83, _ROWS)[:, None]
    azimuth = np.linspace(-np.pi, np.pi, _COLUMNS)[None]  # 0 is the face
    x, y, z = np.sin(polar) * np.sin(azimuth), -np.sin(polar) * np.cos(azimuth), np.cos(polar)
    directions = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    distance, nearest = cKDTree(offset / radius[:, None]).query(directions.reshape(-1, 3), k=10)
    near = radius[nearest]
    # The outermost of what is near counts: the inside of the mouth must not.
    weight = (np.exp(-((distance / 0.09) ** 2)) + 1e-9) * (near > 0.9 * near.max(axis=1, keepdims=True))
    smooth = (near * weight).sum(axis=1) / weight.sum(axis=1)
    return directions, smooth.reshape(_ROWS, _COLUMNS)


def build_hair_mesh(hair: Hair, front_profile: Array, back_profile: Array) -> HairMesh:
    """The hair's surface in reference coordinates.

    The profiles (N, 2) are (height, y) of the clothed chest and back that long hair lies on.
    """
    parts = [_build_cap(hair)]
    if hair.style in ("bob", "shoulder", "long"):
        parts.append(_build_back(hair, back_profile))
        if hair.style == "bob" or hair.front:
            parts += [_build_side(hair, side, front_profile) for side in (1.0, -1.0)]
    elif hair.style == "bun":
        parts.append(_build_bun(hair))
    elif hair.style == "ponytail":
        parts.append(_build_tail(hair, back_profile))
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return HairMesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.strand for part in parts]),
    )


def _build_cap(hair: Hair) -> HairMesh:
    directions, radius = _fit_skull()
    surface = _CENTER + directions * radius[..., None]
    inside = measure_hairline(surface.reshape(-1, 3), hair.fringe).reshape(radius.shape)
    full = {"short": 0.008 + 0.02 * hair.volume, "bun": 0.009, "ponytail": 0.009}
    crown = smoothstep(directions[..., 2], -0.2, 0.7)
    thickness = (0.45 + 0.55 * crown) * full.get(hair.style, 0.012 + 0.014 * hair.volume)
    rng = np.random.default_rng(hair.seed)
    azimuth = np.arctan2(directions[..., 0], -directions[..., 1])
    tufts = 1 + (0.10 if hair.style == "short" else 0.05) * np.sin(azimuth * 9 + rng.uniform(0, 6)) * (1 - crown)
    rise = smoothstep(inside, -0.004, 0.028)
    height = np.where(inside > -0.012, rise * (0.004 + thickness * tufts), 0) - 0.012 * (1 - rise)
    vertices = surface + directions * height[..., None]
    parting = azimuth * 8 + 2.5 * np.abs(np.sin(azimuth))
    along = np.arccos(np.clip(directions[..., 2], -1, 1)) * 0.1
    faces = _list_grid_faces(np.arange(radius.size).reshape(radius.shape))
    kept = (inside.ravel()[faces] > -0.02).any(axis=1)
    return HairMesh(vertices.reshape(-1, 3), faces[kept], np.stack([parting.ravel(), along.ravel()], axis=1))


def _build_back(hair: Hair, profile: Array) -> HairMesh:
    end = hair.end
    heights = np.linspace(0.945, end, _TUBE_ROWS)
    body_back = np.interp(heights, profile[:, 0], profile[:, 1])
    low = min(end + 0.05, 0.66)
    thick = np.interp(heights, [end, low, 0.76, 0.84, 0.9, 0.945], [0.009, 0.02, 0.045, 0.068, 0.058, 0.03])
    thick = thick + 0.008 * hair.volume * smoothstep(heights, end, end + 0.12)
    skull = np.interp(heights, [0.70, 0.78, 0.84, 0.9, 0.945], [0.03, 0.0, -0.005, -0.02, -0.045])
    y = ndimage.gaussian_filter1d(np.where(heights > 0.7, skull, body_back + 0.004), 1.5, mode="nearest")
    marks = [end, end + 0.06, 0.64, 0.74, 0.84, 0.9, 0.945]
    wide = np.interp(heights, np.maximum.accumulate(marks), [0.055, 0.09, 0.108, 0.096, 0.086, 0.078, 0.045])
    wide = wide + 0.012 * hair.volume
    path = np.stack([np.zeros_like(heights), y, heights], axis=1)
    return _build_tube(path, wide, thick, hair.seed)


def _build_side(hair: Hair, side: float, profile: Array) -> HairMesh:
    rng = np.random.default_rng([hair.seed, 1 if side > 0 else 2])
    end = hair.end + (rng.uniform(0.0, 0.05) if hair.style != "bob" else 0.0)
    heights = np.linspace(0.955, end, _TUBE_ROWS)
    chest = np.interp(heights, profile[:, 0], profile[:, 1])
    head_y = np.interp(heights, [0.74, 0.8, 0.88, 0.93, 0.955], [-0.05, -0.048, -0.05, -0.055, -0.06])
    lying = smoothstep(-heights, -0.74, -0.66)
    y = head_y * (1 - lying) + np.minimum(chest - 0.004, -0.05) * lying
    x = np.interp(heights, [0.4, 0.6, 0.7, 0.78, 0.86, 0.91, 0.955], [0.085, 0.098, 0.098, 0.09, 0.084, 0.071, 0.048])
    x = x + 0.006 * np.sin(heights * 14 + rng.uniform(0, 6)) * lying
    path = np.stack([side * x, y, heights], axis=1)
    wide = np.interp(heights, [0.6, 0.7, 0.8, 0.9, 0.955], [0.042, 0.032, 0.025, 0.02, 0.014]) + 0.006 * hair.volume
    wide = wide * np.interp(heights, [end, end + 0.07], [0.35, 1.0])
    thick = np.interp(heights, [end, 0.62, 0.72, 0.8, 0.9, 0.955], [0.01, 0.018, 0.036, 0.046, 0.046, 0.03])
    return _build_tube(path, wide, thick, hair.seed + 1)


def _build_bun(hair: Hair) -> HairMesh:
    high = hair.volume > 0.5
    center = np.array([0.0, 0.01, 1.0]) if high else np.array([0.0, 0.062, 0.89])
    turn = np.linspace(0, np.pi, _TUBE_ROWS)
    radius = (0.036 + 0.012 * hair.volume) * np.sin(turn)
    path = center + (0.04 * np.cos(turn))[:, None] * np.array([0.0, 0.0, 1.0])
    return _build_tube(path, radius * 1.15, radius, hair.seed)


def _build_tail(hair: Hair, profile: Array) -> HairMesh:
    share = np.linspace(0, 1, _TUBE_ROWS)
    z = np.interp(share, [0, 0.12, 0.25, 1], [0.92, 0.925, 0.88, hair.end])
    y = np.interp(share, [0, 0.12, 0.25, 0.5, 1], [0.02, 0.075, 0.095, 0.075, 0.06])
    y = np.maximum(y, np.interp(z, profile[:, 0], profile[:, 1]) + 0.012)
    wide = np.interp(share, [0, 0.1, 0.3, 0.8, 1], [0.018, 0.022, 0.036, 0.03, 0.006])
    return _build_tube(np.stack([np.zeros_like(share), y, z], axis=1), wide, wide * 0.85, hair.seed)


def _build_tube(path: Array, wide: Array, thick: Array, seed: int) -> HairMesh:
    """A closed tube around ``path`` (R, 3): ``wide`` is half its width in x, ``thick`` half its depth in y."""
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, _TUBE_SIDES, endpoint=False)
    level = np.linspace(0, 1, len(path))[:, None]
    ripple = 1 + 0.07 * np.sin(4 * turn + rng.uniform(0, 6) + 2 * level)
    ripple += 0.04 * np.sin(7 * turn + rng.uniform(0, 6) - 3 * level)
    # Ends close in a blunt, slightly uneven edge.
    path = np.pad(path, ((1, 1), (0, 0)), mode="edge")
    vertices = np.repeat(path[:, None], _TUBE_SIDES, axis=1)
    vertices[1:-1, :, 0] += np.cos(turn) * ripple * wide[:, None]
    vertices[1:-1, :, 1] += np.sin(turn) * ripple * thick[:, None]
    vertices[-3:-1, :, 2] += 0.008 * np.sin(5 * turn + rng.uniform(0, 6))
    vertices[-1, :, 2] -= 0.006
    grid = np.arange(len(path) * _TUBE_SIDES).reshape(len(path), _TUBE_SIDES)
    faces = _list_grid_faces(np.pad(grid, ((0, 0), (0, 1)), mode="wrap"))
    strand = np.stack(np.broadcast_arrays(3.0 * np.cos(turn) + 1.5 * np.sin(turn), path[:, 2:]), axis=-1)
    return HairMesh(vertices.reshape(-1, 3), faces, strand.reshape(-1, 2))


def _list_grid_faces(grid: NDArray[np.intp]) -> NDArray[np.intp]:
    """Triangles (F, 3) between neighbors in a grid (rows, columns) of vertex indices."""
    a, b, c, d = (corner.ravel() for corner in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]))
    return np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)])


def weigh_hair(body: Body, vertices: Array) -> NDArray[np.float32]:
    """Skinning weights (N, bones) of hair: the head's above the chin, then the neck's, then the chest's."""
    head, chest = smoothstep(vertices[:, 2], 0.70, 0.80), 1 - smoothstep(vertices[:, 2], 0.60, 0.72)
    weights = np.zeros((len(vertices), len(body.bones)), dtype=np.float32)
    weights[:, body.bone("head")] = head * (1 - chest)
    weights[:, body.bone("spine01")] = chest
    weights[:, body.bone("neck02")] = (1 - head) * (1 - chest)
    return weights

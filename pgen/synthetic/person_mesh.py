"""A person as one mesh at rest: skin, eyes, garments and hair, with what hides below clothes taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.synthetic import Array, Indices, Mask
from pgen.synthetic.body import Body, load_body
from pgen.synthetic.garments import measure_bottom, measure_shoes, measure_top, shape_skirt, shape_top, shape_trousers
from pgen.synthetic.hair import build_hair_mesh, weigh_hair
from pgen.synthetic.landmarks import place_landmarks, weigh_landmarks
from pgen.synthetic.person import Person, Top
from pgen.synthetic.regions import ARM, X, Z, smoothstep
from pgen.synthetic.surfaces import Surface, compute_vertex_normals, load_surfaces


class Layer(IntEnum):
    """What a triangle is part of."""

    SKIN = 0
    EYES = 1
    SHOES = 2
    BOTTOM = 3
    TOP = 4
    HAIR = 5


@dataclass(frozen=True)
class PersonMesh:
    """A person's mesh at rest: N vertices, F triangles."""

    heads: NDArray[np.float32]  # (B, 3) where the bones start
    rest: NDArray[np.float32]  # (N, 3)
    skinning: sparse.csr_matrix  # (N, B)
    points: NDArray[np.float32]  # (N, 6) reference coordinates, see regions
    extra: NDArray[np.float32]  # (N, 2) hair: across and along the strands; skin: lips, unused
    faces: NDArray[np.intp]  # (F, 3)
    layers: NDArray[np.intp]  # (F,) Layer of each triangle
    cut: Mask  # (F,) triangles that a garment's edge may run through
    two_sided: Mask  # (F,)
    joints: NDArray[np.float64]  # (18, 3) at rest
    joint_weights: sparse.csr_matrix  # (18, B)
    top: Top  # as worn: tucked into the waistband or not
    hip_width: float  # metres, at the widest of hips and trousers


@dataclass(frozen=True)
class _Part:
    """One layer of the mesh; fields as the mesh's."""

    layer: Layer
    rest: Array
    skinning: sparse.csr_matrix
    points: Array
    extra: Array
    faces: Indices
    cut: Mask
    two_sided: Mask


@lru_cache(maxsize=8)
def build_person_mesh(person: Person) -> PersonMesh:
    """Dress a person's body."""
    body, surfaces = load_body(), load_surfaces()
    vertices, heads = body.rest(body.components(np.array(person.phenotype)))
    rest = {name: vertices[part.vertices].astype(np.float64) for name, part in surfaces.items()}
    normals = {name: compute_vertex_normals(vertices[part.vertices], part.faces) for name, part in surfaces.items()}
    suit, skin = surfaces["suit"], surfaces["body"]
    bottom, shoes = person.bottom, person.shoes
    top = replace(person.top, hem=bottom.waist - 0.012) if person.top.tucked else person.top

    top_rest = shape_top(top, rest["suit"], normals["suit"], suit.points)
    lower_name = "skirt" if bottom.kind == "skirt" else "suit"
    lower = surfaces[lower_name]
    if bottom.kind == "skirt":
        lower_rest = shape_skirt(bottom, rest["skirt"], normals["skirt"], lower.points)
    else:
        bones = ("upperleg01", "lowerleg01", "foot")
        chains = [heads[[body.bone(f"{bone}.{side}") for bone in bones]] for side in "LR"]
        lower_rest = shape_trousers(bottom, rest["suit"], normals["suit"], lower.points, chains)
    below_top = np.full(len(lower.points), -1.0) if top.tucked else measure_top(top, lower.points)
    # The waistband must not pierce the top that hangs over it.
    lower_rest = lower_rest - normals[lower_name] * 0.006 * smoothstep(below_top, -0.02, 0.01)[:, None]
    below_trousers = (measure_bottom(bottom, suit.points) > 0.05) & (bottom.kind != "skirt")
    shoes_rest = rest["suit"] + normals["suit"] * (0.009 if shoes.height > 1.85 else 0.012)
    cover = np.maximum(measure_top(top, skin.points), measure_bottom(bottom, skin.points))
    cover = np.maximum(cover, measure_shoes(shoes, skin.points))
    parts = [
        _build_part(Layer.TOP, suit, top_rest, measure_top(top, suit.points)),
        _build_part(Layer.BOTTOM, lower, lower_rest, measure_bottom(bottom, lower.points), below_top > 0.035),
        _build_part(Layer.SHOES, suit, shoes_rest, measure_shoes(shoes, suit.points), below_trousers),
        _build_part(Layer.SKIN, skin, rest["body"], hidden=cover > 0.035 + 0.05 * top.loose),
        _build_part(Layer.EYES, surfaces["eyes"], rest["eyes"]),
        _build_hair(person, body, rest["body"], heads, top_rest),
    ]
    starts = np.cumsum([0, *(len(part.rest) for part in parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)])
    used, renumbered = np.unique(faces, return_inverse=True)

    def join(arrays: list[Array]) -> NDArray[np.float32]:
        return np.concatenate(arrays)[used].astype(np.float32)

    return PersonMesh(
        heads=heads.astype(np.float32),
        rest=join([part.rest for part in parts]),
        skinning=sparse.vstack([part.skinning for part in parts]).tocsr()[used].astype(np.float32),
        points=join([part.points for part in parts]),
        extra=join([part.extra for part in parts]),
        faces=renumbered.reshape(-1, 3),
        layers=np.concatenate([np.full(len(part.faces), part.layer) for part in parts]),
        cut=np.concatenate([part.cut for part in parts]),
        two_sided=np.concatenate([part.two_sided for part in parts]),
        joints=place_landmarks(body, vertices, heads),
        joint_weights=weigh_landmarks(body),
        top=top,
        hip_width=max(_measure_width(top_rest, suit.points, top.hem), _measure_width(lower_rest, lower.points, 0.0)),
    )


def _build_part(
    layer: Layer, surface: Surface, rest: Array, inside: Array | None = None, hidden: Mask | None = None
) -> _Part:
    """The triangles of a surface that are not ``hidden``, of a garment's those that reach to where it is ``inside``."""
    corners = (np.full(len(rest), np.inf) if inside is None else inside)[surface.faces]
    lowest = corners.min(axis=1)
    kept = corners.max(axis=1) > -0.03
    if hidden is not None:
        kept &= ~hidden[surface.faces].all(axis=1)
    two_sided = lowest < (10.0 if surface is load_surfaces()["skirt"] else 0.12)
    extra = np.stack([surface.lips, np.zeros_like(surface.lips)], axis=1)
    faces, cut = surface.faces[kept], lowest[kept] < 0.03
    return _Part(layer, rest, surface.skinning, surface.points, extra, faces, cut, two_sided[kept])


def _measure_width(rest: Array, points: Array, lowest: float) -> float:
    """How wide a garment is around the hips, where hands hang, metres."""
    around = (points[:, ARM] < 0.2) & (points[:, Z] > max(lowest, 0.06)) & (points[:, Z] < 0.24)
    return 2 * float(np.abs(rest[around, 0]).max(initial=0.0))


def _build_hair(person: Person, body: Body, skin_rest: Array, heads: Array, top_rest: Array) -> _Part:
    """The person's hair, from that of the mean shape by the head's box and the trunk's heights."""
    suit, skin = load_surfaces()["suit"], load_surfaces()["body"]
    mesh = build_hair_mesh(person.hair, *(_measure_profile(suit.points, top_rest, front) for front in (True, False)))
    head = np.asarray(skin.skinning[:, body.bone("head")].todense()).ravel() > 0.5
    from_low, from_high = skin.points[head, :3].min(axis=0), skin.points[head, :3].max(axis=0)
    to_low, to_high = skin_rest[head].min(axis=0), skin_rest[head].max(axis=0)
    scale = (to_high - to_low) / (from_high - from_low)
    x, y, z = mesh.vertices.T
    bones = [body.bone(name) for name in ("root", "spine03", "spine01", "neck01")]
    heights = np.array([*body.mean_heads[bones, 2], from_low[2], from_high[2], from_high[2] + 0.1])
    levels = np.array([*heads[bones, 2], to_low[2], to_high[2], to_high[2] + 0.1 * scale[2]])
    order = np.argsort(heights)
    # Below the neck the profiles gave the person's own depth already.
    on_head = smoothstep(z, 0.69, 0.76)
    moved_x = x * (on_head * scale[0] + (1 - on_head))
    moved_y = on_head * (to_low[1] + (y - from_low[1]) * scale[1]) + (1 - on_head) * y
    rest = np.stack([moved_x, moved_y, np.interp(z, heights[order], levels[order])], axis=1)
    points = np.pad(mesh.vertices, ((0, 0), (0, 3)))
    weights = sparse.csr_matrix(weigh_hair(body, mesh.vertices))
    none = np.zeros(len(mesh.faces), dtype=bool)
    return _Part(Layer.HAIR, rest, weights, points, mesh.strand, mesh.faces, none, none)


def _measure_profile(points: Array, rest: Array, front: bool) -> Array:
    """(height, y) of the outermost of the dressed trunk, heights in reference coordinates and ascending."""
    trunk = (points[:, ARM] < 0.3) & (np.abs(points[:, X]) < 0.15)
    rows = []
    for low in np.arange(0.3, 0.72, 0.03):
        band = trunk & (points[:, Z] >= low - 0.015) & (points[:, Z] < low + 0.045)
        band &= np.abs(points[:, X]) > (0.05 if front else 0.0)
        if band.any():
            depth = rest[band, 1]
            rows.append((low + 0.015, float(depth.min() if front else depth.max())))
    return np.array(rows)

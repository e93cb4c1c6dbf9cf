"""A person as one mesh at rest: skin, eyes, garments and hair, with what hides below clothes taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.synthetic.body import Body, load_body
from pgen.synthetic.garment_edges import measure_bottom, measure_shoes, measure_top
from pgen.synthetic.garment_mesh import shape_shoes, shape_skirt, shape_top, shape_trousers
from pgen.synthetic.hair import build_hair_mesh, weigh_hair
from pgen.synthetic.landmarks import place_landmarks, weigh_landmarks
from pgen.synthetic.person import Person
from pgen.synthetic.regions import ARM, X, Z, smoothstep
from pgen.synthetic.surfaces import Surface, build_incidence, compute_vertex_normals, load_surfaces
from pgen.synthetic.wardrobe import Top


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
    cut: NDArray[np.bool_]  # (F,) triangles that a garment's edge may run through
    two_sided: NDArray[np.bool_]  # (F,)
    joints: NDArray[np.float64]  # (18, 3) at rest
    joint_weights: sparse.csr_matrix  # (18, B)
    top: Top  # as worn: tucked into the waistband or not
    hip_width: float  # metres, at the widest of hips and trousers

    @cached_property
    def meeting(self) -> sparse.csr_matrix:
        """Which triangles meet at each vertex: (N, F)."""
        return build_incidence(self.faces, len(self.rest))


@dataclass(frozen=True)
class _Part:
    layer: Layer
    rest: NDArray[np.floating]
    skinning: sparse.csr_matrix
    points: NDArray[np.floating]
    extra: NDArray[np.floating]
    faces: NDArray[np.integer]
    cut: NDArray[np.bool_]
    two_sided: NDArray[np.bool_]


@lru_cache(maxsize=8)
def build_person_mesh(person: Person) -> PersonMesh:
    """Dress a person's body."""
    body, parts_of = load_body(), load_surfaces()
    rest, heads = body.rest(body.components(np.array(person.phenotype)))
    at_rest = {name: rest[surface.vertices].astype(np.float64) for name, surface in parts_of.items()}
    normals = {
        name: compute_vertex_normals(at_rest[name].astype(np.float32), surface.faces, surface.meeting)
        for name, surface in parts_of.items()
    }
    top, bottom = person.top, person.bottom
    if top.tucked:
        top = replace(top, hem=bottom.waist - 0.012)
    suit, skirt = parts_of["suit"], parts_of["skirt"]

    parts = []
    top_rest = shape_top(top, at_rest["suit"], normals["suit"], suit.points)
    parts.append(_build_garment(Layer.TOP, suit, top_rest, measure_top(top, suit.points)))
    if bottom.kind == "skirt":
        lower_name, lower, lower_rest = (
            "skirt",
            skirt,
            shape_skirt(bottom, at_rest["skirt"], normals["skirt"], skirt.points),
        )
    else:
        chains = tuple(
            heads[[body.bone(f"{bone}.{side}") for bone in ("upperleg01", "lowerleg01", "foot")]] for side in "LR"
        )
        lower_name, lower = "suit", suit
        lower_rest = shape_trousers(bottom, at_rest["suit"], normals["suit"], suit.points, (chains[0], chains[1]))
    inside = measure_bottom(bottom, lower.points)
    hidden = None
    if not top.tucked:
        below = measure_top(top, lower.points)
        hidden = below > 0.035
        # The waistband must not pierce the top that hangs over it.
        lower_rest = lower_rest - normals[lower_name] * 0.006 * smoothstep(below, -0.02, 0.01)[:, None]
    parts.append(_build_garment(Layer.BOTTOM, lower, lower_rest, inside, hidden))
    shoe_rest = shape_shoes(person.shoes, at_rest["suit"], normals["suit"])
    covered = measure_bottom(bottom, suit.points) > 0.05 if bottom.kind != "skirt" else None
    parts.append(_build_garment(Layer.SHOES, suit, shoe_rest, measure_shoes(person.shoes, suit.points), covered))

    skin = parts_of["body"]
    cover = np.maximum(measure_top(top, skin.points), measure_bottom(bottom, skin.points))
    cover = np.maximum(cover, measure_shoes(person.shoes, skin.points))
    parts.append(_build_bare_part(Layer.SKIN, skin, at_rest["body"], hidden=cover > 0.035 + 0.05 * top.loose))
    parts.append(_build_bare_part(Layer.EYES, parts_of["eyes"], at_rest["eyes"]))
    parts.append(_build_hair(person, body, at_rest["body"], heads, top_rest))
    return _join_parts(
        parts,
        heads,
        top,
        place_landmarks(body, rest, heads),
        weigh_landmarks(body),
        hip_width=2 * max(_half_width(top_rest, suit.points, top.hem), _half_width(lower_rest, lower.points, 0.0)),
    )


def _half_width(rest: NDArray[np.floating], points: NDArray[np.floating], lowest: float) -> float:
    """How far a garment stands out to the side around the hips, where hands hang, metres."""
    around = (points[:, ARM] < 0.2) & (points[:, Z] > max(lowest, 0.06)) & (points[:, Z] < 0.24)
    return float(np.abs(rest[around, 0]).max()) if around.any() else 0.0


def _build_garment(
    layer: Layer,
    surface: Surface,
    rest: NDArray[np.floating],
    inside: NDArray[np.floating],
    hidden: NDArray[np.bool_] | None = None,
) -> _Part:
    """The triangles of a surface that a garment reaches."""
    corners = inside[surface.faces]
    kept = (corners > -0.03).any(axis=1)
    if hidden is not None:
        kept &= ~hidden[surface.faces].all(axis=1)
    faces, corners = surface.faces[kept], corners[kept]
    lowest = corners.min(axis=1)
    extra = np.zeros((len(rest), 2))
    both = lowest < (10.0 if layer is Layer.BOTTOM and surface is load_surfaces()["skirt"] else 0.12)
    return _Part(layer, rest, surface.skinning, surface.points, extra, faces, lowest < 0.03, both)


def _build_bare_part(
    layer: Layer, surface: Surface, rest: NDArray[np.floating], hidden: NDArray[np.bool_] | None = None
) -> _Part:
    faces = surface.faces
    if hidden is not None:
        faces = faces[~hidden[faces].all(axis=1)]
    extra = np.stack([surface.lips, np.zeros_like(surface.lips)], axis=1)
    none = np.zeros(len(faces), dtype=bool)
    return _Part(layer, rest, surface.skinning, surface.points, extra, faces, none, none)


def _build_hair(
    person: Person,
    body: Body,
    skin_rest: NDArray[np.floating],
    heads: NDArray[np.floating],
    top_rest: NDArray[np.floating],
) -> _Part:
    parts_of = load_surfaces()
    suit, skin = parts_of["suit"], parts_of["body"]
    mesh = build_hair_mesh(
        person.hair,
        _measure_profile(suit.points, top_rest, front=True),
        _measure_profile(suit.points, top_rest, front=False),
    )
    head = np.asarray(skin.skinning[:, body.bone("head")].todense()).ravel() > 0.5
    from_low, from_high = skin.points[head, :3].min(axis=0), skin.points[head, :3].max(axis=0)
    to_low, to_high = skin_rest[head].min(axis=0), skin_rest[head].max(axis=0)
    scale = (to_high - to_low) / (from_high - from_low)
    x, y, z = mesh.vertices.T
    bones = [body.bone(name) for name in ("root", "spine03", "spine01", "neck01")]
    heights = [*body.mean_heads[bones, 2], from_low[2], from_high[2], from_high[2] + 0.1]
    levels = [*heads[bones, 2], to_low[2], to_high[2], to_high[2] + 0.1 * scale[2]]
    order = np.argsort(heights)
    # Below the neck the profiles gave the person's own depth already.
    on_head = smoothstep(z, 0.69, 0.76)
    moved_y = to_low[1] + (y - from_low[1]) * scale[1]
    rest = np.stack(
        [
            x * (on_head * scale[0] + (1 - on_head)),
            on_head * moved_y + (1 - on_head) * y,
            np.interp(z, np.array(heights)[order], np.array(levels)[order]),
        ],
        axis=1,
    )
    points = np.zeros((len(rest), 6))
    points[:, :3] = mesh.vertices
    weights = sparse.csr_matrix(weigh_hair(body, mesh.vertices))
    none = np.zeros(len(mesh.faces), dtype=bool)
    return _Part(Layer.HAIR, rest, weights, points, mesh.strand, mesh.faces, none, none)


def _measure_profile(points: NDArray[np.floating], rest: NDArray[np.floating], front: bool) -> NDArray[np.floating]:
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


def _join_parts(
    parts: list[_Part],
    heads: NDArray[np.floating],
    top: Top,
    joints: NDArray[np.float64],
    joint_weights: sparse.csr_matrix,
    hip_width: float,
) -> PersonMesh:
    offsets = np.cumsum([0, *(len(part.rest) for part in parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, offsets[:-1], strict=True)])
    used, renumbered = np.unique(faces, return_inverse=True)

    def joined(arrays: list[NDArray[np.floating]]) -> NDArray[np.float32]:
        return np.concatenate(arrays)[used].astype(np.float32)

    return PersonMesh(
        heads=heads.astype(np.float32),
        rest=joined([part.rest for part in parts]),
        skinning=sparse.vstack([part.skinning for part in parts]).tocsr()[used].astype(np.float32),
        points=joined([part.points for part in parts]),
        extra=joined([part.extra for part in parts]),
        faces=renumbered.reshape(-1, 3),
        layers=np.concatenate([np.full(len(part.faces), part.layer) for part in parts]),
        cut=np.concatenate([part.cut for part in parts]),
        two_sided=np.concatenate([part.two_sided for part in parts]),
        joints=joints,
        joint_weights=joint_weights,
        top=top,
        hip_width=hip_width,
    )

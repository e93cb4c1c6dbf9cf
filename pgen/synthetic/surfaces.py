"""The body file's surfaces one by one: skin, eyes, suit and skirt, with what dressing a figure needs of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from pgen.synthetic import Array, Indices
from pgen.synthetic.body import SURFACES, Body, load_body
from pgen.synthetic.regions import Z, smoothstep, to_reference


@dataclass(frozen=True)
class Surface:
    """One of the body file's surfaces on its own."""

    vertices: NDArray[np.intp]  # indices into the body's
    faces: NDArray[np.intp]
    points: NDArray[np.float32]
    skinning: sparse.csr_matrix
    lips: NDArray[np.float32]


@lru_cache(maxsize=1)
def load_surfaces() -> dict[str, Surface]:
    body = load_body()
    points = to_reference(body)
    result = {}
    for name in SURFACES:
        vertices, faces = np.unique(body.faces[name], return_inverse=True)
        skinning = body.skinning[vertices]
        if name == "suit":
            skinning = _mix_in_skin(body, skinning, points[vertices])
        result[name] = Surface(vertices, faces.reshape(-1, 3), points[vertices], skinning, body.lips[vertices])
    return result


def _mix_in_skin(body: Body, skinning: sparse.csr_matrix, points: Array) -> sparse.csr_matrix:
    """The suit's skinning weights, with those of the skin below on the shoulders: straps must not come off them."""
    skin = np.unique(body.faces["body"])
    distance, nearest = cKDTree(body.mean[skin]).query(points[:, :3], k=4)
    share = 1 / (distance + 1e-3)
    share /= share.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 4)
    mixing = sparse.csr_matrix((share.ravel(), (rows, skin[nearest].ravel())), shape=(len(points), len(body.mean)))
    shoulders = smoothstep(points[:, Z], 0.5, 0.58)
    mixed = sparse.diags(shoulders) @ (mixing @ body.skinning) + sparse.diags(1 - shoulders) @ skinning
    return sparse.csr_matrix(mixed, dtype=np.float32)


def compute_vertex_normals(vertices: Array, faces: Indices) -> NDArray[np.float32]:
    """Unit normals (N, 3), the mean of the triangles' by area."""
    corner = vertices[faces[:, 0]]
    first, second = vertices[faces[:, 1]] - corner, vertices[faces[:, 2]] - corner
    entries = (np.ones(faces.size, dtype=np.float32), (faces.ravel(), np.repeat(np.arange(len(faces)), 3)))
    meeting = sparse.csr_matrix(entries, shape=(len(vertices), len(faces)))  # which triangles meet at each vertex
    summed = np.asarray(meeting @ np.cross(first, second), dtype=np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", summed, summed))
    return np.asarray(summed / (length[:, None] + 1e-12), dtype=np.float32)

"""The compact body: shape components, skeleton and linear blend skinning.

Axes, in metres: x to the person's left, y to the back, z up; at rest the arms hang half-way out (A-pose).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.errors import InputError
from pgen.synthetic import Array

BODY_FILE = Path(__file__).with_name("body.npz")

SURFACES = ("body", "eyes", "suit", "skirt")

#: What a body looks like in words, each 0-1: traits that vary on their own, and shares of origin, which sum to one.
TRAITS = ("gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness")
PHENOTYPES = (*TRAITS, "african", "asian", "caucasian")


@dataclass(frozen=True)
class Body:
    """Everything the body file holds. V vertices, B bones, K shape components.

    ``faces`` are triangles (F, 3) of vertex indices, one array a surface: the skin, the eyes, a tight suit over the
    whole body but head and hands, and a skirt down to the ankles.
    """

    mean: NDArray[np.float32]  # (V, 3) rest vertices of the mean shape
    mean_heads: NDArray[np.float32]  # (B, 3) where the mean shape's bones start
    basis: NDArray[np.float32]  # (K, V + B, 3) change by one standard deviation of each component
    regression: NDArray[np.float32]  # (features, K) from phenotype features to components
    bones: tuple[str, ...]
    parents: tuple[int, ...]
    skinning: sparse.csr_matrix  # (V, B) float32 weights, rows sum to 1
    lips: NDArray[np.float32]  # (V,) 0-1
    faces: dict[str, NDArray[np.intp]]

    def components(self, phenotype: Array) -> NDArray[np.float32]:
        """Shape components (K,) of a phenotype (11,), see ``PHENOTYPES``."""
        return np.asarray(multiply_phenotypes(phenotype) @ self.regression, dtype=np.float32)

    def rest(self, components: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vertices (V, 3) and bone heads (B, 3) of a shape, at rest."""
        flat = np.asarray(components, dtype=np.float32) @ self.basis.reshape(len(self.basis), -1)
        vertices, heads = np.split(flat.reshape(-1, 3), [len(self.mean)])
        return self.mean + vertices, self.mean_heads + heads

    def bone(self, name: str) -> int:
        return self.bones.index(name)

    def weight_of(self, *prefixes: str) -> NDArray[np.float32]:
        """How much each vertex (V,) follows the bones whose names start so (0-1)."""
        chosen = np.array([bone.startswith(prefixes) for bone in self.bones], dtype=np.float32)
        return np.asarray(self.skinning @ chosen, dtype=np.float32)


def multiply_phenotypes(phenotypes: Array) -> Array:
    """What the regression to shape components takes: 1, the phenotypes (..., 11) and their products; (..., 78)."""
    first, second = np.triu_indices(len(PHENOTYPES))
    products = phenotypes[..., first] * phenotypes[..., second]
    return np.concatenate([np.ones_like(phenotypes[..., :1]), phenotypes, products], axis=-1)


def compute_bone_transforms(body: Body, heads: Array, rotations: Mapping[str, Array]) -> NDArray[np.float64]:
    """Forward kinematics: (B, 3, 4) transforms from rest to posed space.

    ``rotations`` are 3x3 matrices by bone name, in the rest pose's axes relative to the parent bone; bones left out
    keep their rest orientation.
    """
    turn, place = np.empty((len(body.bones), 3, 3)), np.empty((len(body.bones), 3))
    rest = np.asarray(heads, dtype=np.float64)
    for index, (name, parent) in enumerate(zip(body.bones, body.parents, strict=True)):
        rotation = rotations.get(name, np.eye(3))
        if parent < 0:
            turn[index], place[index] = rotation, rest[index]
        else:
            turn[index] = turn[parent] @ rotation
            place[index] = place[parent] + turn[parent] @ (rest[index] - rest[parent])
    shift = place - np.einsum("bij,bj->bi", turn, rest)
    return np.concatenate([turn, shift[:, :, None]], axis=2)


def skin_vertices(vertices: Array, skinning: sparse.csr_matrix, transforms: Array) -> NDArray[np.float32]:
    """Linear blend skinning of rest vertices (N, 3) with weights (N, B) and transforms (B, 3, 4)."""
    blended = (skinning @ transforms.reshape(len(transforms), 12).astype(np.float32)).reshape(-1, 3, 4)
    posed = np.einsum("nij,nj->ni", blended[:, :, :3], vertices.astype(np.float32))
    return np.asarray(posed + blended[:, :, 3], dtype=np.float32)


@lru_cache(maxsize=2)
def load_body(path: Path = BODY_FILE) -> Body:
    """Read the body file once. Raises `InputError` if it is missing, damaged or not a body file."""
    remedy = "reinstall pgen or derive the file anew with python -m pgen.tools.derive_body"
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        bones = tuple(str(name) for name in arrays["bone_names"])
        count = len(arrays["mean"]) - len(bones)
        weights = arrays["weights"].astype(np.float32)
        weights /= weights.sum(axis=1, keepdims=True)
        rows = np.repeat(np.arange(count), weights.shape[1])
        entries = (weights.ravel(), (rows, arrays["weight_bones"].astype(np.intp).ravel()))
        body = Body(
            mean=arrays["mean"][:count],
            mean_heads=arrays["mean"][count:],
            basis=arrays["basis"].astype(np.float32),
            regression=arrays["regression"],
            bones=bones,
            parents=tuple(int(parent) for parent in arrays["bone_parents"]),
            skinning=sparse.csr_matrix(entries, shape=(count, len(bones)), dtype=np.float32),
            lips=arrays["lips"].astype(np.float32) / 255,
            faces={surface: arrays[f"faces_{surface}"].astype(np.intp) for surface in SURFACES},
        )
    except FileNotFoundError:
        raise InputError(f"{path}: the body file is missing; {remedy}") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a body file ({error}); {remedy}") from error
    largest = max(int(face.max()) for face in body.faces.values())
    if body.basis.shape[1:] != arrays["mean"].shape or largest >= count:
        raise InputError(f"{path}: the arrays of the body file do not fit each other; {remedy}")
    return body

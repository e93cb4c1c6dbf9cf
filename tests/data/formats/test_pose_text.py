from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from pgen.data.formats.keypoints import detect_pose_format, read_pose
from pgen.data.formats.pose_text import read_pose_text
from pgen.errors import InputError
from tests.data.examples import STANDING, any_pose
from tests.data.trees import write_text


@settings(max_examples=60)
@given(pose=any_pose(low=0))
def test_any_pose_comes_back(tmp_path_factory: pytest.TempPathFactory, pose: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    write_text(path, pose)
    np.testing.assert_allclose(read_pose_text(path), pose, rtol=1e-4)


def test_told_by_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeff-1 -1\r\n".encode() + b"\r\n".join(b"%d, %d" % (x, y) for x, y in STANDING[1:]))
    assert detect_pose_format(tmp_path / "a") == "text"
    loaded = read_pose(tmp_path / "a", default_name="photo.jpg")
    assert (loaded.name, loaded.frame) == ("a", None)
    assert np.isnan(loaded.pose[0]).all()
    np.testing.assert_array_equal(loaded.pose[1:], STANDING[1:])
    with pytest.raises(InputError, match="a holds no names"):
        read_pose(f"{tmp_path}/a:b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n" * 17, r"a\.txt has 17 rows; x y of 18 joints were expected"),
        ("1 2\n" * 19, "has 19 rows"),
        ("1 2\n" * 17 + "1 2 3", r"a\.txt, row 18: '1 2 3' is not of the form X Y"),
        ("1 2\n\n" + "1 x\n", r"row 3: '1 x' is not of the form X Y"),
        ("1 nan\n" * 18, r"row 1: '1 nan' is not a pixel coordinate"),
        ("1 1e30\n" * 18, r"row 1: '1 1e30' is not a pixel coordinate"),
    ],
)
def test_errors_name_the_row(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        read_pose_text(tmp_path / "a.txt")

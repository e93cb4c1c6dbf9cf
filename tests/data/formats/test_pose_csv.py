from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgen.data.formats.pose_text import is_pose_csv, read_pose_csv
from pgen.errors import InputError
from tests.data.examples import any_pose
from tests.data.pose_files import HEADER, write_pose_csv

YS, XS = str(list(range(100, 118))), str(list(range(18)))


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "k.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("separator", [":", ": ", " : "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_y_stands_before_x(tmp_path: Path, separator: str, end: str, start: str) -> None:
    text = start + HEADER.replace("\n", end) + separator.join(["a.jpg", YS, XS]) + end + end
    read = read_pose_csv(written(tmp_path, text))
    assert list(read) == ["a.jpg"]
    assert read["a.jpg"].dtype == np.float32
    np.testing.assert_array_equal(read["a.jpg"][:, 0], range(18))
    np.testing.assert_array_equal(read["a.jpg"][:, 1], range(100, 118))


def test_header_may_put_x_first(tmp_path: Path) -> None:
    path = written(tmp_path, f"name:keypoints_x:keypoints_y\na.jpg: {XS}: {YS}\n")
    np.testing.assert_array_equal(read_pose_csv(path)["a.jpg"][0], (0, 100))


def test_minus_one_is_missing(tmp_path: Path) -> None:
    ys = YS.replace("100", "-1").replace("101", "-1")
    xs = XS.replace("[0,", "[-1,")
    pose = read_pose_csv(written(tmp_path, f"{HEADER}a.jpg: {ys}: {xs}\n"))["a.jpg"]
    assert np.isnan(pose[:2]).all()
    assert np.isfinite(pose[2:]).all()


def test_names_may_hold_colons(tmp_path: Path) -> None:
    assert list(read_pose_csv(written(tmp_path, f"{HEADER}c:/a b.jpg: {YS}: {XS}\n"))) == ["c:/a b.jpg"]


def test_utf_16(tmp_path: Path) -> None:
    text = f"{HEADER}é.jpg: {YS}: {XS}\n"
    assert list(read_pose_csv(written(tmp_path, text.encode("utf-16")))) == ["é.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a.jpg: [1]: [2]\n", "row 1: .*begins with the header"),
        ("name,keypoints_y,keypoints_x\n", "row 1: .*begins with the header"),
        (HEADER + "a.jpg\n", "row 2: not of the form NAME"),
        (HEADER + f"a.jpg: {YS}\n", "row 2: not of the form NAME"),
        (HEADER + f"a.jpg: {YS}: {XS}\nb.jpg: [1, 2]: {XS}\n", "row 3: 2 coordinates instead of 18"),
        (HEADER + f"a.jpg: {YS}: [1 2]\n", r"row 2: \[1 2\] is not a list of numbers"),
        (HEADER + f"a.jpg: {YS}: {XS.replace('17', 'NaN')}\n", "row 2: .* not a list of pixel coordinates"),
        (HEADER + f"a.jpg: {YS}: {XS.replace('17', '1e999')}\n", "row 2: .* not a list of pixel coordinates"),
        (HEADER + f"a.jpg: {YS}: {XS.replace('17', '9' * 5000)}\n", "row 2: "),
        (HEADER + f"a.jpg: {YS}: {XS.replace('17', 'null')}\n", "row 2: .* not a list of pixel coordinates"),
        (HEADER + f"a.jpg: {YS}: {XS}\na.jpg: {XS}: {YS}\n", "row 3: a.jpg has another pose further up"),
    ],
)
def test_errors_name_file_and_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_pose_csv(written(tmp_path, text))
    assert "k.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_repeated_rows_are_one(tmp_path: Path) -> None:
    assert len(read_pose_csv(written(tmp_path, HEADER + f"a.jpg: {YS}: {XS}\n" * 2))) == 1


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda name: name == name.strip() and len(name.splitlines()) == 1
)


@given(table=st.dictionaries(names, any_pose(), max_size=4))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, table: dict[str, np.ndarray]) -> None:
    path = tmp_path_factory.mktemp("csv") / "k.csv"
    write_pose_csv(path, table)
    read = read_pose_csv(path)
    assert list(read) == list(table)
    for name, pose in table.items():
        np.testing.assert_allclose(read[name], pose, atol=1.1e-3)


def test_known_joints_at_minus_one_stay_known(tmp_path: Path) -> None:
    write_pose_csv(tmp_path / "k.csv", {"a": np.full((18, 2), -1, np.float32)})
    np.testing.assert_allclose(read_pose_csv(tmp_path / "k.csv")["a"], -1, atol=2e-3)


def test_is_known_by_its_header() -> None:
    assert is_pose_csv(HEADER)
    assert is_pose_csv("name: keypoints_y: keypoints_x\r\n")
    assert not is_pose_csv("from,to\n")

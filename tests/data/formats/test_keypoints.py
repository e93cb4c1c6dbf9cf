from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.formats.keypoints import detect_pose_format, read_pose
from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import InputError
from tests.data.examples import SIZE, STANDING, write_store
from tests.data.pose_files import write_pose_csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each kind, misnamed: their content tells."""
    write_pose_csv(tmp_path / "one.txt", {"a.jpg": STANDING})
    many = {name: STANDING + index for index, name in enumerate(("x/a.jpg", "x/b.jpg", "y/b.jpg"))}
    write_pose_csv(tmp_path / "many.txt", many)
    write_pose_json(tmp_path / "pose.txt", STANDING, (200, 100))
    write_store(tmp_path / "store.bin")
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.txt", "PNG")
    return tmp_path


def test_format_is_told_by_content(folder: Path) -> None:
    formats = {path.name: detect_pose_format(path) for path in folder.iterdir()}
    assert formats == {
        "one.txt": "csv", "many.txt": "csv", "pose.txt": "json", "store.bin": "store", "photo.txt": "image",
    }  # fmt: skip


def test_csv(folder: Path) -> None:
    loaded = read_pose(folder / "one.txt")
    assert (loaded.name, loaded.frame) == ("a.jpg", None)
    np.testing.assert_array_equal(loaded.pose, STANDING)
    np.testing.assert_array_equal(read_pose(f"{folder}/many.txt:x/b.jpg").pose, STANDING + 1)
    assert read_pose(f"{folder}/many.txt:a.jpg").name == "x/a.jpg"
    assert read_pose(folder / "many.txt", default_name="a.jpg").name == "x/a.jpg"
    assert read_pose(folder / "one.txt", default_name="other.jpg").name == "a.jpg"


def test_json(folder: Path) -> None:
    loaded = read_pose(folder / "pose.txt", default_name="photo.jpg")
    assert loaded.frame == (200, 100)
    np.testing.assert_array_equal(loaded.pose, STANDING)


def test_person_of_a_photo(tmp_path: Path) -> None:
    people = [
        {"pose_keypoints_2d": [n for x, y in (STANDING * scale).tolist() for n in (x, y, 1)]} for scale in (1, 2, 1.5)
    ]
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"people": people}))
    np.testing.assert_array_equal(read_pose(path).pose, STANDING * 2)
    np.testing.assert_array_equal(read_pose(path, person=0).pose, STANDING)
    for person in (3, -1):
        with pytest.raises(InputError, match=f"it has 3 people, 0 to 2, and no person {person}"):
            read_pose(path, person=person)


def test_store(folder: Path) -> None:
    loaded = read_pose(f"{folder}/store.bin:001.png")
    assert (loaded.name, loaded.frame) == ("001.png", SIZE)
    np.testing.assert_array_equal(loaded.pose, STANDING + 1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gone.csv", "does not exist"),
        ("many.txt", r"has 3 poses; name one of them, such as .*many\.txt:x/a\.jpg"),
        ("many.txt:x/c.jpg", r"many\.txt has no 'x/c\.jpg'; did you mean x/[ab]\.jpg"),
        ("many.txt:b.jpg", r"many\.txt has no 'b\.jpg'; did you mean"),
        ("store.bin:00.png", r"has no '00\.png'; did you mean"),
        ("store.bin", "has 6 poses; name one of them"),
        ("pose.txt:a", r"pose\.txt holds no names"),
        ("photo.txt", "is a photo, not a pose"),
        (".", "is a folder"),
    ],
)
def test_errors_name_the_remedy(folder: Path, spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_pose(f"{folder}/{spec}")


def test_missing_row_of_the_photo(folder: Path) -> None:
    with pytest.raises(InputError, match=r"has no 'b\.jpg'; did you mean .*; name the row as .*many\.txt:NAME"):
        read_pose(folder / "many.txt", default_name="b.jpg")


def test_what_is_no_pose(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# notes")
    with pytest.raises(InputError, match=r"notes\.md is no pose: a keypoint CSV .* was expected"):
        read_pose(tmp_path / "notes.md")

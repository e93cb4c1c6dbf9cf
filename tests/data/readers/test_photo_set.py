from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.data.example import Drop
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.readers.folder import find_folder
from pgen.data.readers.given import GivenFiles
from pgen.data.readers.person_checks import joints_on_body
from pgen.data.readers.photo_checks import check_photos
from pgen.errors import InputError
from tests.data.examples import STANDING, read_photos
from tests.data.folder_tree import SHOTS, write_set
from tests.data.trees import Shot, write_map, write_photo


def test_single_photos_that_do_not_fit_are_dropped(tmp_path: Path) -> None:
    write_set(tmp_path)
    names = [shot.nested.replace(".jpg", ".npy") for shot in SHOTS]
    write_map(tmp_path / "parsing" / names[0], np.roll(SHOTS[0].example.parsing, 64, axis=1))
    write_map(tmp_path / "parsing" / names[1], SHOTS[1].example.parsing[::2])
    write_map(tmp_path / "parsing" / names[2], SHOTS[2].example.parsing + 1)
    write_map(tmp_path / "parsing" / names[3], np.full((128, 128), 255))
    (tmp_path / "parsing" / names[4]).write_bytes(b"")
    found = find_folder(tmp_path)
    check_photos(found)
    items = {item.name: item for item in read_photos(found)}
    drops = [items[shot.nested] for shot in SHOTS[:6]]
    assert [drop.reason if isinstance(drop, Drop) else "" for drop in drops] == [
        "keypoints off the body", "parsing map of another size", "labels out of range", "labels out of range",
        "parsing map cannot be used", "",
    ]  # fmt: skip
    details = [drop.detail if isinstance(drop, Drop) else "" for drop in drops]
    assert "of the joints lie on the body of" in details[0]
    assert "is 64x128, the photo 128x128" in details[1]
    assert "has label ids 10, which spt10 does not have" in details[2]
    assert "is empty" in details[4]


def test_a_dress_that_cannot_be_split_is_dropped(tmp_path: Path) -> None:
    def hipless(shot: Shot) -> np.ndarray:
        pose = shot.example.pose.copy()
        pose[[8, 11]] = np.nan
        return pose

    write_set(tmp_path, hipless, lambda shot: np.where(shot.example.parsing == 0, 0, 6))
    item = next(read_photos(find_folder(tmp_path, GivenFiles(scheme=load_scheme("lip20")))))
    assert isinstance(item, Drop)
    assert item.reason == "parsing map cannot be merged"
    assert item.detail.endswith(".npy has a dress, which is split at the hips, and a pose without them")


def test_too_few_joints_to_judge() -> None:
    pose = STANDING.copy()
    pose[4:] = np.nan
    assert joints_on_body(pose, np.ones((128, 128), np.uint8)) is None
    assert joints_on_body(STANDING, np.ones((128, 128), np.uint8)) == 1
    assert joints_on_body(STANDING, np.zeros((128, 128), np.uint8)) == 0


def test_colliding_photos(tmp_path: Path) -> None:
    write_set(tmp_path)
    first = SHOTS[0]
    write_photo(tmp_path / "images" / first.nested.replace(".jpg", ".png"), first.example.image)
    with pytest.raises(
        InputError, match=r"parsing: .* may belong to .*\.jpg or .*\.png; give it the photo's whole name"
    ):
        find_folder(tmp_path)
    write_map(tmp_path / "parsing" / f"{first.nested}.npy", first.example.parsing)
    write_map(tmp_path / "parsing" / first.nested.replace(".jpg", ".png.npy"), first.example.parsing)
    (tmp_path / "parsing" / first.nested.replace(".jpg", ".npy")).unlink()
    assert len(find_folder(tmp_path).photos) == len(SHOTS) + 1
    write_map(tmp_path / "parsing" / f"{first.nested}.png", first.example.parsing)
    with pytest.raises(InputError, match=r"\.npy and .*\.png are both the parsing map of"):
        find_folder(tmp_path)

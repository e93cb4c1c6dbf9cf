from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pgen.data.example import Drop, Example
from pgen.data.folder import find_folder
from pgen.data.parsing_schemes import load_scheme
from pgen.data.photo_checks import check_photos
from pgen.data.photo_set import on_body
from pgen.errors import InputError
from tests.data.examples import STANDING
from tests.data.trees import Shot, in_scheme, shots, write_csv, write_map, write_openpose, write_photo, write_text

SHOTS = shots((128, 128))


def write_set(
    root: Path,
    pose: Callable[[Shot], np.ndarray] = lambda shot: shot.example.pose,
    parsing: Callable[[Shot], np.ndarray] = lambda shot: shot.example.parsing,
) -> Path:
    for shot in SHOTS:
        write_photo(root / "images" / shot.nested, shot.example.image)
        write_map(root / "parsing" / shot.nested.replace(".jpg", ".npy"), parsing(shot))
    write_csv(root / "keypoints.csv", {shot.nested: pose(shot) for shot in SHOTS})
    return root


def test_a_right_set_passes(tmp_path: Path) -> None:
    found = find_folder(write_set(tmp_path))
    assert check_photos(found) == ()
    assert all(isinstance(item, Example) for item in found.examples())


@pytest.mark.parametrize("name", ["lip20", "cihp20", "atr18", "adgan8"])
def test_a_right_scheme_passes(tmp_path: Path, name: str) -> None:
    write_set(tmp_path, parsing=lambda shot: in_scheme(shot.example.parsing, name))
    found = find_folder(tmp_path, scheme=load_scheme(name))
    assert check_photos(found) == ()
    for item in found.examples():
        assert isinstance(item, Example)


@pytest.mark.parametrize(
    ("true", "taken", "message"),
    [
        (
            "lip20",
            "spt10",
            r"label ids 1\d, .* which spt10 does not have; say with --parsing-scheme .*, perhaps cihp20 or lip20$",
        ),
        ("atr18", "spt10", r"which spt10 does not have; .*, perhaps atr18$"),
        (
            "adgan8",
            "spt10",
            r"noses lie on the face in only 0% of them if their labels are read as spt10; .*, perhaps adgan8, or keyp",
        ),
        ("spt10", "adgan8", "which adgan8 does not have; .*perhaps spt10"),
        ("atr18", "lip20", "read as lip20; .*, perhaps atr18, or"),
        ("spt10", "lip20", "read as lip20; .*, perhaps spt10, or"),
        ("adgan8", "lip20", "knees lie on trousers, skirt or legs in only 0% .* read as lip20; .*, perhaps adgan8, or"),
    ],
)
def test_maps_of_another_scheme(tmp_path: Path, true: str, taken: str, message: str) -> None:
    write_set(tmp_path, parsing=lambda shot: in_scheme(shot.example.parsing, true))
    with pytest.raises(InputError, match=message):
        check_photos(find_folder(tmp_path, scheme=load_scheme(taken)))


def test_lip_and_cihp_differ_in_one_label(tmp_path: Path) -> None:
    def parsing(shot: Shot) -> np.ndarray:
        ids = in_scheme(shot.example.parsing, "lip20")
        ids[np.nonzero(ids == 13)[0][-1:], np.nonzero(ids == 13)[1][-1:]] = 10
        ids[0, 0] = 10
        return ids

    write_set(tmp_path, parsing=parsing)
    (doubt,) = check_photos(find_folder(tmp_path, scheme=load_scheme("lip20")))
    assert doubt.startswith("100% of the maps have the label 10, a jumpsuit in lip20; in cihp20 it is the skin")
    assert check_photos(find_folder(tmp_path, scheme=load_scheme("cihp20"))) == ()


def test_swapped_coordinates(tmp_path: Path) -> None:
    write_set(tmp_path, pose=lambda shot: shot.example.pose[:, ::-1])
    with pytest.raises(
        InputError, match=r"keypoints\.csv: .* bodies lie on their side; if its lists .* name:keypoints_x"
    ):
        check_photos(find_folder(tmp_path))
    for shot in SHOTS:
        write_text(tmp_path / "text" / shot.nested.replace(".jpg", ".txt"), shot.example.pose[:, ::-1])
    with pytest.raises(InputError, match=r"text: .*on their side; x stands before y in such files"):
        check_photos(find_folder(tmp_path, keypoints=[tmp_path / "text"]))


def test_all_poses_missing(tmp_path: Path) -> None:
    write_set(tmp_path, pose=lambda shot: shot.example.pose * np.nan)
    with pytest.raises(InputError, match=r"keypoints\.csv: every joint of every pose is missing; look at the file"):
        check_photos(find_folder(tmp_path))


def test_maps_of_other_people(tmp_path: Path) -> None:
    place = {shot.nested: index for index, shot in enumerate(SHOTS)}
    write_set(tmp_path, parsing=lambda shot: SHOTS[(place[shot.nested] + 5) % len(SHOTS)].example.parsing)
    with pytest.raises(
        InputError, match=r"keypoints\.csv and the parsing maps do not show the same people: .*; check that"
    ):
        check_photos(find_folder(tmp_path))


def test_poses_off_the_bodies(tmp_path: Path) -> None:
    write_set(tmp_path, parsing=lambda shot: np.roll(shot.example.parsing, 64, axis=1))
    with pytest.raises(InputError, match=r"in most of them only \d+% of the joints lie on the body; check that"):
        check_photos(find_folder(tmp_path))
    elsewhere = np.zeros((128, 128))
    elsewhere[:, :10] = 3
    write_set(tmp_path, parsing=lambda shot: elsewhere)
    with pytest.raises(InputError, match=r"in most of them only \d+% of the joints lie on the body; check that"):
        check_photos(find_folder(tmp_path))


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
    items = {item.name: item for item in found.examples()}
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
    item = next(find_folder(tmp_path, scheme=load_scheme("lip20")).examples())
    assert isinstance(item, Drop)
    assert item.reason == "parsing map cannot be merged"
    assert item.detail.endswith(".npy has a dress, which is split at the hips, and a pose without them")


def test_too_few_joints_to_judge() -> None:
    pose = STANDING.copy()
    pose[4:] = np.nan
    assert on_body(pose, np.ones((128, 128), np.uint8)) is None
    assert on_body(STANDING, np.ones((128, 128), np.uint8)) == 1
    assert on_body(STANDING, np.zeros((128, 128), np.uint8)) == 0


def test_frames_that_files_tell_are_checked(tmp_path: Path) -> None:
    write_set(tmp_path)
    for shot in SHOTS:
        path = tmp_path / "openpose" / shot.nested.replace(".jpg", "_keypoints.json")
        write_openpose(path, [shot.example.pose * 4], canvas=(128, 128))
    with pytest.raises(InputError, match=r"openpose: .*have joints outside of 128x128; say with --frame"):
        check_photos(find_folder(tmp_path, keypoints=[tmp_path / "openpose"]))


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


def test_splits_of_a_folder(tmp_path: Path) -> None:
    """All photos of people who are in pairs are for testing; lists, if there are any, decide."""
    write_set(tmp_path)
    names = [shot.nested for shot in SHOTS]
    (tmp_path / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
    photos = {photo.name: photo for photo in find_folder(tmp_path).photos}
    same = [name for name in names if photos[name].person == photos[names[0]].person]
    assert [name for name in names if photos[name].split == "test"] == same
    (tmp_path / "pairs.csv").unlink()
    (tmp_path / "train.lst").write_text("\n".join(names[2:4]))
    (tmp_path / "test.lst").write_text("\n".join([*names[:2], names[5]]))
    found = find_folder(tmp_path)
    assert {photo.name: photo.split for photo in found.photos} == {
        **dict.fromkeys(names[2:4], "train"), **dict.fromkeys([*names[:2], names[5]], "test"),
    }  # fmt: skip
    assert found.notes == (f"{len(SHOTS) - 5} photos that are neither for training nor for testing are left aside",)
    (tmp_path / "train.lst").write_text(names[4])  # the other photo of a person for testing
    assert [(drop.name, drop.reason) for drop in find_folder(tmp_path).drops] == [
        (names[4], "person also among those for testing")
    ]

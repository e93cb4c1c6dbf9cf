from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.data.example import Example
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.readers.folder import find_folder
from pgen.data.readers.given import GivenFiles
from pgen.data.readers.photo_checks import check_photos
from pgen.errors import InputError
from tests.data.examples import read_photos
from tests.data.folder_tree import SHOTS, write_set
from tests.data.trees import Shot, in_scheme, write_openpose, write_text


def test_a_right_set_passes(tmp_path: Path) -> None:
    found = find_folder(write_set(tmp_path))
    assert check_photos(found) == ()
    assert all(isinstance(item, Example) for item in read_photos(found))


@pytest.mark.parametrize("name", ["lip20", "cihp20", "atr18", "adgan8"])
def test_a_right_scheme_passes(tmp_path: Path, name: str) -> None:
    write_set(tmp_path, parsing=lambda shot: in_scheme(shot.example.parsing, name))
    found = find_folder(tmp_path, GivenFiles(scheme=load_scheme(name)))
    assert check_photos(found) == ()
    for item in read_photos(found):
        assert isinstance(item, Example)


@pytest.mark.parametrize(
    ("true", "taken", "message"),
    [
        (
            "lip20",
            "spt10",
            r"label ids 1\d, .* which spt10 does not have; give the scheme .*, perhaps cihp20 or lip20$",
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
        check_photos(find_folder(tmp_path, GivenFiles(scheme=load_scheme(taken))))


def test_lip_and_cihp_differ_in_one_label(tmp_path: Path) -> None:
    def parsing(shot: Shot) -> np.ndarray:
        ids = in_scheme(shot.example.parsing, "lip20")
        ids[np.nonzero(ids == 13)[0][-1:], np.nonzero(ids == 13)[1][-1:]] = 10
        ids[0, 0] = 10
        return ids

    write_set(tmp_path, parsing=parsing)
    (doubt,) = check_photos(find_folder(tmp_path, GivenFiles(scheme=load_scheme("lip20"))))
    assert doubt.startswith("100% of the maps have the label 10, a jumpsuit in lip20; in cihp20 it is the skin")
    assert check_photos(find_folder(tmp_path, GivenFiles(scheme=load_scheme("cihp20")))) == ()


def test_swapped_coordinates(tmp_path: Path) -> None:
    write_set(tmp_path, pose=lambda shot: shot.example.pose[:, ::-1])
    with pytest.raises(
        InputError, match=r"keypoints\.csv: .* bodies lie on their side; if its lists .* name:keypoints_x"
    ):
        check_photos(find_folder(tmp_path))
    for shot in SHOTS:
        write_text(tmp_path / "text" / shot.nested.replace(".jpg", ".txt"), shot.example.pose[:, ::-1])
    with pytest.raises(InputError, match=r"text: .*on their side; x stands before y in such files"):
        check_photos(find_folder(tmp_path, GivenFiles(keypoints=[tmp_path / "text"])))


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


def test_a_given_frame_is_checked(tmp_path: Path) -> None:
    write_set(tmp_path, pose=lambda shot: shot.example.pose * 2)
    assert check_photos(find_folder(tmp_path, GivenFiles(frame=(256, 256)))) == ()
    with pytest.raises(InputError, match=r"have joints outside of 128x64; give the frame"):
        check_photos(find_folder(tmp_path, GivenFiles(frame=(128, 64))))


def test_frames_that_files_tell_are_checked(tmp_path: Path) -> None:
    write_set(tmp_path)
    for shot in SHOTS:
        path = tmp_path / "openpose" / shot.nested.replace(".jpg", "_keypoints.json")
        write_openpose(path, [shot.example.pose * 4], canvas=(128, 128))
    with pytest.raises(InputError, match=r"openpose: .*have joints outside of 128x128; give the frame"):
        check_photos(find_folder(tmp_path, GivenFiles(keypoints=[tmp_path / "openpose"])))

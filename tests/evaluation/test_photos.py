from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.formats.pose_json import write_pose_json
from pgen.errors import InputError
from pgen.evaluation.photos import FolderPhotos, StorePhotos
from tests.data.examples import STANDING, write_store
from tests.data.pose_files import write_pose_csv
from tests.evaluation.folders import PHOTOS, SIZE, photo, write_photos


def test_a_store_brings_everything(tmp_path: Path) -> None:
    photos = StorePhotos(write_store(tmp_path / "s.h5"))
    assert photos.pairs() == [("000.png", "002.png")]
    assert photos.split("train") == ["001.png", "003.png", "005.png"]
    one = photos.load("001.png")
    assert one.pose is not None
    assert one.parsing is not None
    assert (one.parsing == 3).any()
    assert photos.person("001.png") == "p1"
    assert photos.find("001.jpg") == "001.png"
    again = pickle.loads(pickle.dumps(photos))
    assert again.digest("001.png") == photos.digest("001.png") != photos.digest("000.png")
    with pytest.raises(InputError, match="no image"):
        photos.load("7.png")


def test_a_folder_with_keypoints(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "true")
    photos = FolderPhotos(folder, [tmp_path / "keypoints.csv"])
    assert photos.has_poses
    name = photos.find(PHOTOS[3])
    assert name == f"{PHOTOS[3][:-4]}.png"
    one = photos.load(name)
    np.testing.assert_array_equal(one.image, photo(PHOTOS[3]))
    np.testing.assert_allclose(one.pose, STANDING * 0.37, atol=0.01)
    assert not FolderPhotos(folder).has_poses
    assert photos.digest(name) != FolderPhotos(folder).digest(name)
    assert pickle.loads(pickle.dumps(photos)).digest(name) == photos.digest(name)


def test_a_photo_and_a_pose_that_cannot_be_read_cost_no_others(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "true")
    (tmp_path / "poses").mkdir()
    for name in PHOTOS:
        write_pose_json(tmp_path / "poses" / f"{name[:-4]}.json", STANDING * 0.37)
    (tmp_path / "poses" / f"{PHOTOS[0][:-4]}.json").write_text('{"people": []}')
    (folder / f"{PHOTOS[1][:-4]}.png").write_bytes(b"no photo")
    photos = FolderPhotos(folder, [tmp_path / "poses"])
    assert photos.load(f"{PHOTOS[2][:-4]}.png").pose is not None
    for name, message in ((PHOTOS[0], "no people"), (PHOTOS[1], "not an image")):
        with pytest.raises(InputError, match=message):
            photos.load(f"{name[:-4]}.png")


def test_names_of_deepfashion_are_matched_by_letters(tmp_path: Path) -> None:
    place = tmp_path / "true" / "WOMEN" / "Tees_Tanks" / "id_00007838"
    place.mkdir(parents=True)
    Image.fromarray(photo("x")).save(place / "05_7_additional.jpg")
    write_pose_csv(tmp_path / "k.csv", {"fashionWOMENTees_Tanksid_0000783805_7additional.jpg": STANDING * 0.37})
    photos = FolderPhotos(tmp_path / "true", [tmp_path / "k.csv"])
    assert photos.has_poses
    assert photos.find("fasionWOMENTees_Tanksid_0000783805_7additional") == photos.names()[0]


def test_keypoints_of_another_frame(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "true")
    wide = STANDING * np.float32(0.74) + (np.float32(0.5 * (128 - 2 * SIZE[1])), 0)
    write_pose_csv(tmp_path / "wide.csv", dict.fromkeys(PHOTOS, wide))
    with pytest.raises(InputError, match="give the frame"):
        FolderPhotos(folder, [tmp_path / "wide.csv"])
    photos = FolderPhotos(folder, [tmp_path / "wide.csv"], (128, 128))
    pose = photos.load(photos.names()[0]).pose
    assert pose is not None
    np.testing.assert_allclose(pose, STANDING * 0.37 - 0.25, atol=0.3)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        FolderPhotos(tmp_path / "none")
    folder = write_photos(tmp_path / "true")
    write_pose_csv(tmp_path / "other.csv", {"somebody.jpg": STANDING})
    with pytest.raises(InputError, match=r"no row belongs .* 'somebody.jpg'"):
        FolderPhotos(folder, [tmp_path / "other.csv"])
    with pytest.raises(InputError, match=r"no photo b\.png"):
        FolderPhotos(folder).digest("b.png")

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.example import ROW_WITHOUT_PHOTO, Drop, Example
from pgen.data.formats.parsing import write_parsing
from pgen.data.readers.folder import find_folder
from pgen.data.readers.given import GivenFiles
from pgen.data.readers.photo_checks import check_photos
from pgen.data.store import Store
from pgen.errors import InputError
from pgen.preparation import prepare
from tests.data.examples import STANDING, read_photos, write_folder
from tests.data.pose_files import write_pose_csv


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "set")


def by_name(root: Path, **options: object) -> dict[str, Example | Drop]:
    return {item.name: item for item in read_photos(find_folder(root, GivenFiles(**options)))}  # type: ignore[arg-type]


def test_one_file_is_as_good_as_a_list_of_one(root: Path) -> None:
    keypoints, pairs = str(root / "keypoints.csv"), root / "pairs.csv"
    pairs.write_text("from,to\na.png,b.png\n")
    made = [
        prepare("folder", root / f"{name}.h5", root, keypoints=files[0], pairs=files[1], annotate=files[2], workers=1)
        for name, files in {"one": (keypoints, pairs, "parsing"), "list": ([keypoints], [pairs], ["parsing"])}.items()
    ]
    assert [(one.kept, one.pairs) for one in made] == [(3, 1), (3, 1)]
    assert len({str(Store(one.out).provenance["options"]) for one in made}) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_whole_folder(root: Path, workers: int) -> None:
    found = find_folder(root)
    items = list(read_photos(found, workers))
    assert [item.name for item in items] == ["a.png", "b.png", "c.png"]
    assert len(found) == 3
    assert found.pairs == [("a.png", "b.png")]
    first, second, third = items
    assert isinstance(first, Example)
    assert isinstance(second, Example)
    assert isinstance(third, Example)
    assert (first.split, second.split, third.split) == ("test", "test", "train")
    assert first.person == second.person != third.person
    np.testing.assert_array_equal(first.pose, STANDING)
    assert first.parsing.dtype == np.uint8
    assert first.image.shape == (*first.parsing.shape, 3) == (128, 128, 3)


def test_photos_and_maps_side_by_side(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set")
    for file in [*(root / "images").iterdir(), *(root / "parsing").iterdir()]:
        file.rename(root / file.name)
    (root / "images").rmdir()
    (root / "parsing").rmdir()
    (root / "pairs.csv").unlink()
    (root / "keypoints.csv").rename(root / "other.csv")
    items = by_name(root)
    assert set(items) == {"a.png", "b.png", "c.png"}
    assert all(isinstance(item, Example) and item.split == "train" for item in items.values())


def test_folders_inside_are_people(tmp_path: Path) -> None:
    items = by_name(write_folder(tmp_path, ("p1/a.png", "p1/b.png", "p2/a.png")))
    people = {name: item.person for name, item in items.items() if isinstance(item, Example)}
    assert people["p1/a.png"] == people["p1/b.png"] != people["p2/a.png"]


def test_a_single_folder_of_all_photos_is_nobody(tmp_path: Path) -> None:
    root = write_folder(tmp_path, ("photos/a.png", "photos/b.png", "photos/c.png"))
    (root / "pairs.csv").unlink(missing_ok=True)
    found = find_folder(root)
    people = {item.person for item in read_photos(found) if isinstance(item, Example)}
    assert people == {"photos/a.png", "photos/b.png", "photos/c.png"}
    assert any("one of each person" in note for note in found.notes)
    said = find_folder(root, people="folder")
    assert {item.person for item in read_photos(said) if isinstance(item, Example)} == {"photos/"}
    assert not said.notes


def test_rows_may_name_the_file_alone(tmp_path: Path) -> None:
    root = write_folder(tmp_path, ("x/a.png", "x/b.png"))
    write_pose_csv(root / "keypoints.csv", {"a.png": STANDING, "b.png": STANDING + 1})
    (root / "pairs.csv").write_text("from,to\nb.png,a.png\n")
    found = find_folder(root)
    assert found.pairs == [("x/b.png", "x/a.png")]
    poses = {item.name: item.pose for item in read_photos(found) if isinstance(item, Example)}
    np.testing.assert_array_equal(poses["x/b.png"], STANDING + 1)


def test_png_maps_in_their_folder(root: Path) -> None:
    maps = root / "images" / "maps"  # within the photos, yet none of them
    maps.mkdir()
    for file in (root / "parsing").iterdir():
        write_parsing(maps / f"{file.stem}.png", np.load(file).astype(np.uint8))
    shutil.rmtree(root / "parsing")
    items = by_name(root, parsing=maps)
    assert set(items) == {"a.png", "b.png", "c.png"}
    assert all(isinstance(item, Example) for item in items.values())


def test_frame_of_the_keypoints(root: Path) -> None:
    half = dict.fromkeys(("a.png", "b.png", "c.png"), (STANDING + 0.5) / 2 - 0.5)
    write_pose_csv(root / "keypoints.csv", half)
    item = by_name(root, frame=(64, 64))["a.png"]
    assert isinstance(item, Example)
    np.testing.assert_allclose(item.pose, STANDING, atol=2e-3)


def test_what_cannot_be_used_is_dropped_with_the_reason(tmp_path: Path) -> None:
    names = tuple(f"{letter}.png" for letter in "abcdefg")
    root = write_folder(tmp_path, names)
    table = {name: STANDING for name in names if name != "a.png"} | {"nobody.png": STANDING}
    write_pose_csv(root / "keypoints.csv", table)
    (root / "parsing" / "b.npy").unlink()
    (root / "images" / "c.png").write_bytes(b"no photo")
    np.save(root / "parsing" / "d.npy", np.full((128, 128), 77))
    np.save(root / "parsing" / "e.npy", np.zeros((64, 64), np.uint8))
    drops = {name: item for name, item in by_name(root).items() if isinstance(item, Drop)}
    assert {name: drop.reason for name, drop in drops.items()} == {
        "a.png": "no row in the keypoints",
        "b.png": "no parsing map",
        "c.png": "photo cannot be read",
        "d.png": "labels out of range",
        "e.png": "parsing map of another size",
    }
    assert [(row.name, row.reason) for row in find_folder(root).missing] == [("nobody.png", ROW_WITHOUT_PHOTO)]
    assert "label ids 77" in drops["d.png"].detail
    assert "is 64x64, the photo 128x128" in drops["e.png"].detail


def test_missing_things_are_named(root: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"gone is not a folder"):
        find_folder(tmp_path / "gone")
    with pytest.raises(InputError, match=r"no keypoint CSV; name one, or estimate"):
        find_folder(empty)
    with pytest.raises(InputError, match=r"k\.csv does not exist"):
        find_folder(root, GivenFiles(keypoints=[root / "k.csv"]))
    with pytest.raises(InputError, match=r"is not a folder; give the folder of the parsing maps"):
        find_folder(root, GivenFiles(parsing=root / "maps"))
    with pytest.raises(InputError, match=r"p\.csv does not exist"):
        find_folder(root, GivenFiles(pairs=[root / "p.csv"]))
    with pytest.raises(InputError, match="empty has no photos"):
        find_folder(empty, GivenFiles(keypoints=[root / "keypoints.csv"]))
    (root / "keypoints.csv").rename(root / "one.csv")
    shutil.copy(root / "one.csv", root / "two.csv")
    with pytest.raises(InputError, match=r"2 keypoint CSVs; name one of them$"):
        find_folder(root)


def test_pairs_of_unknown_photos(root: Path) -> None:
    (root / "pairs.csv").write_text("from,to\na.png,d.png\n")
    with pytest.raises(InputError, match=r"pairs\.csv: of none .* lacks 'd\.png'; did you mean"):
        find_folder(root)


def test_keypoints_of_other_photos(root: Path) -> None:
    write_pose_csv(root / "keypoints.csv", {"x.png": STANDING})
    with pytest.raises(InputError, match=r"no row belongs to any photo .*'x\.png', the first photo 'a\.png'"):
        find_folder(root)


def test_wrong_frame_is_refused(root: Path) -> None:
    poses = dict.fromkeys(("a.png", "b.png", "c.png"), STANDING * 2)
    write_pose_csv(root / "keypoints.csv", poses)
    with pytest.raises(InputError, match=r"keypoints\.csv: .*outside of 128x128; .*perhaps 256x256"):
        check_photos(find_folder(root))


def test_a_photo_that_cannot_be_read_does_not_stop_the_check(root: Path) -> None:
    (root / "images" / "a.png").write_bytes(b"")
    assert isinstance(by_name(root)["a.png"], Drop)


def test_rotated_photo_is_upright_before_it_is_compared(root: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (128, 100)).save(root / "images" / "a.png", exif=exif)
    np.save(root / "parsing" / "a.npy", np.ones((128, 100), np.uint8))
    item = by_name(root)["a.png"]
    assert isinstance(item, Example)
    assert item.image.shape == (128, 100, 3)


def test_hidden_folders_hold_copies(root: Path) -> None:
    before = [(photo.path, photo.parsing, photo.person) for photo in find_folder(root).photos]
    for folder in ("images/.ipynb_checkpoints", "images/x/@eaDir", "images/__MACOSX/x", "parsing/.thumbnails"):
        shutil.copytree(root / folder.split("/")[0], root / "copy")
        (root / folder).parent.mkdir(exist_ok=True)
        (root / "copy").rename(root / folder)
    assert [(photo.path, photo.parsing, photo.person) for photo in find_folder(root).photos] == before

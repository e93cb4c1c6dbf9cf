from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from pgen.data.formats.annotation_files import find_annotations
from pgen.data.names import PhotoNames
from pgen.data.readers.keypoint_sources import find_poses
from pgen.data.readers.tree import find_maps, find_photos, no_photos_error
from pgen.data.scan import scan_folder
from pgen.errors import InputError

#: The same name on two systems.
ONE, TWO = (unicodedata.normalize(form, "zoé") for form in ("NFC", "NFD"))


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_hidden_files_and_folders_are_left_aside_and_counted(tmp_path: Path) -> None:
    junk = ("._a.jpg", "x/.thumbnails/a.jpg", "@eaDir/a.jpg", "__MACOSX/x/a.jpg", "x/Thumbs.db", ".DS_Store")
    touch(tmp_path, "a.jpg", "x/b.PNG", *junk)
    found = find_photos(tmp_path)
    assert list(found) == ["a.jpg", "x/b.PNG"]
    (note,) = found.notes
    assert "4 hidden files" in note
    assert "._a.jpg" in note
    assert list(scan_folder(tmp_path, (".jpg",), deep=False)) == ["a.jpg"]


def test_a_hidden_folder_that_is_named_is_looked_into(tmp_path: Path) -> None:
    root = touch(tmp_path / ".data", "a.jpg")
    assert list(find_photos(root)) == ["a.jpg"]


def test_suffixes_that_mean_nothing_are_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jfif", "b.avif", "c.heic", "d.HEIC", "e.cr2", "notes.txt", "a.json", "a.npy")
    found = find_photos(tmp_path)
    assert list(found) == ["a.jfif", "b.avif"]
    (note,) = found.notes
    assert "3 files of other kinds (.cr2, .heic)" in note
    error = no_photos_error(touch(tmp_path / "none", "a.heic"))
    assert "1 files of other kinds (.heic)" in str(error)


def test_folders_that_are_links_are_left_aside_and_named(tmp_path: Path) -> None:
    root = touch(tmp_path / "set", "a/1.jpg")
    touch(tmp_path / "elsewhere", "2.jpg")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    (root / "parsing").symlink_to(tmp_path / "elsewhere")
    (root / "c.jpg").symlink_to(root / "a" / "1.jpg")
    found = find_photos(root, without=root / "none")
    assert list(found) == ["a/1.jpg", "c.jpg"]
    (note,) = found.notes
    assert "2 folders that are links are left aside: b, parsing" in note
    assert list(find_photos(root / "b")) == ["2.jpg"]
    (root / "b").unlink()
    assert not find_photos(root, without=root / "parsing").notes


def test_a_folder_is_left_out_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "set/a.png", "set/parsing/a.png", "set/parsing_too/a.png")
    monkeypatch.chdir(tmp_path)
    for without in (Path("set/parsing"), tmp_path / "set" / "parsing", Path("set/../set/parsing")):
        for folder in (Path("set"), tmp_path / "set", Path("set/parsing_too/..")):
            assert list(find_photos(folder, without=without)) == ["a.png", "parsing_too/a.png"]


def test_hidden_maps_and_keypoints_are_none(tmp_path: Path) -> None:
    touch(tmp_path, "maps/a.png", "maps/.old/a.npy", "keypoints/a.json", "keypoints/.ipynb_checkpoints/a.csv")
    names = PhotoNames(["a.jpg"], tmp_path)
    assert find_maps(names, tmp_path / "maps", tmp_path, given=True) == {"a.jpg": tmp_path / "maps" / "a.png"}
    assert find_poses([tmp_path / "keypoints"]) == {"a": tmp_path / "keypoints" / "a.json"}


@pytest.mark.parametrize(("photo", "other"), [(ONE, TWO), (TWO, ONE)])
def test_names_are_the_same_in_every_form_of_unicode(tmp_path: Path, photo: str, other: str) -> None:
    names = PhotoNames([f"{photo}.jpg", "b.jpg"], tmp_path)
    assert names.find(f"{other}.jpg") == names.find(other) == f"{photo}.jpg"
    assert names.match([f"x/{other}"], "maps") == {f"{photo}.jpg": f"x/{other}"}
    touch(tmp_path, f"{photo}.jpg", f"{other}.json")
    assert find_annotations(tmp_path / f"{photo}.jpg") == {"pose": tmp_path / f"{other}.json"}
    with pytest.raises(InputError, match="rename one of them"):
        PhotoNames([f"{photo}.jpg", f"{other}.jpg"], tmp_path)

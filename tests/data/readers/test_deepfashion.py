from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgen.body.labels import Label
from pgen.data.build_store import build_store
from pgen.data.example import NAME_WITHOUT_PHOTO, Drop, Example
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.names import PhotoNames
from pgen.data.readers.deepfashion import find_deepfashion, find_person, make_photo_key
from pgen.data.readers.given import Estimating, GivenFiles
from pgen.data.readers.photo_checks import check_photos
from pgen.data.store import Store
from pgen.errors import InputError
from tests.data.deepfashion_trees import (
    Tree,
    adgan_maps,
    annotate,
    flat_folders,
    high,
    in_images,
    low_resolution,
    narrow_keypoints,
)
from tests.data.examples import read_photos
from tests.data.trees import padded, pairs_of, shots, write_csv, write_map, write_pairs, write_photo


def names_by_key(names: list[str]) -> dict[str, int]:
    return {make_photo_key(name): index for index, name in enumerate(names)}


@pytest.mark.parametrize("tree", [low_resolution, flat_folders, high, narrow_keypoints, in_images])
@pytest.mark.parametrize("size", [(256, 256), (256, 176)])
def test_all_trees_give_the_same_people(tmp_path: Path, tree: Tree, size: tuple[int, int]) -> None:
    tree(tmp_path)
    found = find_deepfashion(tmp_path, size=size)
    check_photos(found)
    summary = build_store(read_photos(found), tmp_path / "a.h5", size, source="test", pairs=found.pairs)
    assert summary.dropped == {}
    store = Store(tmp_path / "a.h5")
    index = names_by_key(store.names)
    assert len(store) == len(index) == len(shots())
    for shot in shots():
        stored = store.example(index[make_photo_key(shot.flat)])
        expected = padded(shot.example) if size == (256, 256) else shot.example
        if tree is high and size != (256, 256):  # the photo in high resolution is 174.4 wide, not 176
            assert (stored.parsing == expected.parsing).mean() > 0.97
            np.testing.assert_allclose(stored.pose, expected.pose, atol=1.5)
            continue
        np.testing.assert_allclose(stored.pose, expected.pose, atol=0.35 if tree is high else 1e-4)
        if tree is high:  # which cuts half a column away
            assert (stored.parsing == expected.parsing).mean() > 0.995
        else:
            np.testing.assert_array_equal(stored.parsing, expected.parsing)
        middle = slice(44, -44) if size == (256, 256) else slice(None)  # sides that a photo lacks are padded
        assert np.abs(stored.image.astype(int) - expected.image)[:, middle].mean() < 8
        assert stored.split == ("test" if shot.tested else "train")
    people = [store.persons[index[make_photo_key(shot.nested)]] for shot in shots()]
    assert [people.index(person) // 2 for person in people] == [shot.person for shot in shots()]
    named = [(make_photo_key(store.names[a]), make_photo_key(store.names[b])) for a, b in store.pairs("test")]
    assert named == pairs_of(lambda shot: make_photo_key(shot.flat), shots())


def test_maps_between_the_white_sides(tmp_path: Path) -> None:
    adgan_maps(tmp_path)
    found = find_deepfashion(tmp_path, GivenFiles(scheme=load_scheme("adgan8")))
    check_photos(found)
    with pytest.raises(InputError, match=r"perhaps adgan8"):
        check_photos(find_deepfashion(tmp_path))
    items = {item.name: item for item in read_photos(found)}
    for shot in shots():
        item, expected = items[shot.nested], padded(shot.example)
        assert isinstance(item, Example)
        bare = expected.parsing >= Label.L_ARM
        np.testing.assert_array_equal(item.parsing[~bare], expected.parsing[~bare])
        assert (item.parsing == expected.parsing)[bare].mean() > 0.85


def test_what_is_assumed_is_said(tmp_path: Path) -> None:
    high(tmp_path)
    low_resolution(tmp_path)
    notes = " | ".join(
        find_deepfashion(tmp_path, GivenFiles(keypoints=[tmp_path / "fasion-annotation-test.csv"])).notes
    )
    assert f"photos are taken from {tmp_path}/img, not img_highres/" in notes
    assert "keypoints are taken to refer to 256x256" in notes
    found = find_deepfashion(tmp_path, GivenFiles(images="img_highres"))
    assert "1 photos that are neither for training nor for testing are left aside" in found.notes
    assert "images" not in " ".join(found.notes)
    in_images(tmp_path / "other")
    assert "the target before the source" in " ".join(find_deepfashion(tmp_path / "other").notes)


def test_several_files_of_one_kind(tmp_path: Path) -> None:
    flat_folders(tmp_path)
    annotate(tmp_path, "fasion", 40)
    notes = find_deepfashion(tmp_path).notes
    assert f"{tmp_path}/fashion-resize-annotation-train.csv is taken, not fasion-annotation-train.csv" in notes
    (tmp_path / "fashion-resize-annotation-test.csv").unlink()
    with pytest.raises(InputError, match=r"refer to different frames; name files of one"):
        find_deepfashion(tmp_path)


def test_frame_that_cannot_be_told(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    for shift in (20, 500):
        annotate(tmp_path, "fasion", shift)
        with pytest.raises(InputError, match=r"fasion-annotation-train\.csv: neither .* give it"):
            find_deepfashion(tmp_path)


def test_frame_that_is_wrong(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    with pytest.raises(InputError, match=r"all poses are shifted by about \d\d pixels to the right of the middle of "):
        check_photos(find_deepfashion(tmp_path, GivenFiles(frame=(256, 176))))
    annotate(tmp_path, "fasion", 0)
    with pytest.raises(InputError, match=r"shifted by about \d\d pixels to the left .* perhaps 256x176"):
        check_photos(find_deepfashion(tmp_path, GivenFiles(frame=(256, 256))))
    with pytest.raises(InputError, match=r"upper left quarter of 1101x750"):
        check_photos(find_deepfashion(tmp_path, GivenFiles(frame=(1101, 750))))


def test_names_match_on_letters_and_digits() -> None:
    names = (
        "img/WOMEN/Tees_Tanks/id_00007838/05_7_additional.jpg",
        "WOMEN/Tees_Tanks/id_00007838/05_7_additional.npy",
        "fashionWOMENTees_Tanksid0000783805_7additional.jpg",
        "fasionWOMENTees_Tanksid_0000783805_7additional",
        "train/fashionWOMENTeesTanksid0000783805_7additional.jpg.npy",
        "WOMEN-Tees_Tanks-id_00007838-05_7_additional.png",
    )
    assert {make_photo_key(name) for name in names} == {"womenteestanksid00007838057additional"}
    assert {find_person(name) for name in names} == {"id_00007838_05"}
    assert find_person("portrait.jpg") == "portrait.jpg"


WORD = st.text(st.sampled_from("ABcdXYz_"), min_size=1, max_size=8)


@given(
    category=WORD.filter(lambda word: word.strip("_")),
    item=st.integers(0, 99_999_999),
    colour=st.integers(0, 99),
    view=st.integers(1, 7),
    dropped=st.sets(st.integers(0, 20)),
)
def test_any_flat_name_means_its_photo(category: str, item: int, colour: int, view: int, dropped: set[int]) -> None:
    nested = f"img/WOMEN/{category}/id_{item:08}/{colour:02}_{view}_side.jpg"
    others = [f"img/WOMEN/{category}/id_{(item + 1) % 10**8:08}/{colour:02}_{view}_side.jpg", "img/MEN/a/b.jpg"]
    flat = nested.removeprefix("img/").replace("/", "")
    underscores = [place for place, character in enumerate(flat) if character == "_"]
    gone = {place for index, place in enumerate(underscores) if index in dropped}
    flat = "fasion" + "".join(character for place, character in enumerate(flat) if place not in gone)
    names = PhotoNames([nested, *others], "photos", key=make_photo_key)
    assert names.find(flat) == nested
    assert names.match([flat], "rows") == {nested: flat}
    assert find_person(nested) == find_person(flat) == f"id_{item:08}_{colour:02}"


def test_colliding_names(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    first = shots()[0].nested
    write_photo(tmp_path / "img" / first.replace("01_1_", "0_11_"), shots()[0].example.image)
    with pytest.raises(InputError, match=r"01_1_front\.jpg and .*0_11_front\.jpg have the same letters and digits"):
        find_deepfashion(tmp_path)
    (tmp_path / "img" / first).unlink()
    write_map(tmp_path / "parsing" / first.replace(".jpg", ".npy"), shots()[0].example.parsing)
    with pytest.raises(InputError, match=r"parsing: .* and .* both belong to .*; keep one of them"):
        find_deepfashion(tmp_path)


def test_one_photo_in_both_splits(tmp_path: Path) -> None:
    flat_folders(tmp_path)
    write_photo(tmp_path / "test" / shots()[0].flat, shots()[0].example.image)
    with pytest.raises(InputError, match=r"train/.*\.jpg and .*test/.*\.jpg have the same name"):
        find_deepfashion(tmp_path)
    (tmp_path / "test" / shots()[0].flat).unlink()
    for split in ("train", "test"):
        (tmp_path / f"{split}.lst").write_text(f"{shots()[0].flat}\n")
    with pytest.raises(InputError, match=r"is in .*train\.lst and in .*test\.lst"):
        find_deepfashion(tmp_path)


def test_people_in_both_splits_are_dropped_from_training(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    one, other = (shot for shot in shots() if shot.person == 0)
    for split, name in (("train", one.flat), ("test", other.flat)):
        (tmp_path / f"{split}.lst").write_text(name)
    (tmp_path / "fasion-pairs-test.csv").unlink()
    items = {item.name: item for item in read_photos(find_deepfashion(tmp_path))}
    assert isinstance(items[other.nested], Example)
    drop = items[one.nested]
    assert isinstance(drop, Drop)
    assert (drop.reason, drop.detail) == ("person also among those for testing", find_person(one.flat))


def test_lists_of_photos_that_are_not_there(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    (tmp_path / "train.lst").write_text(f"{shots()[0].flat}\nfashionMENgone.jpg\n")
    (tmp_path / "fasion-pairs-test.csv").unlink()
    found = find_deepfashion(tmp_path)
    assert [(name.name, name.reason) for name in found.missing] == [("fashionMENgone.jpg", NAME_WITHOUT_PHOTO)]
    assert f"{tmp_path} has no test.lst" in found.notes
    (tmp_path / "train.lst").write_text("fashionMENgone.jpg\n")
    with pytest.raises(InputError, match=r"train\.lst: none of the names is a photo"):
        find_deepfashion(tmp_path)


def test_pairs_that_do_not_fit(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    trained = shots()[0].flat
    write_pairs(tmp_path / "fasion-pairs-test.csv", [(shots()[-1].flat, trained)])
    with pytest.raises(InputError, match=r"fasion-pairs-test\.csv pairs .* for testing, a photo for training"):
        find_deepfashion(tmp_path)
    write_pairs(tmp_path / "fasion-pairs-test.csv", [(shots()[-1].flat, "fashionMENgone.jpg")])
    with pytest.raises(InputError, match=r"of none of 1 pairs are both photos in .* lacks 'fashionMENgone\.jpg'"):
        find_deepfashion(tmp_path)


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"put DeepFashion there .*name its folder"):
        find_deepfashion(tmp_path / "gone")
    with pytest.raises(InputError, match=r"has no photos in img/, img_highres/, images/, or train/ and test/"):
        find_deepfashion(tmp_path)
    with pytest.raises(InputError, match=r"other has no photos \(\.jpg"):
        find_deepfashion(tmp_path, GivenFiles(images="other"))
    (tmp_path / "img").mkdir()
    with pytest.raises(InputError, match=r"img has no photos \(\.jpg"):
        find_deepfashion(tmp_path)
    write_photo(tmp_path / "img/MEN/Denim/id_00000001/01_1_front.jpg", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"no fashion-annotation-train\.csv or -test\.csv; give the keypoints"):
        find_deepfashion(tmp_path)
    (tmp_path / "keypoints.csv").mkdir()
    (tmp_path / "keypoints").touch()
    with pytest.raises(InputError, match=r"no fashion-annotation-train\.csv or -test\.csv; give the keypoints"):
        find_deepfashion(tmp_path)
    (tmp_path / "keypoints.csv").rmdir()
    write_csv(tmp_path / "keypoints.csv", {"b.jpg": shots()[0].example.pose})
    with pytest.raises(InputError, match=r"no row belongs to any photo .* first row is 'b\.jpg', the first photo 'MEN"):
        find_deepfashion(tmp_path)


def test_poses_that_are_to_be_estimated_may_be_missing(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    for table in tmp_path.glob("*annotation*.csv"):
        table.unlink()
    with pytest.raises(InputError, match=r"or estimate them"):
        find_deepfashion(tmp_path, GivenFiles(estimating=Estimating(pose=False, parsing=True)))
    found = find_deepfashion(tmp_path, GivenFiles(estimating=Estimating(pose=True, parsing=False)))
    assert len(found.photos) == len(shots())
    assert all(photo.pose is None for photo in found.photos)


def test_photos_without_a_row(tmp_path: Path) -> None:
    low_resolution(tmp_path)
    write_photo(tmp_path / "img/MEN/Denim/id_00000001/01_1_front.jpg", np.zeros((256, 256, 3), np.uint8))
    items = {item.name: item for item in read_photos(find_deepfashion(tmp_path))}
    drop = items["MEN/Denim/id_00000001/01_1_front.jpg"]
    assert isinstance(drop, Drop)
    assert drop.reason == "no row in the keypoints"

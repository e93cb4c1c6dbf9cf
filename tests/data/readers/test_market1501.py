from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.data.build_store import build_store
from pgen.data.example import Drop, Example
from pgen.data.readers.given import TAKEN_AS_SPT10, Estimating, GivenFiles
from pgen.data.readers.market1501 import SIZE, find_market1501, find_person
from pgen.data.readers.photo_checks import check_photos
from pgen.data.store import Store
from pgen.errors import InputError
from tests.data.examples import read_photos
from tests.data.market_tree import JUNK, SHOTS, write_market
from tests.data.trees import pairs_of, write_csv, write_photo


@pytest.mark.parametrize("folders", [("bounding_box_train", "bounding_box_test"), ("train", "test")])
def test_same_people(tmp_path: Path, folders: tuple[str, str]) -> None:
    write_market(tmp_path, *folders)
    found = find_market1501(tmp_path)
    assert check_photos(found) == ()
    assert found.notes == (
        TAKEN_AS_SPT10,
        "2 photos of nobody (numbers -1 and 0000) are skipped",
        f"1 photos in {tmp_path}/query have no keypoints and are left aside",
    )
    summary = build_store(read_photos(found), tmp_path / "a.h5", SIZE, source="test", pairs=found.pairs)
    assert summary.dropped == {}
    store = Store(tmp_path / "a.h5")
    assert store.names == sorted(shot.market for shot in SHOTS)
    for shot in SHOTS:
        stored = store.example(store.find(shot.market))
        np.testing.assert_array_equal(stored.pose, shot.example.pose)
        np.testing.assert_array_equal(stored.parsing, shot.example.parsing)
        assert np.abs(stored.image.astype(int) - shot.example.image).mean() < 12
        assert (stored.person, stored.split) == (shot.market[:4], "test" if shot.tested else "train")
    assert [(store.names[a], store.names[b]) for a, b in store.pairs("test")] == pairs_of(lambda s: s.market, SHOTS)


def test_person_stands_before_the_first_underscore() -> None:
    assert [find_person(f"query/{name}") for name in ("1501_c6s4_001902_01.jpg", *JUNK)] == ["1501", "-1", "0000"]


def test_queries_with_keypoints_are_for_testing(tmp_path: Path) -> None:
    write_market(tmp_path)
    shot = SHOTS[-1]
    (tmp_path / "bounding_box_test" / shot.market).rename(tmp_path / "query" / shot.market)
    items = {item.name: item for item in read_photos(find_market1501(tmp_path))}
    query = items[shot.market]
    assert isinstance(query, Example)
    assert query.split == "test"
    assert isinstance(items["0009_c1s1_000001_00.jpg"], Drop)


def test_people_in_both_parts_are_dropped_from_training(tmp_path: Path) -> None:
    write_market(tmp_path)
    shot = SHOTS[0]
    (tmp_path / "bounding_box_train" / shot.market).rename(tmp_path / "bounding_box_test" / shot.market)
    drops = find_market1501(tmp_path).drops
    assert [(drop.name, drop.reason) for drop in drops] == [(SHOTS[1].market, "person also among those for testing")]


def test_wrong_trees_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"put Market-1501 there, or name its folder"):
        find_market1501(tmp_path / "gone")
    with pytest.raises(InputError, match=r"bounding_box_train and .*bounding_box_test has no photos"):
        find_market1501(tmp_path)
    write_market(tmp_path)
    write_photo(tmp_path / "query" / SHOTS[0].market, SHOTS[0].example.image)
    with pytest.raises(InputError, match=r"bounding_box_train/.* and .*query/.* have the same name; remove one"):
        find_market1501(tmp_path)
    (tmp_path / "test").mkdir()
    with pytest.raises(InputError, match=r"bounding_box_test and .*test are the same part of Market-1501"):
        find_market1501(tmp_path)
    (tmp_path / "test").rmdir()
    (tmp_path / "query" / SHOTS[0].market).unlink()
    write_csv(tmp_path / "other.csv", {"x.jpg": SHOTS[0].example.pose})
    with pytest.raises(InputError, match=r"no row belongs to any photo"):
        find_market1501(tmp_path, GivenFiles(keypoints=[tmp_path / "other.csv"]))
    for split in ("train", "test"):
        (tmp_path / f"market-annotation-{split}.csv").unlink()
    with pytest.raises(InputError, match=r"no market-annotation-train\.csv or -test\.csv; give the keypoints"):
        find_market1501(tmp_path)


def test_poses_that_are_to_be_estimated_may_be_missing(tmp_path: Path) -> None:
    """Then photos of queries are taken like all others."""
    write_market(tmp_path)
    for split in ("train", "test"):
        (tmp_path / f"market-annotation-{split}.csv").unlink()
    with pytest.raises(InputError, match=r"or estimate them"):
        find_market1501(tmp_path, GivenFiles(estimating=Estimating(pose=False, parsing=True)))
    found = find_market1501(tmp_path, GivenFiles(estimating=Estimating(pose=True, parsing=False)))
    assert len(found.photos) == len(SHOTS) + 1
    assert all(photo.pose is None for photo in found.photos)


def test_keypoints_of_the_larger_frame(tmp_path: Path) -> None:
    write_market(tmp_path)
    write_csv(tmp_path / "other.csv", {shot.market: shot.example.pose * 2 + (64, 0) for shot in SHOTS})
    with pytest.raises(InputError, match=r"have joints outside of 128x64; give the frame .*, perhaps 256x256"):
        check_photos(find_market1501(tmp_path, GivenFiles(keypoints=[tmp_path / "other.csv"])))
    items = read_photos(find_market1501(tmp_path, GivenFiles(keypoints=[tmp_path / "other.csv"], frame=(256, 256))))
    assert all(isinstance(item, Example) for item in items if item.name not in JUNK)

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pgen.body.crop import Letterbox
from pgen.body.joints import Joint
from pgen.data.build_store import build_store, partial_path
from pgen.data.example import PAIR_WITHOUT_PHOTO, ROW_WITHOUT_PHOTO, Drop, Example
from pgen.data.packing import content_hash
from pgen.data.readers.folder import find_folder
from pgen.data.store import Store
from pgen.errors import InputError
from tests.body.definitions import part_affines
from tests.data.examples import SIZE, example, nothing_left_in, read_photos, write_folder
from tests.data.interruptible import jobs, run


def without(one: Example, *joints: Joint) -> Example:
    pose = one.pose.copy()
    pose[list(joints)] = np.nan
    return replace(one, pose=pose)


def test_keeps_drops_and_counts(tmp_path: Path) -> None:
    def examples() -> Iterator[Example | Drop]:
        yield example(0)
        yield Drop("bad.png", "photo cannot be read", "cut short")
        yield without(example(1), Joint.NOSE, Joint.R_KNEE)
        yield without(example(2), Joint.L_HIP, Joint.R_SHOULDER)
        yield without(example(3), Joint.R_HIP)
        yield example(0)

    seen: list[int] = []
    summary = build_store(
        examples(), tmp_path / "a.h5", SIZE, source="tests", options={"x": 1}, advance=lambda: seen.append(1)
    )
    assert (summary.kept, summary.pairs, summary.size) == (2, 0, SIZE)
    assert summary.dropped == {"torso joints missing": 2, "photo cannot be read": 1, "name met before": 1}
    assert len(seen) == 6
    store = Store(tmp_path / "a.h5")
    assert store.names == ["000.png", "001.png"]
    assert store.provenance["options"] == {"x": 1}
    assert summary.dropped_list == tmp_path / "a.dropped.csv"
    with summary.dropped_list.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["name", "reason", "detail"],
            ["bad.png", "photo cannot be read", "cut short"],
            ["002.png", "torso joints missing", "r_shoulder, l_hip"],
            ["003.png", "torso joints missing", "r_hip"],
            ["000.png", "name met before", ""],
        ]


def test_list_of_an_earlier_run_goes(tmp_path: Path) -> None:
    build_store([example(0), Drop("a", "b")], tmp_path / "a.h5", SIZE, source="tests")
    summary = build_store([example(0)], tmp_path / "a.h5", SIZE, source="tests", overwrite=True)
    assert summary.dropped_list is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_lists_of_stores_of_like_names_are_apart(tmp_path: Path) -> None:
    for name in ("a.v1", "a.h5", "a.hdf5"):
        build_store([example(0), Drop("a", "b")], tmp_path / name, SIZE, source="tests")
    build_store([example(0)], tmp_path / "a.v2", SIZE, source="tests")
    lists = {path.name for path in tmp_path.glob("*.csv")}
    assert lists == {"a.v1.dropped.csv", "a.dropped.csv", "a.hdf5.dropped.csv"}


def test_what_is_finished_is_kept_if_the_output_alone_is_to_blame(tmp_path: Path) -> None:
    out = tmp_path / "a.h5"

    def get() -> Iterator[Example]:
        yield example(0)
        out.write_text("somebody else's")

    with pytest.raises(InputError, match="exists already"):
        build_store(get(), out, SIZE, source="tests")
    assert partial_path(out).exists()
    out.unlink()
    assert build_store([example(0)], out, SIZE, source="tests").kept == 1


def test_other_sizes_are_fitted(tmp_path: Path) -> None:
    one = example(0)
    size = (96, 64)
    build_store([one], tmp_path / "a.h5", size, source="tests")
    stored, fit = Store(tmp_path / "a.h5").example(0), Letterbox.of(SIZE, size)
    np.testing.assert_array_equal(stored.image, fit.image(one.image))
    np.testing.assert_array_equal(stored.parsing, fit.parsing(one.parsing))
    np.testing.assert_allclose(stored.pose, fit.pose(one.pose))


def test_pairs_are_same_person_photos_for_testing(tmp_path: Path) -> None:
    people = [("a", "test"), ("b", "test"), ("a", "test"), ("c", "train"), ("c", "train"), ("a", "test"), ("b", "test")]
    examples = [example(index, person, split) for index, (person, split) in enumerate(people)]
    summary = build_store(examples, tmp_path / "a.h5", SIZE, source="tests")
    expected = {(0, 2), (2, 0), (0, 5), (5, 0), (2, 5), (5, 2), (1, 6), (6, 1)}
    pairs = Store(tmp_path / "a.h5").pairs("test").tolist()
    assert {tuple(pair) for pair in pairs} == expected
    assert len(pairs) == summary.pairs == 8


def test_too_many_pairs_are_chosen_by_the_seed(tmp_path: Path) -> None:
    examples = [example(index, "a", "test") for index in range(8)]
    chosen = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        build_store(examples, tmp_path / f"{name}.h5", SIZE, source="tests", max_pairs=10, seed=seed)
        chosen.append(Store(tmp_path / f"{name}.h5").pairs("test").tolist())
    assert len(chosen[0]) == 10 == len({tuple(pair) for pair in chosen[0]})
    assert chosen[0] == chosen[1] != chosen[2]


def test_named_pairs(tmp_path: Path) -> None:
    examples = [example(0), without(example(1), Joint.L_HIP), example(2)]
    pairs = [("002.png", "000.png"), ("000.png", "001.png")]
    summary = build_store(examples, tmp_path / "a.h5", SIZE, source="tests", pairs=pairs)
    assert (summary.pairs, summary.missing) == (1, {"pair with a photo that was dropped": 1})
    assert summary.dropped_list is not None
    assert "000.png -> 001.png,pair with a photo that was dropped," in summary.dropped_list.read_text()
    assert Store(tmp_path / "a.h5").pairs("test").tolist() == [[1, 0]]


def test_what_is_missing_is_no_dropped_photo(tmp_path: Path) -> None:
    row, pair = Drop("x", ROW_WITHOUT_PHOTO), Drop("000.png -> x", PAIR_WITHOUT_PHOTO, "x")
    build = partial(build_store, [example(0)], size=SIZE, source="tests")
    summary = build(tmp_path / "a.h5", missing=[row, pair, row])
    assert summary.dropped == {}
    assert list(summary.missing.items()) == [(ROW_WITHOUT_PHOTO, 2), (PAIR_WITHOUT_PHOTO, 1)]
    assert summary.dropped_list is not None
    assert len(summary.dropped_list.read_text().splitlines()) == 4
    build(tmp_path / "b.h5", missing=[row], strict=True)
    with pytest.raises(InputError, match=r"000\.png -> x: pair with a photo that is not there \(x\)") as caught:
        build(tmp_path / "c.h5", missing=[row, pair], strict=True)
    assert caught.value.option == "strict"


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "tests has no photos"),
        ([Drop("a", "no map"), Drop("b", "no map")], r"none of 2 photos can be used: 2 × no map \(first: a: no map\)"),
    ],
)
def test_nothing_left_is_an_error(tmp_path: Path, examples: list[Drop], message: str) -> None:
    with nothing_left_in(tmp_path), pytest.raises(InputError, match=message):
        build_store(examples, tmp_path / "a.h5", SIZE, source="tests")


def test_refuses_before_it_reads(tmp_path: Path) -> None:
    def never() -> Iterator[Example]:
        pytest.fail("read for nothing")
        yield example(0)

    (tmp_path / "a.h5").write_text("old")
    with pytest.raises(InputError, match="pass overwrite"):
        build_store(never(), tmp_path / "a.h5", SIZE, source="tests")


def test_pairs_for_training_if_named(tmp_path: Path) -> None:
    examples = [example(0), without(example(1), Joint.L_HIP), example(2)]
    train = [("002.png", "000.png"), ("001.png", "000.png"), ("gone.png", "000.png")]
    build_store(examples, tmp_path / "a.h5", SIZE, source="tests", train_pairs=train)
    store = Store(tmp_path / "a.h5")
    assert store.pairs("train").tolist() == [[1, 0]]
    np.testing.assert_allclose(store.affines("train")[0], part_affines(store.poses[1], store.poses[0]), atol=1e-3)


def test_jobs_are_done_in_workers_and_their_files_kept_by_hash(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "mine")
    found = find_folder(root)
    for workers in (1, 2):
        out = tmp_path / f"{workers}.h5"
        build_store(
            found.jobs(), out, SIZE, source="mine", root=root, files=found.files, pairs=found.pairs, workers=workers
        )
        store = Store(out)
        assert store.names == ["a.png", "b.png", "c.png"]
        hashes = {path: content_hash(root / path) for path in ("images/b.png", "parsing/b.npy")}
        assert store.sources(1) == hashes
        assert len(set(hashes.values())) == 2
        assert store.provenance["files"] == {name: content_hash(root / name) for name in ("keypoints.csv", "pairs.csv")}
        for index, one in enumerate(read_photos(found)):
            assert isinstance(one, Example)
            np.testing.assert_array_equal(store.image(index), one.image)
            np.testing.assert_array_equal(store.parsing(index), one.parsing)


def test_names_that_are_no_text_are_dropped(tmp_path: Path) -> None:
    examples = [example(0), replace(example(1), name="b\udcff.png"), replace(example(2), person="\udcff")]
    summary = build_store(examples, tmp_path / "a.h5", SIZE, source="tests")
    assert (summary.kept, summary.dropped) == (1, {"name is not UTF-8": 2})
    assert summary.dropped_list is not None
    assert "b?.png,name is not UTF-8,rename it" in summary.dropped_list.read_text()


def test_memory_is_not_the_data_s(tmp_path: Path) -> None:
    """Names and numbers of a photo stay in memory, its pixels do not."""
    import tracemalloc

    peaks = []
    for count in (50, 200):
        out = tmp_path / f"{count}.h5"
        tracemalloc.start()
        run(out, examples=jobs(out.with_suffix(".log"), count), train_pairs=(), size=(128, 128), pairs=())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 20 * np.prod((128, 128, 3))

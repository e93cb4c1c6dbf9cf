from __future__ import annotations

import multiprocessing
import pickle
import unicodedata
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.data.inspection import inspect_file
from pgen.data.store import Store, StoreWriter, is_hdf5
from pgen.errors import InputError
from pgen.pseudo_labels.matches import write_pseudo_labels
from tests.body.definitions import face_affine, part_affines, part_corners
from tests.data import reading
from tests.data.examples import SIZE, assert_same, example, write_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_store(tmp_path / "a.h5")


@pytest.mark.parametrize("count", [1, 63, 64, 65, 130])
def test_what_is_written_is_read(tmp_path: Path, count: int) -> None:
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        for index in range(count):
            assert writer.add(example(index)) == index
        assert len(writer) == count
    with Store(tmp_path / "a.h5") as store:
        assert len(store) == count
        assert store.size == SIZE
        for index in {0, count // 2, count - 1}:
            assert_same(store.example(index), example(index))
        assert store.pairs("test").shape == store.pairs("train").shape == (0, 2)


def test_missing_joints_stay_missing(tmp_path: Path) -> None:
    one = example(0)
    one.pose[3] = np.nan
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        writer.add(one)
    assert np.isnan(Store(tmp_path / "a.h5").poses[0]).nonzero()[0].tolist() == [3, 3]


def test_small_columns(path: Path) -> None:
    store = Store(path)
    assert store.names == [f"{index:03}.png" for index in range(6)]
    assert store.persons == ["p0", "p1"] * 3
    assert store.poses.shape == (6, 18, 2)
    assert store.indices("test").tolist() == [0, 2, 4]
    assert store.indices("train").tolist() == [1, 3, 5]
    assert store.indices().tolist() == list(range(6))
    assert store.pairs("test").tolist() == [[0, 2]]
    assert store.attributes(3) == {"sleeves": "short", "note": "é3"}
    assert store.provenance["source"] == "tests"
    assert store.provenance["options"] == {"count": 6}
    assert {"pgen", "created"} <= store.provenance.keys()


def test_geometry_is_that_of_the_poses(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        for index in range(300):  # more than a block
            one = example(index)
            one.pose[index % 18] = np.nan
            writer.add(one)
        writer.set_pairs("test", [(0, 5), (299, 7), (18, 1)])
        writer.set_pairs("train", [(3, 4)])
        writer.set_pairs("train", [(4, 280)])
    store = Store(tmp_path / "a.h5")
    assert store.corners.dtype == store.faces.dtype == store.affines().dtype == np.float32
    for index in (0, 2, 17, 255, 256, 299):
        np.testing.assert_allclose(store.corners[index], part_corners(store.poses[index], SIZE), atol=1e-4)
        np.testing.assert_allclose(store.faces[index], face_affine(store.poses[index], SIZE), atol=1e-4)
    for split, pairs in (("test", [(0, 5), (299, 7), (18, 1)]), ("train", [(4, 280)])):
        assert store.pairs(split).tolist() == [list(pair) for pair in pairs]
        expected = [part_affines(store.poses[source], store.poses[target]) for source, target in pairs]
        np.testing.assert_allclose(store.affines(split), expected, atol=1e-3)
        np.testing.assert_array_equal(store.pair_affines(store.pairs(split)[::-1], split), store.affines(split)[::-1])
        assert store.pair_affines([(5, 0)], split) is None


def test_geometry_without_pairs(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        writer.add(example(0))
    store = Store(tmp_path / "a.h5")
    assert store.affines("test").shape == store.affines("train").shape == (0, 10, 2, 3)
    assert store.sources(0) == {}


@pytest.mark.parametrize("change", ["outside", "too few", "options"])
def test_damaged_pseudo_labels(path: Path, change: str) -> None:
    write_pseudo_labels(path, np.zeros((6, 2), int))
    with h5py.File(path, "r+") as file:
        if change == "outside":
            file["pseudo_labels"][0] = 6
        elif change == "too few":
            del file["pseudo_labels"]
            file["pseudo_labels"] = np.zeros((5, 2), np.int32)
            file["pseudo_labels"].attrs["options"] = "{}"
        else:
            file["pseudo_labels"].attrs["options"] = "{"
    with pytest.raises(InputError, match=r"a\.h5 is damaged: .*pseudo label"):
        Store(path).pseudo_labels()


def test_find(path: Path) -> None:
    store = Store(path)
    assert store.find("004.png") == 4
    with pytest.raises(InputError, match=r"a\.h5 has no image '04\.png'; did you mean 004\.png"):
        store.find("04.png")


def test_indices_beyond_the_end(path: Path) -> None:
    store = Store(path)
    np.testing.assert_array_equal(store.image(-1), store.image(5))
    for index in (6, -7):
        with pytest.raises(IndexError):
            store.image(index)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_read_side_by_side(path: Path, method: str) -> None:
    store = Store(path)
    expected = [int(store.image(index).sum()) for index in range(6)]
    context = multiprocessing.get_context(method)
    results = context.Queue()
    children = [context.Process(target=reading.read_in_child, args=(store, index, results)) for index in (1, 4)]
    for child in children:
        child.start()
    again = [int(store.image(index).sum()) for index in range(6)]
    found = sorted(int(results.get(timeout=60)) for _ in children)
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert found == sorted([expected[1], expected[4]])
    assert again == expected


def test_pickled_without_its_handle(path: Path) -> None:
    store = Store(path)
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.parsing(2), store.parsing(2))


def test_reads_after_close(path: Path) -> None:
    with Store(path) as store:
        first = store.image(0)
    np.testing.assert_array_equal(store.image(0), first)


def damage(path: Path, change: str) -> None:
    with h5py.File(path, "r+") as file:
        if change == "foreign":
            del file.attrs["format"]
        elif change == "newer":
            file.attrs["version"] = 3
        elif change == "older":
            file.attrs["version"] = 1
        elif change == "column gone":
            del file["parsing"]
        elif change == "too few poses":
            file["poses"].resize(3, axis=0)
        elif change == "affines of other pairs":
            file["affines/test2"] = file["affines/test"][:0]
            file.move("affines/test", "affines/was")
            file.move("affines/test2", "affines/test")
        elif change == "corners gone":
            del file["corners"]
        elif change == "pair outside":
            file["pairs/test"][0] = 0, 99
        elif change == "provenance":
            file.attrs["provenance"] = "{"
        elif change == "split":
            file["splits"][0] = "val"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("foreign", "is an HDF5 file, but not a store"),
        ("newer", r"has the store version 3, and this pgen \(.*\) reads 2; update pgen or prepare the data again"),
        ("older", r"has the store version 1, and this pgen \(.*\) reads 2; prepare the data again"),
        ("column gone", "is damaged: .*prepare it again"),
        ("too few poses", "is damaged: poses has the shape"),
        ("corners gone", "is damaged: .*prepare it again"),
        ("affines of other pairs", "is damaged: affines of test pairs"),
        ("pair outside", "is damaged: a pair names an image"),
        ("provenance", "is damaged"),
        ("split", "is damaged: splits other than train, test"),
    ],
)
def test_files_that_are_no_store(path: Path, change: str, message: str) -> None:
    damage(path, change)
    with pytest.raises(InputError, match=message) as caught:
        Store(path)
    assert "a.h5" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_store(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("text")
    for name, message in {
        ".": "is a folder",
        "gone.h5": "does not exist; prepare",
        "text.h5": "is not an HDF5",
    }.items():
        with pytest.raises(InputError, match=message):
            Store(tmp_path / name)
        assert not is_hdf5(tmp_path / name)


def test_truncated_file(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(9, len(whole), len(whole) // 40):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.h5 is (cut short|damaged)"):
            Store(path)


def test_a_store_that_is_written_elsewhere_is_not_called_damaged(path: Path) -> None:
    held = h5py.File(path, "r+")  # marks the file as open for writing
    held.flush()
    try:
        with pytest.raises(InputError, match=r"a\.h5 is open for writing in another program; close it there"):
            Store(path)
    finally:
        held.close()
    assert len(Store(path)) > 0


def test_a_store_that_may_not_be_read_is_not_called_damaged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(InputError, match=r"a\.h5 cannot be read: Permission denied"):
            Store(path)


def test_damaged_bytes_never_show_as_another_error(path: Path) -> None:
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(whole)
        for place in rng.integers(8, len(whole), 40):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        try:
            with Store(path) as store:
                for index in range(len(store)):
                    store.example(index)
                    store.sources(index)
                assert store.corners.shape == (6, 10, 4, 2)
                assert store.faces.shape == (6, 2, 3)
                store.affines()
        except InputError:
            continue


def test_masks_that_some_images_have(tmp_path: Path) -> None:
    path, written = tmp_path / "a.h5", [example(index) for index in range(5)]
    held = np.zeros(SIZE, np.uint8)
    held[70:90, 80:100] = 1
    written[2] = replace(written[2], carried=held, silhouette=200 * held)
    written[4] = replace(written[4], carried=0 * held)
    with StoreWriter(path, SIZE, source="tests", options={}) as writer:
        for item in written:
            writer.add(item)
    with Store(path) as store:
        for index, item in enumerate(written):
            assert_same(store.example(index), item)
        assert store.masks == ["carried", "silhouettes"]


def test_a_file_without_masks(path: Path) -> None:
    with Store(path) as store:
        assert store.masks == []
        assert store.carried(0) is None
        assert store.silhouette(0) is None


def test_maps_that_are_estimates(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        for index in range(3):
            writer.add(replace(example(index), is_estimated=index == 1))
    with Store(tmp_path / "a.h5") as store:
        assert store.is_estimated.tolist() == [False, True, False]
        assert [store.example(index).is_estimated for index in range(3)] == [False, True, False]
        assert PersonDataset(store).load(torch.arange(3)).is_estimated.tolist() == [False, True, False]
    assert ("maps that are estimates", "1") in inspect_file(str(tmp_path / "a.h5"), is_drawing=False)[0]


def test_a_file_without_estimates(path: Path) -> None:
    with Store(path) as store:
        assert not store.is_estimated.any()


@pytest.mark.parametrize("kind", ["external storage", "external link", "virtual", "soft link"])
@pytest.mark.parametrize("name", ["images", "pairs/test"])
def test_files_whose_data_lie_elsewhere_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    path, other = write_store(tmp_path / "a.h5"), write_store(tmp_path / "b.h5")
    (tmp_path / "secret").write_bytes(bytes(10**6))
    with h5py.File(path, "r+") as file:
        old = file[name]
        shape, dtype = old.shape, old.dtype
        del file[name]
        if kind == "external storage":
            size = int(np.prod(shape)) * dtype.itemsize
            file.create_dataset(name, shape, dtype, external=[(str(tmp_path / "secret"), 0, size)])
        elif kind == "external link":
            file[name] = h5py.ExternalLink(str(other), name)
        elif kind == "virtual":
            layout = h5py.VirtualLayout(shape, dtype)
            layout[:] = h5py.VirtualSource(str(other), name, shape)
            file.create_virtual_dataset(name, layout)
        else:
            file[name] = h5py.SoftLink("/parsing")
    with pytest.raises(InputError, match="elsewhere; prepare the data again"):
        Store(path)


def test_names_are_found_in_every_form_of_unicode(tmp_path: Path) -> None:
    forms = [unicodedata.normalize(form, "zoé") for form in ("NFC", "NFD")]
    for index, form in enumerate(forms):
        with StoreWriter(tmp_path / f"{index}.h5", SIZE, source="tests") as writer:
            writer.add(example(0, name=form))
        assert [Store(writer.path).find(name) for name in forms] == [0, 0]

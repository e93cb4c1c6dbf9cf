from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pgen.body.labels import PALETTE
from pgen.data.formats.parsing import read_parsing, write_parsing
from pgen.errors import InputError
from tests.data.examples import example, write_store

IDS = np.arange(30, dtype=np.uint8).reshape(5, 6) % 10
maps = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 9))


@given(parsing=maps, kind=st.sampled_from(["i1", "u1", "<i8", ">i4", "u2"]), fortran=st.booleans())
def test_npy_round_trip(
    tmp_path_factory: pytest.TempPathFactory, parsing: np.ndarray, kind: str, fortran: bool
) -> None:
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    np.save(path, parsing.astype(kind, order="F" if fortran else "C"))
    read = read_parsing(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, parsing)


@given(parsing=maps)
def test_png_round_trip(tmp_path_factory: pytest.TempPathFactory, parsing: np.ndarray) -> None:
    path = write_parsing(tmp_path_factory.mktemp("png") / "a.png", parsing)
    np.testing.assert_array_equal(read_parsing(path), parsing)
    np.testing.assert_array_equal(np.asarray(Image.open(path).convert("RGB")), PALETTE[parsing])


def test_png_of_every_kind(tmp_path: Path) -> None:
    Image.fromarray(IDS).save(tmp_path / "grey.png")
    Image.fromarray(IDS.astype(np.uint16)).save(tmp_path / "grey16.png")
    Image.fromarray(PALETTE[IDS]).save(tmp_path / "colour.png")
    Image.fromarray(PALETTE[IDS]).convert("RGBA").save(tmp_path / "alpha.png")
    foreign = Image.fromarray(IDS)
    foreign.putpalette(list(range(10, 40)))  # colours of nobody: the indices are the ids
    foreign.save(tmp_path / "foreign.png")
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(read_parsing(path), IDS, err_msg=path.name)


@pytest.mark.parametrize(("bits", "ids"), [(2, [[0, 1, 2, 3], [3, 2, 1, 0]]), (4, [[0, 1], [5, 9]])])
def test_grey_png_of_few_bits(tmp_path: Path, bits: int, ids: list[list[int]]) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = [bytes([0, sum(value << (8 - bits * (k + 1)) for k, value in enumerate(row))]) for row in ids]
    header = struct.pack(">IIBBBBB", len(ids[0]), len(ids), bits, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")
    path = tmp_path / "few.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks))
    assert read_parsing(path).tolist() == ids


def test_palette_that_an_editor_has_reordered(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(10)
    image = Image.fromarray(np.argsort(order)[IDS].astype(np.uint8))
    image.putpalette(PALETTE[order].tobytes())
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_parsing(tmp_path / "a.png"), IDS)


def test_store(tmp_path: Path) -> None:
    path = write_store(tmp_path / "a.h5")
    np.testing.assert_array_equal(read_parsing(f"{path}:002.png"), example(2).parsing)
    with pytest.raises(InputError, match="name one of its images"):
        read_parsing(path)
    with pytest.raises(InputError, match=r"no image '2\.png'; did you mean"):
        read_parsing(f"{path}:2.png")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((2, 2), 10), r"a\.npy has label ids 10; .* 0 to 9"),
        (np.arange(-3, 20).reshape(1, -1), r"has label ids -3, -2, -1, 10, 11, 12, 13, 14, …;"),
        (np.zeros((2, 2), np.float32), "holds float32, not integers"),
        (np.zeros((2, 2), bool), "holds bool, not integers"),
        (np.zeros((2, 2, 3), np.uint8), r"has the shape \(2, 2, 3\)"),
        (np.zeros((0, 2), np.uint8), r"has the shape \(0, 2\)"),
        (np.array([[{"a": 1}]], dtype=object), "holds object, not integers"),
    ],
)
def test_arrays_that_are_no_map(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        read_parsing(tmp_path / "a.npy")


@pytest.mark.parametrize(("side", "message"), [(10**6, "megapixels"), (5000, "cut short")])
def test_header_that_claims_too_much(tmp_path: Path, side: int, message: str) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (side, side)}
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(16))
    with pytest.raises(InputError, match=message):
        read_parsing(tmp_path / "a.npy")


def test_pictures_that_are_no_map(tmp_path: Path) -> None:
    Image.fromarray(IDS * 25).save(tmp_path / "scaled.png")
    Image.fromarray(255 - PALETTE[IDS]).save(tmp_path / "rgb.png")
    Image.fromarray(PALETTE[IDS]).save(tmp_path / "a.jpg")
    Image.new("CMYK", (2, 2)).save(tmp_path / "a.tiff")
    (tmp_path / "a.txt").write_text("0 1 2")
    for name, message in {
        "scaled.png": r"has label ids 25, 50, .*; a parsing map has 0 to 9",
        "rgb.png": "other colours than this project's palette; save it as",
        "a.jpg": "JPEG, which blurs labels",
        "a.tiff": "pixel mode CMYK",
        "a.txt": "is not a parsing map",
        "gone.png": "does not exist",
        "a.txt:x": "not a store with entries",
        ".": "is a folder",
    }.items():
        with pytest.raises(InputError, match=message):
            read_parsing(f"{tmp_path}/{name}")


def test_write_takes_maps_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_parsing(tmp_path / "a.png", np.full((2, 2), 10, np.uint8))
    assert not list(tmp_path.iterdir())

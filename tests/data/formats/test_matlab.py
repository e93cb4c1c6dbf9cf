from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from pgen.data.formats.matlab import read_label_matrix
from pgen.data.formats.parsing import read_label_ids, read_parsing
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.errors import InputError
from tests.data.examples import STANDING

IDS = (np.arange(24 * 16).reshape(24, 16) % 59).astype(np.uint8)


def written(folder: Path, **variables: Any) -> Path:
    path = folder / "0001.mat"
    savemat(path, variables, do_compression=True)
    return path


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float64])
def test_a_matrix_of_any_kind_of_numbers(tmp_path: Path, kind: type) -> None:
    ids = read_label_ids(written(tmp_path, groundtruth=IDS.astype(kind)), load_scheme("ccp59"))
    assert np.issubdtype(ids.dtype, np.integer)
    np.testing.assert_array_equal(ids, IDS)


def test_as_a_parsing_map(tmp_path: Path) -> None:
    ids = np.zeros((128, 128), np.uint8)
    ids[30:64, 50:78], ids[64:110, 50:78], ids[70:80, 20:30] = 38, 31, 2
    found = read_parsing(written(tmp_path, groundtruth=ids), load_scheme("ccp59"), STANDING)
    assert (found[40, 60], found[90, 60], found[75, 25]) == (3, 4, 0)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"a": IDS, "b": IDS}, "one matrix of label ids, and has 2"),
        ({"names": np.array([["null", "hair"]], dtype=object)}, "has 0"),
        ({"map": IDS / 2}, "not whole"),
        ({"map": np.where(IDS > 3, np.nan, 1.0)}, "not whole"),
        ({"map": np.zeros((0, 4))}, "0x4"),
        ({"map": np.zeros((2, 3, 4), np.uint8)}, "has 0"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, variables: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_label_ids(written(tmp_path, **variables))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", [0, 8, 10, 19, 255, 4000])
def test_numbers_of_a_kind_that_there_is_not_are_damage(tmp_path: Path, kind: int, compressed: bool) -> None:
    """SciPy looks such kinds up beyond the end of a table, and the process dies."""
    path = tmp_path / "a.mat"
    savemat(path, {"a": np.ones((9, 7), np.int32)})
    data = path.read_bytes()
    head, matrix = data[:128], bytearray(data[128:])
    at = matrix.rindex(struct.pack("<II", 5, 9 * 7 * 4))
    matrix[at : at + 4] = struct.pack("<I", kind)
    packed = zlib.compress(matrix)
    path.write_bytes(head + (struct.pack("<II", 15, len(packed)) + packed if compressed else bytes(matrix)))
    with pytest.raises(InputError, match="damaged MATLAB file"):
        read_label_matrix(path.read_bytes(), path)


def test_damage_and_newer_files_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, map=IDS)
    whole = path.read_bytes()
    for count in (130, 150, len(whole) - 9):
        path.write_bytes(whole[:count])
        with pytest.raises(InputError, match="0001"):
            read_label_ids(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=r"7\.3; save it there with the option -v7"):
        read_label_ids(path)

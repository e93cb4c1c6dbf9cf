"""Label maps in MATLAB's files, as data sets of the field give them: one matrix of ids."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.data.formats.images import MAX_PIXELS
from pgen.errors import InputError

_BEGIN = b"MATLAB "
_NUMBERS = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "double", "single", "logical"}

# Elements of version 5's files: what is compressed, matrices, and numbers; and bytes before the numbers of a matrix.
_COMPRESSED, _MATRIX = 15, 14
_OF_NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_HEAD = 4096


def looks_like_matlab(data: bytes) -> bool:
    """Whether a file that begins with ``data`` is one of MATLAB's, from version 5 on."""
    return data.startswith(_BEGIN)


def read_label_matrix(data: bytes, path: Path) -> NDArray[np.integer]:
    """The only matrix in the file ``path``, whose bytes are ``data``: integers (H, W).

    Raises `InputError` if it is damaged, of version 7.3, or holds no matrix of whole numbers, or several.
    """
    from scipy.io import loadmat, whosmat

    if data.startswith(_BEGIN + b"7.3"):
        raise InputError(f"{path} is of MATLAB's version 7.3; save it there with the option -v7, or as .npy or .png")
    try:
        variables = whosmat(io.BytesIO(data))
    except Exception as error:  # SciPy raises nearly anything for damaged bytes
        raise InputError(f"{path} is a damaged MATLAB file; get a whole copy of it") from error
    matrices = [(name, shape) for name, shape, kind in variables if kind in _NUMBERS and len(shape) == 2]
    if len(matrices) != 1:
        found = ", ".join(name for name, _ in matrices) or "none"
        raise InputError(f"{path} should hold one matrix of label ids, and has {len(matrices)} ({found})")
    name, (height, width) = matrices[0]
    if 0 in (height, width) or height * width > MAX_PIXELS:
        raise InputError(f"{path} has a matrix of {height}x{width}; a parsing map has 1 to {MAX_PIXELS} pixels")
    if not _has_known_kinds(data, name, 16 * height * width + _HEAD):  # SciPy would crash
        raise InputError(f"{path} is a damaged MATLAB file; get a whole copy of it")
    try:
        matrix = loadmat(io.BytesIO(data), variable_names=[name])[name]
    except Exception as error:
        raise InputError(f"{path} is a damaged MATLAB file; get a whole copy of it") from error
    if np.issubdtype(matrix.dtype, np.integer):
        return np.ascontiguousarray(matrix)
    if not np.issubdtype(matrix.dtype, np.floating):
        raise InputError(f"{path} holds {matrix.dtype} numbers; a parsing map has label ids, which are whole")
    whole = np.nan_to_num(matrix, nan=-0.5, posinf=-0.5, neginf=-0.5)
    if (whole != np.floor(whole)).any() or (np.abs(whole) > np.iinfo(np.int32).max).any():
        raise InputError(f"{path} holds numbers that are not whole; a parsing map has label ids")
    return whole.astype(np.int32)


def _has_known_kinds(data: bytes, name: str, most: int) -> bool:
    """Whether the matrix of numbers called ``name``, of ``most`` bytes, is made of numbers of kinds that there are."""
    order = ">" if data[126:128] == b"MI" else "<"
    for kind, body in _read_elements(data[128:], order, padded=False):
        try:
            if kind == _COMPRESSED:
                kind, body = next(_read_elements(zlib.decompressobj().decompress(body, most), order))
            parts = _read_elements(body, order) if kind == _MATRIX else iter(())
            _, _, (_, its_name) = islice(parts, 3)  # flags, sides, and name
        except (ValueError, StopIteration, zlib.error):  # something else, which is not read
            continue
        if its_name == name.encode("latin1") and any(one not in _OF_NUMBERS for one, _ in parts):
            return False
    return True


def _read_elements(data: bytes, order: str, padded: bool = True) -> Iterator[tuple[int, bytes]]:
    """The elements of ``data``, one after the other: kind and bytes; fewer bytes than there should be at its end."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        if kind >> 16:  # a small element: its size and kind are one number, its bytes follow at once
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start = at + 8
            end = start + size + (-size % 8 if padded else 0)
        yield kind, data[start : start + size]
        at = end

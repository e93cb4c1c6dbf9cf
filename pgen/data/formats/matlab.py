"""Label maps in MATLAB's files, as data sets of the field give them: one matrix of ids."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.data.formats.images import MAX_PIXELS
from pgen.errors import InputError

_BEGIN = b"MATLAB "
_NUMBERS = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "double", "single", "logical"}


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

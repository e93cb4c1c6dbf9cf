"""What users give for a parsing map (files, pictures, arrays or lists), as checked labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import has_same_shape, scale_pose
from pgen.data.formats.parsing import read_label_ids, read_parsing
from pgen.data.formats.parsing_merge import find_carried, merge_labels
from pgen.data.formats.parsing_schemes import ParsingScheme, load_scheme
from pgen.data.inputs import split_spec
from pgen.data.readers.person_checks import check_label_ids
from pgen.data.readers.photo_checks import check_labels
from pgen.data.store import is_hdf5
from pgen.errors import InputError

#: A path, ``FILE.h5:NAME``, or label ids 0-9, (H, W): array, nested list, or PIL image with a palette or in grey.
ParsingLike = str | os.PathLike[str] | Image.Image | NDArray[np.integer] | Sequence[Any]


@dataclass(frozen=True, eq=False)
class LoadedMap:
    """A parsing map."""

    labels: NDArray[np.uint8]  #: (H, W), ids 0-9
    name: str  #: what to call it in messages
    carried: NDArray[np.uint8] | None = None  #: 1 where something is carried, (H, W), if its scheme tells
    doubt: str | None = None  #: what may be wrong with it


def load_parsing(
    parsing: ParsingLike,
    scheme: ParsingScheme | None = None,
    pose: NDArray[np.floating] | None = None,
    size: tuple[int, int] | None = None,
    option: str | None = None,
) -> LoadedMap:
    """A parsing map whose labels are those of ``scheme``.

    Args:
        scheme: None: the ten labels themselves.
        pose: (18, 2) in pixels of the photo of ``size`` (height, width) that the map belongs to. Then landmarks of the
            body are looked at, and schemes that need a pose have one.

    Raises:
        InputError: it cannot be read, or follows another scheme.
    """
    name = os.fspath(parsing) if isinstance(parsing, str | os.PathLike) else "the parsing map"
    if isinstance(parsing, str | os.PathLike):
        path, entry = split_spec(parsing)
        if is_hdf5(path) or entry is not None:
            return LoadedMap(read_parsing(parsing), name)
        ids = read_label_ids(path, scheme)
    else:
        ids = to_array(parsing)
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer) or not ids.size:
        raise InputError(f"a parsing map is a file or an integer array (height, width), not {describe_value(parsing)}")
    scheme = scheme or load_scheme()
    check_label_ids(ids, scheme, name)
    doubt = None
    if pose is not None and size is not None:
        pose = scale_pose(pose, size, ids.shape)
        doubt = check_labels(ids, scheme, pose, name)
    try:
        labels = merge_labels(ids, scheme, pose)
    except InputError as error:
        raise InputError(f"{name} has {error}", option=option) from None
    return LoadedMap(labels.astype(np.uint8, copy=False), name, find_carried(ids, scheme), doubt)


def fit_parsing(
    parsing: ParsingLike | LoadedMap, photos: Sequence[tuple[str, tuple[int, int]]]
) -> tuple[NDArray[np.uint8], str]:
    """A map at the size of the first of ``photos``, names and (height, width), that has its shape; nearest label.

    And what to call it. Raises `InputError` if none has.
    """
    map_ = parsing if isinstance(parsing, LoadedMap) else load_parsing(parsing)
    labels, what = map_.labels, map_.name
    for _, size in photos:
        if has_same_shape(labels.shape, size):
            return np.asarray(Image.fromarray(labels).resize(size[::-1], Image.Resampling.NEAREST)), what
    shapes = " nor of ".join(f"{name} ({height}x{width})" for name, (height, width) in photos)
    raise InputError(
        f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width), not the shape of {shapes}; give a "
        "map of that photo",
        option="parsing",
    )


def to_array(value: object) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError("a list of lists must have rows of one length") from None


def describe_value(value: object) -> str:
    array = np.asarray(value)
    return f"{array.dtype} {array.shape}" if array.ndim else type(value).__name__

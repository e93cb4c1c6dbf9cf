"""The store: one HDF5 file that holds a prepared data set.

Layout, for N images of (H, W) pixels::

    images      uint8   (N, H, W, 3)  RGB, one chunk an image, gzip level 1
    parsing     uint8   (N, H, W)     label ids 0-9, one chunk an image, gzip level 1
    carried     uint8   (N, H, W)     if known of any image: 1 = a thing that is carried, such as a bag; 255 = not known
    silhouettes uint8   (N, H, W)     if poses were estimated: how likely a pixel is of the person; all 0 = none
    estimated   uint8   (N,)          if some parsing maps are estimates: 1 = this one
    poses       float32 (N, 18, 2)    (x, y) in pixels, NaN = missing joint
    names       UTF-8   (N,)          file names, no two the same; as all texts, padded to one length
    persons     UTF-8   (N,)          who it is
    splits      UTF-8   (N,)          "train" or "test"
    attributes  UTF-8   (N,)          JSON objects of strings
    sources     UTF-8   (N,)          JSON lists of [file, hash], the files it was read from; BLAKE2b, 128 bits
    corners     float32 (N, 10, 4, 2) corners of the body parts, see `pgen.body.parts.part_corners`
    faces       float32 (N, 2, 3)     affines from the frame to the head box, see `pgen.body.parts.face_affine`
    pairs/test  int32   (M, 2)        (source, target) indices; pairs/train likewise, if there are any
    affines/test float32 (M, 10, 2, 3) of each pair from target to source pixels; affines/train likewise
    pseudo_labels int32 (N, K)        if they have been made: indices, -1 = none; attribute options = JSON
    root attributes: format = "pgen-store", version = 2, provenance = JSON

Heatmaps, pose masks and part masks are not stored: from keypoints they are made on the device, faster than they could
be read.

Why gzip level 1, measured on one core of a busy machine at 256x256 for rendered people / photos full of detail / maps:

    ==========  ====================  ======================  ======================
    filter      KB an image           random reads a second   writes a second
    ==========  ====================  ======================  ======================
    none        192 / 192 / 64        over 40000              6900 / 3400 / 5600
    lzf          94 / 163 / 3.5       1290 / 1290 / 5600       610 /  300 / 3700
    gzip 1       66 / 142 / 2.0        950 /  650 / 9200       310 /  170 / 4400
    gzip 4       62 / 141 / 1.5        960 /  650 / 5600       220 /  150 / 1800
    ==========  ====================  ======================  ======================

Any reader of HDF5 knows gzip, higher levels save little, and shuffling the bytes first changes nothing for 8-bit data.
`tests/benchmarks/bench_samples.py` measures it. Without a filter a file is three times as large, and reading is only
faster while all of it is in the memory of the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import known_joints
from pgen.body.labels import LABEL_COUNT
from pgen.data.example import SPLITS, Example, Split
from pgen.data.names import normalize_name, suggest_names
from pgen.data.store_file import check_format, is_hdf5, open_store, refuse_foreign_parts, to_one_line, to_text
from pgen.data.store_writer import AFFINES, NUMBER_COLUMNS, OPTIONAL_MASKS, TEXT_COLUMNS, StoreWriter
from pgen.errors import InputError

__all__ = ["Example", "PseudoLabels", "Split", "Store", "StoreWriter", "is_hdf5"]


@dataclass(frozen=True)
class PseudoLabels:
    """For each image those whose maps stand in for its own in another pose."""

    matches: NDArray[np.int32]  # (N, K) indices into the store, -1 = none
    options: dict[str, Any]  # how they were found


class Store:
    """A prepared data set, opened for reading.

    Everything but images and parsing maps is kept in memory. May be pickled, or used after a fork: each
    process opens the file for itself. Raises `InputError` if ``path`` is no store, is damaged, or comes from
    a newer pgen.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._process = -1
        self._handle: h5py.File | None = None
        self._affines_of: dict[Split, dict[tuple[int, ...], NDArray[np.float32]]] = {}
        try:
            self._read_columns()
        except (InputError, MemoryError):
            self.close()
            raise
        except Exception as error:  # h5py raises nearly anything for damaged bytes
            self.close()
            raise InputError(f"{path} is damaged: {to_one_line(error)}; prepare it again") from error

    def __len__(self) -> int:
        return len(self.names)

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image at ``index``: uint8 (H, W, 3) RGB."""
        return self._row("images", index)

    def parsing(self, index: int) -> NDArray[np.uint8]:
        """The parsing map at ``index``: uint8 (H, W), ids 0-9."""
        parsing = self._row("parsing", index)
        if parsing.max(initial=0) >= LABEL_COUNT:
            raise InputError(
                f"{self.path} is damaged: the parsing map of {self.names[index]} has the label id {parsing.max()}; "
                "prepare it again"
            )
        return parsing

    def carried(self, index: int) -> NDArray[np.uint8] | None:
        """Things that are carried at ``index``, uint8 (H, W), 1 where there is one; None if it is not known."""
        mask = self._row("carried", index) if "carried" in self.masks else None
        return None if mask is None or mask[0, 0] > 1 else mask

    def silhouette(self, index: int) -> NDArray[np.uint8] | None:
        """The silhouette that was estimated with the pose at ``index``, uint8 (H, W); None if there is none."""
        mask = self._row("silhouettes", index) if "silhouettes" in self.masks else None
        return None if mask is None or not mask.any() else mask

    def example(self, index: int) -> Example:
        """Everything about the image at ``index``."""
        name, image, parsing, pose = self.names[index], self.image(index), self.parsing(index), self.poses[index]
        known = self.persons[index], self.splits[index], self.attributes(index)
        masks = self.carried(index), self.silhouette(index)
        return Example(name, image, parsing, pose, *known, *masks, bool(self.is_estimated[index]))

    def attributes(self, index: int) -> dict[str, str]:
        """What is known about the image at ``index``, such as ``{"sleeves": "short"}``."""
        try:
            value = json.loads(self._attributes[index])
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise InputError(f"{self.path} is damaged: attributes of {self.names[index]} are not an object")
        return value

    def sources(self, index: int) -> dict[str, str]:
        """The files that the image at ``index`` was read from, and the hashes of their bytes."""
        try:
            return dict(json.loads(self._sources[index]))
        except (ValueError, TypeError) as error:
            raise InputError(f"{self.path} is damaged: sources of {self.names[index]} are no list") from error

    @cached_property
    def corners(self) -> NDArray[np.float32]:
        """Corners of each image's body parts, float32 (N, 10, 4, 2), as `pgen.body.parts.part_corners` has them."""
        return self._column("corners")

    @cached_property
    def faces(self) -> NDArray[np.float32]:
        """Affines from the frame to each image's head box, float32 (N, 2, 3), NOWHERE without one."""
        return self._column("faces")

    def find(self, name: str) -> int:
        """The index of the image called ``name``. Raises `InputError` that offers close matches."""
        index = self._indices.get(name, self._indices.get(normalize_name(name)))
        if index is None:
            raise InputError(f"{self.path} has no image {name!r}{suggest_names(name, self.names)}")
        return index

    def indices(self, split: Split | None = None) -> NDArray[np.int64]:
        """Indices of all images of ``split``, or of all images, in the order of the file."""
        return np.array([i for i, own in enumerate(self.splits) if split in (None, own)], dtype=np.int64)

    def pairs(self, split: Split = "test") -> NDArray[np.int32]:
        """The (source, target) index pairs of ``split``: int32 (M, 2), empty if the file has none."""
        return self._pairs.get(split, np.empty((0, 2), np.int32))

    def affines(self, split: Split = "test") -> NDArray[np.float32]:
        """The affines of the ten parts for each of `pairs`, from target to source pixels: float32 (M, 10, 2, 3)."""
        return self._column(f"affines/{split}") if split in self._pairs else np.empty((0, *AFFINES), np.float32)

    def pair_affines(self, pairs: Iterable[Sequence[int]], split: Split = "test") -> NDArray[np.float32] | None:
        """The stored affines of some of `pairs`, as (source, target) indices: float32 (B, 10, 2, 3).

        None if one of them is no pair of ``split``.
        """
        if split not in self._affines_of:
            rows = map(tuple, self.pairs(split).tolist())
            self._affines_of[split] = dict(zip(rows, self.affines(split), strict=True))
        try:
            return np.stack([self._affines_of[split][int(source), int(target)] for source, target in pairs])
        except KeyError:
            return None

    def pseudo_labels(self) -> PseudoLabels | None:
        """The pseudo labels that `write_pseudo_labels` has added, None if there are none."""
        if "pseudo_labels" not in self._file():
            return None
        try:
            matches = self._column("pseudo_labels")
            options = json.loads(to_text(self._file()["pseudo_labels"].attrs["options"]))
        except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
            raise InputError(f"{self.path} is damaged: pseudo labels cannot be read; make them again") from error
        if matches.ndim != 2 or len(matches) != len(self) or matches.dtype != np.int32:
            raise InputError(f"{self.path} is damaged: pseudo labels are not int32 ({len(self)}, K); make them again")
        if matches.size and (matches.min() < -1 or matches.max() >= len(self)):
            raise InputError(f"{self.path} is damaged: a pseudo label is no image; make them again")
        return PseudoLabels(matches, options)

    def close(self) -> None:
        """Close this process's handle; the next read opens the file again."""
        if self._handle is not None:
            self._handle.close()
        self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_process": -1}

    def _row(self, column: str, index: int) -> NDArray[np.uint8]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is outside a store of {len(self)} images")
        try:
            return self._file()[column][int(index) % len(self)]
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path} is damaged: {column} of {self.names[index]} cannot be read; prepare it again"
            ) from error

    def _column(self, name: str) -> NDArray[Any]:
        try:
            return self._file()[name][:]
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            raise InputError(f"{self.path} is damaged: {name} cannot be read; prepare it again") from error

    def _file(self) -> h5py.File:
        if self._handle is None or self._process != os.getpid():
            if self._handle is not None:
                self._handle.close()  # inherited by a fork: its file position is shared with the parent
            self._handle = open_store(self.path)
            self._process = os.getpid()
        return self._handle

    def _read_columns(self) -> None:
        file = self._file()
        check_format(self.path, file)
        refuse_foreign_parts(self.path, file)
        count, height, width, channels = file["images"].shape
        self.size: tuple[int, int] = (height, width)
        expected: dict[str, tuple[int, ...]] = dict.fromkeys(TEXT_COLUMNS, (count,))
        expected |= {name: (count, *row) for name, row in NUMBER_COLUMNS.items()}
        self.masks = [name for name in OPTIONAL_MASKS if name in file]  # that are known of any image
        expected |= dict.fromkeys(("parsing", *self.masks), (count, height, width))
        for name, shape in expected.items():
            if file[name].shape != shape:
                raise ValueError(f"{name} has the shape {file[name].shape}, not {shape}")
        if channels != 3 or file["images"].dtype != np.uint8 or file["parsing"].dtype != np.uint8:
            raise ValueError("images or parsing maps are not 8-bit")
        self.is_estimated = np.zeros(count, bool)  # of each parsing map
        if "estimated" in file:
            self.is_estimated |= file["estimated"][:].astype(bool)
        self.poses: NDArray[np.float32] = file["poses"][:].astype(np.float32)
        if count and not known_joints(self.poses).any():
            raise ValueError("every joint of every pose is missing")
        texts = (list(file[name].asstr()[:]) for name in TEXT_COLUMNS)
        self.names: list[str]
        self.persons: list[str]
        self.splits: list[Split]
        self.names, self.persons, self.splits, self._attributes, self._sources = texts
        if not set(self.splits) <= set(SPLITS):
            raise ValueError(f"splits other than {', '.join(SPLITS)}")
        self._pairs = {split: file["pairs"][split][:] for split in SPLITS if split in file["pairs"]}
        for split, pairs in self._pairs.items():
            if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype != np.int32:
                raise ValueError("pairs are not int32 (M, 2)")
            if pairs.size and (pairs.min() < 0 or pairs.max() >= count):
                raise ValueError("a pair names an image that is not there")
            if file["affines"][split].shape != (len(pairs), *AFFINES):
                raise ValueError(f"affines of {split} pairs do not belong to them")
        self.provenance: dict[str, Any] = json.loads(to_text(file.attrs["provenance"]))
        if not isinstance(self.provenance, dict):
            raise ValueError("provenance is no object")
        self._indices = {normalize_name(name): index for index, name in enumerate(self.names)}
        self._indices |= {name: index for index, name in enumerate(self.names)}

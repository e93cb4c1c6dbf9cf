"""Writing a store, whose layout is described in `pgen.data.store`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgen.body.joints import JOINT_COUNT
from pgen.data.example import Example, Split
from pgen.data.packing import GZIP_LEVEL, PackedExample, pack_example
from pgen.runtime.atomic_write import atomic_write
from pgen.version import version

FORMAT = "pgen-store"
VERSION = 2
TEXT_COLUMNS = ("names", "persons", "splits", "attributes", "sources")
#: Columns of float32 and the shape of a row; 10 are the parts of `pgen.body.parts`, whose import would take seconds.
NUMBER_COLUMNS = {"poses": (JOINT_COUNT, 2), "corners": (10, 4, 2), "faces": (2, 3)}
AFFINES = (10, 2, 3)
#: Masks uint8 (N, H, W) that a file has if any of its rows knows them: the name in `PackedExample`, and what rows are
#: filled with that do not.
OPTIONAL_MASKS = {"carried": ("carried", 255), "silhouettes": ("silhouette", 0)}

#: From HDF5 1.10 on, what describes the data has checksums; the data have gzip's own. So damage is noticed.
LIBVER = ("v110", "v110")
_BLOCK = 256  # rows of a chunk of the small columns
_PAIR_BLOCK = 4096  # pairs whose affines are computed at once


class StoreWriter:
    """Writes a store, row by row, so that memory stays flat; use it as a context manager.

    The file appears under ``path`` when the block ends without an exception; otherwise nothing is left.
    ``source`` and ``options`` (fit for JSON) say where the data came from and are kept as provenance, with
    ``files``, the hashes by name of files that all of it came from, and ``created``, by default now.
    Raises `InputError` if ``path`` cannot be written, or exists and ``overwrite`` is false.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        *,
        source: str,
        options: Mapping[str, Any] | None = None,
        files: Mapping[str, str] | None = None,
        created: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.overwrite = overwrite
        self.provenance = {
            "source": source,
            "options": dict(options or {}),
            "files": dict(files or {}),
            "pgen": version(),
            "created": created or get_current_time(),
        }
        self._indices: dict[str, int] = {}
        self._poses: list[NDArray[np.float32]] = []
        self._is_estimated: list[bool] = []
        self._texts: dict[str, list[str]] = {name: [] for name in TEXT_COLUMNS}
        self._file: h5py.File

    def __enter__(self) -> Self:
        self._opened = self._open()
        return self._opened.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)

    @contextmanager
    def _open(self) -> Iterator[Self]:
        with (
            atomic_write(self.path, self.overwrite) as aside,
            h5py.File(aside, "w", libver=LIBVER, locking=False) as self._file,
        ):
            self._lay_out()
            yield self
            self._flush()
            for name in ("images", "parsing", *OPTIONAL_MASKS):
                if name in self._file:
                    self._file[name].resize(len(self), axis=0)
            if any(self._is_estimated):
                self._file.create_dataset("estimated", data=np.array(self._is_estimated, np.uint8))
            for name, texts in self._texts.items():
                self._write_texts(name, texts)
            if "test" not in self._file["pairs"]:
                self.set_pairs("test", np.empty((0, 2), np.int32))

    def __len__(self) -> int:
        return len(self._indices)

    def add(self, example: Example) -> int:
        """Append ``example``, return its index. Raises ValueError for wrong shapes or types, or a name in use."""
        return self.append(pack_example(example, self.size))

    def append(self, row: PackedExample) -> int:
        """Append what `pack_example` has made for this size, return its index; ValueError for a name in use."""
        if row.name in self._indices:
            raise ValueError(f"{row.name}: there is an example of this name already")
        index = self._indices[row.name] = len(self._indices)
        chunks = {"images": row.image, "parsing": row.parsing}
        for name, (field, unknown) in OPTIONAL_MASKS.items():
            if chunk := getattr(row, field):
                chunks[name] = chunk
                if name not in self._file:
                    self._create(name, np.uint8, self.size, 1, unknown)
        for name, chunk in chunks.items():
            dataset = self._file[name]
            if index >= len(dataset):
                dataset.resize(index + _BLOCK, axis=0)  # ahead, and in the end to what has been filled
            dataset.id.write_direct_chunk((index, *(0 for _ in dataset.shape[1:])), chunk)
        texts = (row.name, row.person, row.split, row.attributes, row.sources)
        for name, text in zip(TEXT_COLUMNS, texts, strict=True):
            self._texts[name].append(text)
        self._poses.append(row.pose)
        self._is_estimated.append(row.is_estimated)
        if len(self._poses) % _BLOCK == 0:
            self._flush()
        return index

    def set_pairs(self, split: Split, pairs: ArrayLike) -> None:
        """Store the (source, target) index pairs of ``split``, integers (M, 2), and the affines between them.

        Raises ValueError for an index that is not (yet) there.
        """
        import torch

        from pgen.body.parts import part_affines

        rows = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise ValueError(f"a pair names an index outside 0-{len(self) - 1}")
        for group in ("pairs", "affines"):
            if split in self._file[group]:
                del self._file[group][split]
        self._file["pairs"].create_dataset(split, data=rows)
        affines = self._file["affines"].create_dataset(split, (len(rows), *AFFINES), np.float32)
        for start in range(0, len(rows), _PAIR_BLOCK):
            block = rows[start : start + _PAIR_BLOCK]
            source, target = (torch.from_numpy(np.stack([self._poses[index] for index in end])) for end in block.T)
            affines[start : start + len(block)] = part_affines(source, target).numpy()

    def _lay_out(self) -> None:
        self._create("images", np.uint8, (*self.size, 3), 1)
        self._create("parsing", np.uint8, self.size, 1)
        for name, row in NUMBER_COLUMNS.items():
            self._create(name, np.float32, row, _BLOCK)
        for name in ("pairs", "affines"):
            self._file.create_group(name)
        for key, text in (("format", FORMAT), ("provenance", json.dumps(self.provenance))):
            self._file.attrs[key] = np.bytes_(text.encode())
        self._file.attrs["version"] = VERSION

    def _create(self, name: str, kind: Any, row: tuple[int, ...], block: int, fill: int | None = None) -> None:
        self._file.create_dataset(
            name, (0, *row), kind, maxshape=(None, *row), chunks=(block, *row),
            compression="gzip", compression_opts=GZIP_LEVEL, fillvalue=fill,
        )  # fmt: skip

    def _write_texts(self, name: str, texts: list[str]) -> None:
        """Padded to one length: texts of any length lie in a heap without checksums, where damage may hang HDF5."""
        rows = [text.encode() for text in texts]
        self._create(name, h5py.string_dtype("utf-8", max(map(len, rows), default=1) or 1), (), _BLOCK)
        self._file[name].resize(len(rows), axis=0)
        if rows:
            self._file[name][:] = rows

    def _flush(self) -> None:
        """Write the small columns of the rows that do not have them yet."""
        start, end = len(self._file["poses"]), len(self._poses)
        if start == end:
            return
        import torch

        from pgen.body.parts import face_affines, part_corners

        poses = torch.from_numpy(np.stack(self._poses[start:end]))
        corners, faces = part_corners(poses, self.size), face_affines(poses, self.size)
        for name, values in (("poses", poses), ("corners", corners), ("faces", faces)):
            self._file[name].resize(end, axis=0)
            self._file[name][start:end] = values.numpy()


def get_current_time() -> str:
    """The time, as provenance says it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")

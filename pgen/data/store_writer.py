"""Writing a store, whose layout is described in `pgen.data.store`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import ArrayLike

from pgen.body.joints import JOINT_COUNT
from pgen.body.labels import LABEL_COUNT
from pgen.data.example import SPLITS, Example, Split
from pgen.data.outputs import write_whole
from pgen.version import version

FORMAT = "pgen-store"
VERSION = 1
TEXT_COLUMNS = ("names", "persons", "splits", "attributes")

_BLOCK = 64  # examples held in memory before they are appended


class StoreWriter:
    """Writes a store, a block of examples at a time, so that memory stays flat; use it as a context manager.

    The file appears under ``path`` when the block ends without an exception; otherwise nothing is left.
    ``source`` and ``options`` (fit for JSON) say where the data came from and are kept as provenance.
    Raises `InputError` if ``path`` cannot be written, or exists and ``force`` is false.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        *,
        source: str,
        options: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> None:
        self.path = Path(path)
        self.size = size
        self.force = force
        self.provenance = {
            "source": source,
            "options": dict(options or {}),
            "pgen": version(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._indices: dict[str, int] = {}
        self._block: list[Example] = []
        self._written = 0
        self._file: h5py.File

    def __enter__(self) -> Self:
        self._opened = self._open()
        return self._opened.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    @contextmanager
    def _open(self) -> Iterator[Self]:
        with write_whole(self.path, self.force) as aside, h5py.File(aside, "w") as self._file:
            self._lay_out()
            yield self
            self._flush()
            if "test" not in self._file["pairs"]:
                self.set_pairs("test", np.empty((0, 2), np.int32))

    def __len__(self) -> int:
        return len(self._indices)

    def __contains__(self, name: str) -> bool:
        return name in self._indices

    def index(self, name: str) -> int:
        """The index of the example called ``name``; raises KeyError."""
        return self._indices[name]

    def add(self, example: Example) -> int:
        """Append ``example``, return its index.

        Raises ValueError for wrong shapes or types, or a name in use.
        """
        if example.image.shape != (*self.size, 3) or example.image.dtype != np.uint8:
            raise ValueError(f"{example.name}: image is not uint8 {(*self.size, 3)}")
        if example.parsing.shape != self.size or example.parsing.dtype != np.uint8:
            raise ValueError(f"{example.name}: parsing map is not uint8 {self.size}")
        if example.parsing.max(initial=0) >= LABEL_COUNT:
            raise ValueError(f"{example.name}: parsing map has ids over {LABEL_COUNT - 1}")
        if example.pose.shape != (JOINT_COUNT, 2):
            raise ValueError(f"{example.name}: pose is not {(JOINT_COUNT, 2)}")
        if example.split not in SPLITS:
            raise ValueError(f"{example.name}: split {example.split!r} is not one of {SPLITS}")
        if example.name in self._indices:
            raise ValueError(f"{example.name}: there is an example of this name already")
        index = self._indices[example.name] = len(self._indices)
        self._block.append(example)
        if len(self._block) == _BLOCK:
            self._flush()
        return index

    def set_pairs(self, split: Split, pairs: ArrayLike) -> None:
        """Store the (source, target) index pairs of ``split``: integers (M, 2).

        Raises ValueError for an index that is not (yet) there.
        """
        rows = np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise ValueError(f"a pair names an index outside 0-{len(self) - 1}")
        if split in self._file["pairs"]:
            del self._file["pairs"][split]
        self._file["pairs"].create_dataset(split, data=rows)

    def _lay_out(self) -> None:
        height, width = self.size
        joints = (JOINT_COUNT, 2)
        text = h5py.string_dtype("utf-8")
        for name, shape in (("images", (height, width, 3)), ("parsing", (height, width))):
            self._file.create_dataset(
                name, (0, *shape), np.uint8, maxshape=(None, *shape), chunks=(1, *shape),
                compression="gzip", compression_opts=1,
            )  # fmt: skip
        self._file.create_dataset("poses", (0, *joints), np.float32, maxshape=(None, *joints), chunks=(256, *joints))
        for name in TEXT_COLUMNS:
            self._file.create_dataset(name, (0,), text, maxshape=(None,), chunks=(256,))
        self._file.create_group("pairs")
        self._file.attrs.update(format=FORMAT, version=VERSION, provenance=json.dumps(self.provenance))

    def _flush(self) -> None:
        if not self._block:
            return
        block = self._block
        columns: dict[str, Any] = {
            "images": np.stack([example.image for example in block]),
            "parsing": np.stack([example.parsing for example in block]),
            "poses": np.stack([example.pose for example in block]).astype(np.float32),
            "names": [example.name for example in block],
            "persons": [example.person for example in block],
            "splits": [example.split for example in block],
            "attributes": [json.dumps(dict(example.attributes)) for example in block],
        }
        end = self._written + len(block)
        for name, values in columns.items():
            self._file[name].resize(end, axis=0)
            self._file[name][self._written : end] = values
        self._written = end
        self._block = []

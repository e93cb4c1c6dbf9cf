"""Several data sets in one training, each with a share of the samples."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from pgen.data.dataset import PersonDataset, PersonSample
from pgen.errors import InputError

DataSpec = str | os.PathLike[str]


class MixedDataset(PersonDataset):
    """People of several stores; indices count through all ``parts``, one after the other.

    ``shares`` say how many of the samples come from each part, and sum to 1. Raises `InputError` for parts of different
    sizes.
    """

    def __init__(self, parts: Sequence[PersonDataset], shares: Sequence[float]) -> None:
        sizes = {part.size for part in parts}
        if len(sizes) > 1:
            what = ", ".join(f"{part.store.path} {part.size[0]}x{part.size[1]}" for part in parts)
            raise InputError(f"photos of different sizes ({what}); prepare them with one size", option="data")
        self.parts, self.shares, self.size = list(parts), torch.tensor(shares, dtype=torch.float64), parts[0].size
        self.ends = [*accumulate(map(len, parts))]
        self.names = [name for part in parts for name in part.names]
        self.persons = [f"{k}/{person}" for k, part in enumerate(parts) for person in part.persons]
        self.poses = torch.cat([part.poses for part in parts])

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> PersonSample:
        part = bisect_right(self.ends, index)
        return self.parts[part][index - self.ends[part] + len(self.parts[part])]

    @property
    def is_in_memory(self) -> bool:
        return all(part.is_in_memory for part in self.parts)

    @property
    def labels(self) -> Tensor:
        return torch.cat([part.labels for part in self.parts])

    def list_parts(self) -> list[tuple[int, PersonDataset]]:
        return [(end - len(part), part) for end, part in zip(self.ends, self.parts, strict=True)]

    def draw_indices(self, count: int, generator: torch.Generator) -> Tensor:
        """First the part, by its share, then any person of it."""
        part = torch.multinomial(self.shares, count, replacement=True, generator=generator)
        lengths = torch.tensor([len(one) for one in self.parts])[part]
        within = torch.rand(count, generator=generator, dtype=torch.float64) * lengths
        return torch.tensor(self.ends)[part] - lengths + within.long()

    def _find_affines(self, pairs: Tensor) -> Tensor | None:
        return None


def mix(parts: Sequence[PersonDataset], shares: Sequence[float]) -> PersonDataset:
    """``parts`` as one; a single one as it is."""
    return parts[0] if len(parts) == 1 else MixedDataset(parts, shares)


def parse_data(specs: DataSpec | Sequence[DataSpec]) -> dict[Path, float]:
    """The files that ``specs`` name as ``FILE.h5`` or ``FILE.h5:SHARE``, and each one's share of the samples, 0 to 1.

    Files without a share have equal parts of what is left. Raises `InputError` for shares that do not sum to 1.
    """
    texts = [os.fspath(spec) for spec in ([specs] if isinstance(specs, str | os.PathLike) else specs)]
    given: dict[Path, float | None] = {}
    for text in texts:
        name, _, number = text.rpartition(":")
        share = None
        if name and not Path(text).exists():
            with suppress(ValueError):
                share = float(number)
        given[Path(text if share is None else name)] = share
    shares = [share for share in given.values() if share is not None]
    left, without = 1 - sum(shares), len(given) - len(shares)
    if len(given) < len(texts) or not given:
        raise InputError(f"{' '.join(texts)}: give at least one data set, and each of them once", option="data")
    is_whole = left > 0 if without else abs(left) < 1e-6
    if not (is_whole and all(isfinite(share) and share > 0 for share in shares)):
        raise InputError(f"{' '.join(texts)}: shares are more than 0, and sum to 1 with what has none", option="data")
    return {file: left / without if share is None else share for file, share in given.items()}


def describe_data(shares: Mapping[Path, float]) -> str:
    """Files and their shares as `parse_data` takes them, in one line."""
    return ", ".join(f"{file}:{share:g}" if len(shares) > 1 else str(file) for file, share in shares.items())

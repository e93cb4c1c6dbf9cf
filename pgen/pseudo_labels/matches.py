"""Pseudo labels of a store's training images: made, kept in the file or beside it, and found again by a training."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pgen.data.dataset import PersonDataset
from pgen.data.store import PseudoLabels, Store
from pgen.data.store_writer import LIBVER
from pgen.errors import InputError
from pgen.pseudo_labels.kept_matches import keep, kept_path, read_kept
from pgen.pseudo_labels.match_rules import SAME_CLOTHES, SAME_POSE
from pgen.pseudo_labels.nearest_search import find_nearest_maps
from pgen.pseudo_labels.varied_search import find_matches
from pgen.runtime.atomic_write import atomic_write, remove_leftovers

#: Kinds of pseudo labels: the nearest by the paper's distance, and those that a training makes for itself.
NEAREST, VARIED = "nearest", "varied"


def make_pseudo_labels(
    path: str | os.PathLike[str], count: int, advance: Callable[[int], None] = lambda done: None
) -> PseudoLabels:
    """Find the ``count`` nearest maps of each training image of the store ``path``, and keep them in it.

    ``advance`` is called with numbers of images as they are done, twice all training images in sum. Raises
    `InputError` if there are none, or one has nobody else in another pose.
    """
    with Store(path) as store:
        indices = store.indices("train")
        if not len(indices):
            raise InputError(f"{path}: no train images, and pseudo labels are for training; prepare it with some")
        labels = torch.from_numpy(np.stack([store.parsing(index) for index in indices]))
        poses = torch.from_numpy(store.poses[indices])
        persons, names = ([column[index] for index in indices] for column in (store.persons, store.names))
        found = find_nearest_maps(labels, poses, persons, names, count, advance=advance)
        matches = _to_store_indices(store, indices, found.matches)
    options = {"kind": NEAREST, "count": count, "same_pose": SAME_POSE, "same_clothes": SAME_CLOTHES}
    write_pseudo_labels(path, matches, options)
    return PseudoLabels(matches, options)


def load_training_matches(
    store: Store, train: PersonDataset, nearest: int, turned: int, seed: int, same_clothes: float = 0.0
) -> tuple[NDArray[np.int64], str]:
    """Pseudo labels for a training on ``train``, of the split "train" of ``store``.

    Those in the file if `make_pseudo_labels` has put them there, or those that an earlier training with the same
    settings has kept beside it. Otherwise they are made by `find_matches`, and kept there if that can be written; the
    store stays as it is. Returns int64 (N, K) indices into ``train``, and where they come from, for a message.
    """
    options = {"kind": VARIED, "nearest": nearest, "turned": turned, "seed": seed, "same_clothes": same_clothes}
    stored, kept = store.pseudo_labels(), read_kept(store, options)
    if stored is not None and not (stored.options.get("kind") == NEAREST or stored.options == options):
        stored = None
    for known, path in ((stored, store.path), (kept, kept_path(store.path))):
        matches = None if known is None else _to_split_indices(store, train.indices, known.matches)
        if known is not None and matches is not None:
            return matches, f"pseudo labels from {path} ({known.options.get('kind')}, {matches.shape[1]} each)"
    found = find_matches(train, nearest, turned, seed, same_clothes=same_clothes or None)
    written = keep(store, _to_store_indices(store, train.indices, found), options)
    return found, "pseudo labels made" + ("" if written is None else f" and kept in {written}")


def write_pseudo_labels(
    path: str | os.PathLike[str], matches: ArrayLike, options: Mapping[str, Any] | None = None
) -> None:
    """Add pseudo labels to the store ``path``, in the place of those it may have.

    ``matches`` are integers (N, K): for each image the indices of K others, or −1. ``options`` (fit for JSON) say how
    they were found. A copy of the store takes its place, so that whoever reads or interrupts this meets a whole one.
    Raises `InputError` if ``path`` is no store, ValueError for matches that do not fit it.
    """
    with Store(path) as store:
        count = len(store)
    rows = np.asarray(matches)
    if rows.ndim != 2 or len(rows) != count or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"matches are integers ({count}, K), not {rows.dtype} {rows.shape}")
    if rows.size and (rows.min() < -1 or rows.max() >= count):
        raise ValueError(f"a match is outside -1 to {count - 1}")
    remove_leftovers(path)
    with atomic_write(path, overwrite=True) as aside:
        shutil.copyfile(path, aside)
        with h5py.File(aside, "r+", libver=LIBVER, locking=False) as file:
            if "pseudo_labels" in file:
                del file["pseudo_labels"]
            stored = file.create_dataset("pseudo_labels", data=rows.astype(np.int32))
            stored.attrs["options"] = np.bytes_(json.dumps(dict(options or {})).encode())


def _to_store_indices(store: Store, indices: NDArray[np.int64], matches: NDArray[np.int64]) -> NDArray[np.int32]:
    """Matches within a split as a column of the whole store; images outside of it have none."""
    result = np.full((len(store), matches.shape[1]), -1, np.int32)
    result[indices] = indices[matches]
    return result


def _to_split_indices(store: Store, indices: NDArray[np.int64], column: NDArray[np.int32]) -> NDArray[np.int64] | None:
    """The column's rows ``indices`` as positions in ``indices``; None if one of them has no match there."""
    position = np.full(len(store) + 1, -1, np.int64)  # the last is for −1
    position[indices] = np.arange(len(indices))
    matches = position[column[indices]]
    there = matches >= 0
    if not matches.size or not there.any(axis=1).all():
        return None
    first = matches[np.arange(len(matches)), there.argmax(axis=1)]
    return np.where(there, matches, first[:, None])

"""What is in a file, in words and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.body.joints import JOINTS, known_joints
from pgen.body.labels import LABELS
from pgen.body.viz import colorize_parsing, draw_parts, draw_skeleton
from pgen.data.example import SPLITS, Example
from pgen.data.formats.images import decode_image, looks_like_image, read_image
from pgen.data.formats.keypoints import read_pose, read_poses
from pgen.data.formats.parsing import read_parsing
from pgen.data.inputs import read_bytes, read_start, split_spec
from pgen.data.scan import PHOTO_SUFFIXES
from pgen.data.store import Store, is_hdf5
from pgen.data.weights import find_weights
from pgen.data.weights_summary import summarize_weights
from pgen.errors import InputError

Picture = NDArray[np.uint8]
Pose = NDArray[np.float32]
Rows = list[tuple[str, object]]
Sheet = list[list[tuple[str, Picture]]]

_MARGIN = 16  # pixels around a pose whose photo's size is not known


def inspect_file(
    path: str, count: int = 8, is_drawing: bool = True, pseudo_labels: bool = False, with_config: bool = False
) -> tuple[Rows, Sheet]:
    """Facts about the file ``path``, or its entry FILE:NAME, and pictures of at most ``count`` entries.

    Args:
        path: a store, weights (a file, the folder of a training, or "bundled"), poses, a parsing map or a photo.
        count: entries that are drawn.
        is_drawing: False saves the time of drawing the entries of a store, or of a file of poses.
        pseudo_labels: look at those of a store; each row of the sheet is a map and those that stand in for it.
        with_config: of weights, also every setting of their training.

    Returns:
        Rows of a table (name, value), and of a sheet: lists of pictures, uint8 (H, W, 3), with captions.

    Raises:
        InputError: the file is none of these, or there is no such entry.
    """
    file, name = _find_file(path)
    if with_config and not _is_safetensors(file):
        raise InputError(f"{path}: only weights have settings; leave them out", option="with_config")
    if pseudo_labels:
        return _inspect_pseudo_labels(file, name, count, is_drawing)
    if is_hdf5(file):
        return _inspect_store(file, name, count, is_drawing)
    if name is not None and (_is_safetensors(file) or read_start(file, 6) == b"\x93NUMPY" or _is_image(file)):
        raise InputError(f"{path} does not exist ({file} does, and has no entries)")
    if _is_safetensors(file):
        rows = summarize_weights(file, with_config)
        named: Rows = [] if file == Path(path) else [("file", str(file))]
        return [*rows[:1], *named, _measure_file(file), *rows[1:]], []
    data = read_bytes(file, "something to inspect")
    if data.startswith(b"\x93NUMPY"):
        return _inspect_parsing(file)
    if _is_image(file):
        image = decode_image(data, file)
        if image.format == "PNG" and image.mode in ("P", "L"):
            with suppress(InputError):  # values that are no labels: a photo after all
                return _inspect_parsing(file)
        photo = read_image(file)
        return [("kind", "photo"), ("size", _by(photo.shape[:2]))], [[(file.name, photo)]]
    if file.suffix.lower() in PHOTO_SUFFIXES:
        read_image(file)  # says what is wrong with it
    return _inspect_poses(file, name, count if is_drawing else 0)


def _find_file(path: str) -> tuple[Path, str | None]:
    """The file that ``path`` means, also where it means weights, and the name of an entry in it."""
    if not Path(path).is_dir() and (path != "bundled" or Path(path).exists()):
        return split_spec(path)
    try:
        return find_weights(path)[0], None
    except InputError:
        raise InputError(f"{path} is a folder without weights of a training; name a file in it") from None


def _inspect_store(file: Path, name: str | None, count: int, is_drawing: bool) -> tuple[Rows, Sheet]:
    with Store(file) as store:
        chosen = _spread(len(store), count) if name is None else [store.find(name)]
        if name is not None:
            example = store.example(chosen[0])
            rows: Rows = [("person", example.person), ("split", example.split), ("size", _by(store.size))]
            rows += sorted(example.attributes.items())
            rows += [("parsing map", "an estimate")] if example.is_estimated else []
            rows += [("labels", _list_labels(example.parsing)), *_list_joints(example.pose)]
        else:
            rows = [("kind", "pgen store"), ("photos", f"{len(store):,} of {_by(store.size)}")]
            for split in SPLITS:
                indices, pairs = store.indices(split), len(store.pairs(split))
                people = len({store.persons[index] for index in indices})
                rows += [(split, f"{len(indices):,} photos of {people:,} people, {pairs:,} pairs")]
            rows += [("joints known", f"{_count_known(store.poses):.1f} of 18 on average")]
            if store.is_estimated.any():
                rows += [("maps that are estimates", f"{store.is_estimated.sum():,}")]
            rows += [(key, _to_text(value)) for key, value in store.provenance.items()]
            rows += [_measure_file(file)]
        drawn = [_draw_example(store.example(index)) for index in chosen] if is_drawing else []
    return rows, drawn


def _inspect_pseudo_labels(file: Path, name: str | None, count: int, is_drawing: bool) -> tuple[Rows, Sheet]:
    """Facts about a store's pseudo labels; each row of the sheet is a map and those that stand in for it."""
    with Store(file) as store:
        found = store.pseudo_labels()
        if found is None:
            raise InputError(
                f"{file}: no pseudo labels; prepare the data with some, or train a semantic generator with it"
            )
        matches, labelled = found.matches, np.flatnonzero((found.matches >= 0).any(axis=1)).tolist()
        rows: Rows = [("kind", "pseudo labels"), ("photos with pseudo labels", f"{len(labelled):,} of {len(store):,}")]
        rows += [("each has", matches.shape[1])]
        rows += [(f"made with {key}", _to_text(value)) for key, value in found.options.items()]
        if name is not None:
            labelled = [store.find(name)]
            rows += [(f"match {k}", store.names[m]) for k, m in enumerate(matches[labelled[0]], 1) if m >= 0]
        shown = [labelled[k] for k in _spread(len(labelled), count)] if is_drawing else []
        chosen = [[index for index in (row, *matches[row]) if index >= 0] for row in shown]
        drawn = [[(store.names[i], colorize_parsing(store.parsing(i))) for i in indices] for indices in chosen]
    return rows, drawn


def _inspect_parsing(file: Path) -> tuple[Rows, Sheet]:
    ids = read_parsing(file)
    rows: Rows = [("kind", "parsing map"), ("size", _by(ids.shape)), ("labels", _list_labels(ids))]
    return rows, [[(file.name, colorize_parsing(ids))]]


def _inspect_poses(file: Path, name: str | None, count: int) -> tuple[Rows, Sheet]:
    photos = read_poses(file)
    frames = {found.frame for found in photos.values()}
    frame = frames.pop() if len(frames) == 1 else None
    if list(photos) == [""]:
        poses = {f"person {i}": pose for i, pose in enumerate(photos[""].poses)}
    else:
        poses = {photo: found.choose().pose for photo, found in photos.items()}
    if name is not None:
        loaded = read_pose(f"{file}:{name}")
        poses = {loaded.name: loaded.pose}
    rows: Rows = [("kind", "poses"), ("poses", f"{len(poses):,}")]
    if frame is not None:
        rows += [("size of the photo", _by(frame))]
    if not poses:
        return rows, []
    every = np.stack(list(poses.values()))
    known = every[np.isfinite(every).all(axis=2)]
    rows += [("joints known", f"{_count_known(every):.1f} of 18 on average")]
    if len(known):
        (left, top), (right, bottom) = known.min(axis=0), known.max(axis=0)
        rows += [("x", f"{left:g} to {right:g}"), ("y", f"{top:g} to {bottom:g}")]
    if len(poses) == 1:
        rows += _list_joints(every[0])
    drawn = []
    for index in _spread(len(poses), count):
        pose, shape = every[index], frame
        if shape is None:
            right, bottom = np.clip(pose[known_joints(pose)].max(axis=0, initial=0), 0, 4096) + _MARGIN
            shape = (int(bottom), int(right))
        drawn.append([([*poses][index], draw_skeleton(shape, pose)), ("parts", draw_parts(shape, pose))])
    return rows, drawn


def _draw_example(example: Example) -> list[tuple[str, Picture]]:
    image, pose = example.image, example.pose
    parsing = colorize_parsing(example.parsing)
    drawn = {"skeleton": draw_skeleton(image, pose), "parsing": parsing, "parts": draw_parts(image, pose)}
    return [(example.name, image), *drawn.items()]


def _is_safetensors(file: Path) -> bool:
    if file.suffix == ".safetensors":
        return True
    head = read_start(file, 9)
    return head[8:] == b"{" and 0 < int.from_bytes(head[:8], "little") <= file.stat().st_size


def _is_image(file: Path) -> bool:
    return looks_like_image(read_start(file, 16))


def _spread(length: int, count: int) -> list[int]:
    """Up to ``count`` indices spread evenly over ``length`` entries."""
    count = min(count, length)
    return [round(step * (length - 1) / max(count - 1, 1)) for step in range(count)]


def _list_joints(pose: Pose) -> Iterable[tuple[str, object]]:
    """A row a joint: where it is, in pixels."""
    for joint, (x, y), there in zip(JOINTS, pose.tolist(), known_joints(pose).tolist(), strict=True):
        yield joint, f"x {x:g}, y {y:g}" if there else "missing"


def _list_labels(parsing: Picture) -> str:
    """The labels in a map (H, W), each with its share of the pixels."""
    parts = np.bincount(parsing.ravel(), minlength=len(LABELS)) / parsing.size
    return ", ".join(f"{label} {part:.1%}" for label, part in zip(LABELS, parts, strict=True) if part)


def _count_known(poses: Pose) -> float:
    """How many joints of ``poses`` (N, 18, 2) are known, on average."""
    return float(np.isfinite(poses).all(axis=2).sum(axis=1).mean()) if len(poses) else 0.0


def _measure_file(file: Path) -> tuple[str, object]:
    return "size of the file", f"{file.stat().st_size / 1e6:,.1f} MB"


def _to_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))

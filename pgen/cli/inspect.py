"""``pgen inspect``: what is in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.errors_to_exit_codes import log, print_table
from pgen.cli.options import Force
from pgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.data.example import Example

    Picture = NDArray[np.uint8]
    Pose = NDArray[np.float32]

Rows = list[tuple[str, object]]
Sheet = list[list[tuple[str, "Picture"]]]

_MARGIN = 16  # pixels around a pose whose photo's size is not known


def run(
    path: Annotated[
        str,
        typer.Argument(
            help="An HDF5 store, weights, poses, a parsing map or a photo; FILE:NAME for one entry.",
            metavar="PATH",
        ),
    ],
    sheet: Annotated[
        Path | None, typer.Option(help="Draw it: photo, skeleton, parsing, parts.", metavar="FILE.png")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many entries the sheet shows.")] = 8,
    pseudo_labels: Annotated[
        bool,
        typer.Option(
            "--pseudo-labels", help="Of a store: its pseudo labels; the sheet shows maps beside their matches."
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Say what is in a file, and draw it if asked."""
    from pgen.data.inputs import split_spec
    from pgen.runtime.atomic_write import check_output

    if sheet is not None:
        check_output(sheet, force)
    file, name = split_spec(path)
    look_into = _pseudo_labels if pseudo_labels else _look_into
    rows, drawn = look_into(file, name, count, drawing=sheet is not None)
    print_table(path, rows)
    if sheet is not None:
        from pgen.body.viz import draw_sheet as draw_sheet
        from pgen.data.formats.images import write_png

        if not drawn:
            raise InputError(f"--sheet: there is nothing to draw in {path}")
        write_png(sheet, draw_sheet(drawn), force)
        log(f"wrote {sheet}")


def _look_into(file: Path, name: str | None, count: int, drawing: bool) -> tuple[Rows, Sheet]:
    """Facts about ``file``, or its entry ``name``, and rows of a sheet of at most ``count`` entries."""
    from pgen.data.inputs import read_bytes
    from pgen.data.store import is_hdf5

    if is_hdf5(file):
        return _store(file, name, count, drawing)
    if _is_safetensors(file):
        return _weights(file), []
    data = read_bytes(file, "something to inspect")
    from pgen.data.formats.images import decode_image, looks_like_image

    if data.startswith(b"\x93NUMPY"):
        return _parsing(file)
    if looks_like_image(data[:16]):
        image = decode_image(data, file)
        if image.format == "PNG" and image.mode in ("P", "L"):
            with suppress(InputError):  # values that are no labels: a photo after all
                return _parsing(file)
        return _photo(file)
    return _poses(file, name, count)


def _store(file: Path, name: str | None, count: int, drawing: bool) -> tuple[Rows, Sheet]:
    from pgen.data.store import SPLITS, Store

    with Store(file) as store:
        chosen = _spread(len(store), count) if name is None else [store.find(name)]
        if name is not None:
            example = store.example(chosen[0])
            rows: Rows = [
                ("person", example.person),
                ("split", example.split),
                ("size", _by(example.image.shape[:2])),
            ]
            rows += sorted(example.attributes.items())
            rows += [("labels", _labels(example.parsing)), *_joints(example.pose)]
        else:
            splits, persons = Counter(store.splits), {split: set[str]() for split in SPLITS}
            for split, person in zip(store.splits, store.persons, strict=True):
                persons[split].add(person)
            rows = [("kind", "pgen store"), ("photos", f"{len(store):,} of {_by(store.size)}")]
            for split in SPLITS:
                people, pairs = len(persons[split]), len(store.pairs(split))
                rows += [(split, f"{splits[split]:,} photos of {people:,} people, {pairs:,} pairs")]
            rows += [("joints known", f"{_mean_known(store.poses):.1f} of 18 on average")]
            rows += [(key, _shown(value)) for key, value in store.provenance.items()]
            rows += [("size of the file", f"{file.stat().st_size / 1e6:,.1f} MB")]
        drawn = [_draw_example(store.example(index)) for index in chosen] if drawing else []
    return rows, drawn


def _pseudo_labels(file: Path, name: str | None, count: int, drawing: bool) -> tuple[Rows, Sheet]:
    """Facts about a store's pseudo labels; each row of the sheet is a map and those that stand in for it."""
    import numpy as np

    from pgen.body.viz import colorize_parsing
    from pgen.data.store import Store

    with Store(file) as store:
        found = store.pseudo_labels()
        if found is None:
            raise InputError(f"{file}: no pseudo labels; `pgen prepare --pseudo-labels K` or `pgen train-hs` adds them")
        matches, own = found.matches, np.flatnonzero((found.matches >= 0).any(axis=1)).tolist()
        rows: Rows = [("kind", "pseudo labels"), ("photos with pseudo labels", f"{len(own):,} of {len(store):,}")]
        rows += [("each has", matches.shape[1])]
        rows += [(f"made with {key}", _shown(value)) for key, value in found.options.items()]
        if name is not None:
            own = [store.find(name)]
            rows += [(f"match {k}", store.names[m]) for k, m in enumerate(matches[own[0]], 1) if m >= 0]
        shown = [own[k] for k in _spread(len(own), count)] if drawing else []
        drawn = [
            [
                (store.names[index], colorize_parsing(store.parsing(index)))
                for index in (row, *matches[row])
                if index >= 0
            ]
            for row in shown
        ]
    return rows, drawn


def _weights(file: Path) -> Rows:
    from pgen.data.weights import describe

    content = describe(file)
    rows: Rows = [("kind", "pgen weights")]
    rows += [(key, _shown(value)) for key, value in content.items()]
    return [*rows, ("size of the file", f"{file.stat().st_size / 1e6:,.1f} MB")]


def _parsing(file: Path) -> tuple[Rows, Sheet]:
    from pgen.body.viz import colorize_parsing
    from pgen.data.formats.parsing import read_parsing

    ids = read_parsing(file)
    rows: Rows = [("kind", "parsing map"), ("size", _by(ids.shape)), ("labels", _labels(ids))]
    return rows, [[(file.name, colorize_parsing(ids))]]


def _photo(file: Path) -> tuple[Rows, Sheet]:
    from pgen.data.formats.images import read_image

    image = read_image(file)
    return [("kind", "photo"), ("size", _by(image.shape[:2]))], [[(file.name, image)]]


def _poses(file: Path, name: str | None, count: int) -> tuple[Rows, Sheet]:
    import numpy as np

    from pgen.data.formats.keypoints import read_pose, read_poses

    photos = read_poses(file)
    frames = {found.frame for found in photos.values()}
    frame = frames.pop() if len(frames) == 1 else None
    if list(photos) == [""]:
        poses = {f"person {i}": pose for i, pose in enumerate(photos[""].poses)}
    else:
        poses = {photo: found.poses[found.largest()] for photo, found in photos.items()}
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
    rows += [("joints known", f"{_mean_known(every):.1f} of 18 on average")]
    if len(known):
        (left, top), (right, bottom) = known.min(axis=0), known.max(axis=0)
        rows += [("x", f"{left:g} to {right:g}"), ("y", f"{top:g} to {bottom:g}")]
    if len(poses) == 1:
        rows += _joints(every[0])
    names = list(poses)
    return rows, [_draw_pose(names[i], every[i], frame) for i in _spread(len(names), count)]


def _draw_example(example: Example) -> list[tuple[str, Picture]]:
    from pgen.body.viz import colorize_parsing, draw_parts, draw_skeleton

    return [
        (example.name, example.image),
        ("skeleton", draw_skeleton(example.image, example.pose)),
        ("parsing", colorize_parsing(example.parsing)),
        ("parts", draw_parts(example.image, example.pose)),
    ]


def _draw_pose(name: str, pose: Pose, frame: tuple[int, int] | None) -> list[tuple[str, Picture]]:
    import numpy as np

    from pgen.body.viz import draw_parts, draw_skeleton

    known = pose[np.isfinite(pose).all(axis=1)]
    if frame is None:
        right, bottom = np.clip(known.max(axis=0, initial=0), 0, 4096) + _MARGIN
        frame = (int(bottom), int(right))
    return [(name, draw_skeleton(frame, pose)), ("parts", draw_parts(frame, pose))]


def _is_safetensors(file: Path) -> bool:
    if file.suffix == ".safetensors":
        return True
    try:
        with file.open("rb") as opened:
            head = opened.read(9)
    except OSError:
        return False
    return len(head) == 9 and head[8:] == b"{" and 0 < int.from_bytes(head[:8], "little") <= file.stat().st_size


def _spread(length: int, count: int) -> list[int]:
    """Up to ``count`` indices spread evenly over ``length`` entries."""
    count = min(count, length)
    return [round(step * (length - 1) / max(count - 1, 1)) for step in range(count)]


def _joints(pose: Pose) -> Iterable[tuple[str, object]]:
    """A row a joint: where it is, in pixels."""
    from pgen.body.joints import JOINTS, known_joints

    for joint, (x, y), there in zip(JOINTS, pose.tolist(), known_joints(pose).tolist(), strict=True):
        yield joint, f"x {x:g}, y {y:g}" if there else "missing"


def _labels(parsing: NDArray[np.uint8]) -> str:
    """The labels in a map (H, W), each with its share of the pixels."""
    import numpy as np

    from pgen.body.labels import LABELS

    parts = np.bincount(parsing.ravel(), minlength=len(LABELS)) / parsing.size
    return ", ".join(f"{label} {part:.1%}" for label, part in zip(LABELS, parts, strict=True) if part)


def _mean_known(poses: Pose) -> float:
    """How many joints of ``poses`` (N, 18, 2) are known, on average."""
    import numpy as np

    return float(np.isfinite(poses).all(axis=2).sum(axis=1).mean()) if len(poses) else 0.0


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))

"""``pgen prepare``: a data set on disk, or synthetic people, into one HDF5 file."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgen.cli.conduct import print_table, progress, warn
from pgen.cli.options import Force, Seed, Workers, default_store, parse_size
from pgen.errors import InputError

if TYPE_CHECKING:
    from pgen.data.example import Drop, Example
    from pgen.data.prepare import Summary


class Dataset(StrEnum):
    """Where photos come from."""

    FOLDER = "folder"
    SYNTHETIC = "synthetic"


class Style(StrEnum):
    """What synthetic photos look like."""

    FASHION = "fashion"
    MARKET = "market"
    MIXED = "mixed"


FOLDER = "With --dataset folder"
SYNTHETIC = "With --dataset synthetic"

_PEOPLE, _POSES = 1000, 4
_SIZES = {Style.MARKET: "128x64"}  # as Market-1501; all others 256x256


def run(
    dataset: Annotated[Dataset, typer.Option(help="What to read.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The HDF5 file to write (default: datasets/NAME.h5).", metavar="FILE.h5"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Size of the stored photos (default: 256x256; --style market: 128x64).", metavar="HxW"),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help=f"{FOLDER}: the folder with the photos, in it or in its images/.")
    ] = None,
    keypoints: Annotated[
        Path | None, typer.Option(help=f"{FOLDER}: keypoint CSV (default: ROOT/keypoints.csv).")
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option(help=f"{FOLDER}: frame of the keypoints, if it is not the photo's own.", metavar="HxW"),
    ] = None,
    parsing: Annotated[
        Path | None,
        typer.Option(help=f"{FOLDER}: folder of parsing maps, .npy or .png (default: ROOT/parsing, or beside)."),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(help=f"{FOLDER}: CSV from,to of photos for testing (default: ROOT/pairs.csv, if there)."),
    ] = None,
    people: Annotated[
        int | None, typer.Option(min=1, help=f"{SYNTHETIC}: how many people (default: {_PEOPLE}).")
    ] = None,
    poses: Annotated[int | None, typer.Option(min=1, help=f"{SYNTHETIC}: photos of each (default: {_POSES}).")] = None,
    test_people: Annotated[
        int | None,
        typer.Option(min=0, help=f"{SYNTHETIC}: how many of them, the last, are for testing (default: a tenth)."),
    ] = None,
    style: Annotated[Style | None, typer.Option(help=f"{SYNTHETIC}: framing and ground (default: fashion).")] = None,
    pseudo_labels: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Find pseudo labels for train-hs: this many maps like each, of others in other poses.",
            metavar="K",
        ),
    ] = None,
    seed: Seed = 0,
    workers: Workers = None,
    force: Force = False,
) -> None:
    """Turn a data set into one HDF5 file for training and evaluation.

    Photos of another size are scaled as a whole and padded. What cannot be used is left out, counted under
    its reason, and listed beside the output in FILE.dropped.csv.
    """
    of_folder: dict[str, object] = {"--root": root, "--keypoints": keypoints, "--frame": frame}
    of_folder |= {"--parsing": parsing, "--pairs": pairs}
    of_synthetic: dict[str, object] = {
        "--people": people,
        "--poses": poses,
        "--test-people": test_people,
        "--style": style,
    }
    own = {Dataset.FOLDER: of_folder, Dataset.SYNTHETIC: of_synthetic}
    for other, flags in own.items():
        given = [flag for flag, value in flags.items() if value is not None]
        if other is not dataset and given:
            raise InputError(f"{given[0]} belongs to --dataset {other}, not to --dataset {dataset}")
    if dataset is Dataset.FOLDER and root is None:
        raise InputError("--dataset folder needs --root, the folder with the photos")
    stored = parse_size(size or _SIZES.get(style or Style.FASHION, "256x256"), "--size")
    if out is None:
        out = default_store(dataset if root is None else root.resolve().name)

    from pgen.data.outputs import check_output
    from pgen.data.parallel import processors
    from pgen.data.prepare import prepare

    check_output(out, force)
    workers = workers or processors()
    examples: Iterator[Example | Drop]
    named: list[tuple[str, str]] | None = None
    options: dict[str, Any] = {"size": list(stored), "seed": seed}
    if root is not None:
        from pgen.data.folder import find_folder

        found = find_folder(root, keypoints, parsing, pairs, parse_size(frame, "--frame") if frame else None)
        source, total, named, examples = f"folder {root}", len(found), found.pairs, found.examples(workers)
        options |= {flag.lstrip("-"): str(value) for flag, value in of_folder.items() if value is not None}
    else:
        people, poses, style = people or _PEOPLE, poses or _POSES, style or Style.FASHION
        tested = people // 10 if test_people is None else test_people
        if tested > people:
            raise InputError(f"--test-people {tested} is more than all --people, {people}")
        source, total = "synthetic", people * poses
        examples = _synthetic(seed, people, poses, tested, stored, style, workers)
        options |= {"people": people, "poses": poses, "test-people": tested, "style": str(style)}

    with progress("preparing", total) as advance:
        summary = prepare(
            examples, out, stored,
            source=source, options=options, pairs=named, seed=seed, force=force, advance=advance,
        )  # fmt: skip
    if pseudo_labels is not None:
        from pgen.data.pseudo_matches import make_pseudo_labels

        with progress("pseudo labels", 2 * summary.kept) as advance:
            try:
                make_pseudo_labels(out, pseudo_labels, advance)
            except InputError as error:
                raise InputError(f"{error}; {out} was written without pseudo labels") from error
    _report(summary, pseudo_labels)


def _synthetic(
    seed: int, people: int, poses: int, tested: int, size: tuple[int, int], style: Style, workers: int
) -> Iterator[Example]:
    """Photos of synthetic people, rendered side by side, the people for testing last."""
    from dataclasses import replace

    from pgen.data.parallel import ordered_map
    from pgen.people.dataset import synthetic_example

    items = ((seed, person, view, size, str(style)) for person in range(people) for view in range(poses))
    for index, example in enumerate(ordered_map(synthetic_example, items, workers)):
        yield replace(example, split="test" if index >= (people - tested) * poses else "train")


def _report(summary: Summary, pseudo_labels: int | None) -> None:
    rows: list[tuple[str, object]] = [("photos kept", f"{summary.kept:,}")]
    rows += [(f"dropped: {reason}", f"{count:,}") for reason, count in summary.dropped.items()]
    rows += [
        ("pairs for testing", f"{summary.pairs:,}"),
        *([("pseudo labels", f"{pseudo_labels:,} of each training photo")] if pseudo_labels else []),
        ("size of a photo", "x".join(map(str, summary.size))),
        ("size of the file", f"{summary.out.stat().st_size / 1e6:,.1f} MB"),
        ("seconds", f"{summary.seconds:,.1f}"),
    ]
    print_table(str(summary.out), rows)
    if summary.dropped_list is not None:
        warn(f"{sum(summary.dropped.values()):,} photos were dropped; {summary.dropped_list} lists them")
    if summary.pairs_dropped:
        warn(f"{summary.pairs_dropped:,} pairs name a dropped photo and were left out")

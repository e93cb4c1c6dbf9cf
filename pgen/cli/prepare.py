"""``pgen prepare``: a data set on disk, or synthetic people, into one HDF5 file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgen.cli.errors_to_exit_codes import log, print_table, progress, warn
from pgen.cli.estimate import ParserName, PoseAnnotatorName, parse_kinds
from pgen.cli.options import Force, Seed, Workers, default_store, parse_size
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    from pgen.data.example import Drop, Example, Job
    from pgen.data.prepare import Summary
    from pgen.data.readers.given import Estimating, GivenFiles
    from pgen.data.readers.photo_set import PhotoSet


class Dataset(StrEnum):
    """Where photos come from."""

    DEEPFASHION = "deepfashion"
    MARKET1501 = "market1501"
    FOLDER = "folder"
    SYNTHETIC = "synthetic"


class Style(StrEnum):
    """What synthetic photos look like."""

    FASHION = "fashion"
    MARKET = "market"
    MIXED = "mixed"


ON_DISK = "Not with --dataset synthetic"
SYNTHETIC = "With --dataset synthetic"

_PEOPLE, _POSES = 1000, 4
_SIZES = {Style.MARKET: "128x64", Dataset.MARKET1501: "128x64"}  # all others 256x256


def run(
    dataset: Annotated[Dataset, typer.Option(help="What to read.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The HDF5 file to write (default: datasets/NAME.h5).", metavar="FILE.h5"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Size of the stored photos (default: 256x256; Market: 128x64).", metavar="HxW"),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help=f"{ON_DISK}: the folder of the data set (default: datasets/NAME; folder needs it)."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="deepfashion, folder: where in ROOT the photos are (default: img, img_highres, images, …)."),
    ] = None,
    keypoints: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"{ON_DISK}: keypoint CSV, COCO JSON, or a folder with a file a photo (OpenPose or COCO JSON, text); "
            "may be repeated (default: the data set's own files, ROOT/keypoints.csv)."
        ),
    ] = None,
    frame: Annotated[
        str | None,
        typer.Option(help=f"{ON_DISK}: frame of the keypoints, if it is not the photo's own.", metavar="HxW"),
    ] = None,
    parsing: Annotated[
        Path | None,
        typer.Option(help=f"{ON_DISK}: folder of parsing maps, .npy or .png (default: ROOT/parsing, or beside)."),
    ] = None,
    parsing_scheme: Annotated[
        str | None,
        typer.Option(
            help=f"{ON_DISK}: labels of the maps: spt10 (default), lip20, cihp20, atr18, adgan8, or your own table.",
            metavar="NAME|FILE.toml",
        ),
    ] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"{ON_DISK}: pairs for testing: CSV from,to, or PIDM's text (target first); given twice, two lists of "
            "names, sources and targets (default: the data set's own list, ROOT/pairs.csv)."
        ),
    ] = None,
    annotate: Annotated[
        str | None,
        typer.Option(help=f"{ON_DISK}: estimate what photos lack: pose, parsing, or pose,parsing.", metavar="KINDS"),
    ] = None,
    pose_annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first photo that cannot be used.")] = False,
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
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with what an interrupted run has left in FILE.h5.part.")
    ] = True,
    force: Force = False,
) -> None:
    """Turn a data set into one HDF5 file for training and evaluation.

    Photos of another size are scaled as a whole and padded. What cannot be used is left out, counted under
    its reason, and listed beside the output in FILE.dropped.csv. After an interruption the same command goes
    on where it was.
    """
    on_disk: dict[str, object] = {"--root": root, "--images": images, "--keypoints": keypoints, "--frame": frame}
    on_disk |= {"--parsing": parsing, "--parsing-scheme": parsing_scheme, "--pairs": pairs, "--annotate": annotate}
    of_synthetic: dict[str, object] = {
        "--people": people,
        "--poses": poses,
        "--test-people": test_people,
        "--style": style,
    }
    others, belonging = (
        (on_disk, "data sets on disk") if dataset is Dataset.SYNTHETIC else (of_synthetic, "--dataset synthetic")
    )
    if dataset is Dataset.MARKET1501:
        others, belonging = others | {"--images": images}, "other data sets"
    misplaced = [flag for flag, value in others.items() if value not in (None, [])]
    if misplaced:
        raise InputError(f"{misplaced[0]} belongs to {belonging}, not to --dataset {dataset}")
    if dataset is Dataset.FOLDER and root is None:
        raise InputError("--dataset folder needs --root, the folder with the photos")
    stored = parse_size(size or _SIZES.get(style or dataset, "256x256"), "--size")
    if out is None:
        out = default_store(dataset if root is None else root.resolve().name)

    from pgen.data.formats.parsing_schemes import load_scheme
    from pgen.data.prepare import check_store_output, prepare
    from pgen.data.readers.given import GivenFiles
    from pgen.runtime.parallel_map import count_processors

    check_store_output(out, force)
    workers = workers or count_processors()
    examples: Iterator[Job | Example | Drop]
    files: tuple[Path, ...] = ()
    named: list[tuple[str, str]] | None = None
    train_pairs: list[tuple[str, str]] = []
    options: dict[str, Any] = {"size": list(stored), "seed": seed}
    if dataset is not Dataset.SYNTHETIC:
        root = root or Path("datasets") / dataset
        estimating = _estimating(annotate, pose_annotator, parser)
        scheme = load_scheme(parsing_scheme) if parsing_scheme else None
        own_frame = parse_size(frame, "--frame") if frame else None
        given = GivenFiles(keypoints or (), parsing, pairs or (), own_frame, images, scheme, estimating)
        found = _find(dataset, root, given, stored)
        source, total, named, examples = f"{dataset} {root}", len(found), found.pairs, found.jobs()
        train_pairs = found.train_pairs
        files = (*found.files, *(path for path in [Path(parsing_scheme or "")] if path.is_file()))
        options |= {flag.lstrip("-"): _plain(value) for flag, value in on_disk.items() if value}
    else:
        people, poses, style = people or _PEOPLE, poses or _POSES, style or Style.FASHION
        tested = people // 10 if test_people is None else test_people
        if tested > people:
            raise InputError(f"--test-people {tested} is more than all --people, {people}")
        source, total = "synthetic", people * poses
        examples = _synthetic(seed, people, poses, tested, stored, style)
        options |= {"people": people, "poses": poses, "test-people": tested, "style": str(style)}

    with progress("preparing", total) as advance, _saying_what_is_kept(out):
        summary = prepare(
            examples, out, stored,
            source=source, options=options, root=root, files=files, pairs=named, train_pairs=train_pairs,
            seed=seed, workers=workers, resume=resume, force=force, strict=strict, advance=advance,
        )  # fmt: skip
    if pseudo_labels is not None:
        from pgen.pseudo_labels.matches import make_pseudo_labels

        with progress("pseudo labels", 2 * summary.kept) as advance:
            try:
                make_pseudo_labels(out, pseudo_labels, advance)
            except InputError as error:
                raise InputError(f"{error}; {out} was written without pseudo labels") from error
    _report(summary, pseudo_labels)


def _find(dataset: Dataset, root: Path, given: GivenFiles, size: tuple[int, int]) -> PhotoSet:
    """The data set on disk, checked, for photos of ``size``; says what was assumed."""
    from pgen.data.readers.deepfashion import find_deepfashion
    from pgen.data.readers.folder import find_folder
    from pgen.data.readers.market1501 import find_market1501
    from pgen.data.readers.photo_checks import check_photos

    if dataset is Dataset.DEEPFASHION:
        found = find_deepfashion(root, given, size)
    elif dataset is Dataset.MARKET1501:
        found = find_market1501(root, given)
    else:
        found = find_folder(root, given)
    for note in found.notes:
        log(note)
    for doubt in check_photos(found):
        warn(doubt)
    return found


def _estimating(annotate: str | None, pose_annotator: str, parser: str) -> Estimating | None:
    """What is estimated. Raises `InputError` if it cannot be, as annotators or weights are missing."""
    if annotate is None:
        return None
    from pgen.data.readers.given import Estimating

    kinds = parse_kinds(annotate, "--annotate")
    estimating = Estimating("pose" in kinds, "parsing" in kinds, pose_annotator, parser)
    if estimating.parsing:
        estimating.annotators().parsing_annotator()
    if estimating.pose:
        with progress(f"loading {pose_annotator}"):
            estimating.annotators().pose_annotator()
    return estimating


def _plain(value: object) -> object:
    """``value`` as provenance keeps it."""
    return list(map(str, value)) if isinstance(value, list) else str(value)


def _synthetic(
    seed: int, people: int, poses: int, tested: int, size: tuple[int, int], style: Style
) -> Iterator[Job | Example | Drop]:
    """Photos of synthetic people, the people for testing last."""
    from pgen.data.example import Job
    from pgen.synthetic.dataset import synthetic_example

    for person in range(people):
        split = "test" if person >= people - tested else "train"
        for view in range(poses):
            yield Job(f"person {person} view {view}", synthetic_example, (seed, person, view, size, str(style), split))


@contextmanager
def _saying_what_is_kept(out: Path) -> Iterator[None]:
    """When the block is interrupted or fails, say that what is finished is not lost."""
    from pgen.data.prepare import journal_path

    try:
        yield
    except BaseException as error:
        partial = journal_path(out)
        stopped = isinstance(error, (KeyboardInterrupt, SystemExit, PgenError)) and not isinstance(error, InputError)
        if stopped and partial.exists():
            log(f"{partial} keeps what is finished; the same command goes on from there")
        raise


def _report(summary: Summary, pseudo_labels: int | None) -> None:
    rows: list[tuple[str, object]] = [("photos kept", f"{summary.kept:,}")]
    rows += [(f"dropped: {reason}", f"{count:,}") for reason, count in summary.dropped.items()]
    if summary.resumed:
        rows += [("of all, done before the interruption", f"{summary.resumed:,}")]
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

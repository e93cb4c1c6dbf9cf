"""``pgen prepare``: a data set on disk, or synthetic people, into one HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.folders import default_store
from pgen.cli.given_options import refuse_idle
from pgen.cli.options import Force, ParserName, PoseAnnotatorName, Seed, Workers, parse_kinds, parse_size
from pgen.cli.prepare_summary import report_summary
from pgen.cli.terminal import log, progress, warn
from pgen.data.readers.registry import READERS

ON_DISK = "Not with --dataset synthetic"
SYNTHETIC = "With --dataset synthetic"

_DATASETS = "|".join(READERS)
_SIZE = "Size of the stored photos (default: 256x256; Market: 128x64)."
_ROOT = f"{ON_DISK}: the folder of the data set (default: datasets/NAME; folder needs it)."
_IMAGES = "deepfashion, folder: where in ROOT the photos are (default: img, img_highres, images, …)."
_KEYPOINTS = (
    f"{ON_DISK}: keypoint CSV, COCO JSON, or a folder with a file a photo (OpenPose or COCO JSON, text); may be "
    "repeated (default: the data set's own files, ROOT/keypoints.csv)."
)
_FRAME = f"{ON_DISK}: frame of the keypoints, if it is not the photo's own."
_PARSING = f"{ON_DISK}: folder of parsing maps, .npy, .png or .mat (default: ROOT/parsing, or beside)."
_SCHEMES = "lip20, cihp20, atr18, adgan8, ccp59, fashionista56"
_SCHEME = f"{ON_DISK}: labels of the maps: spt10 (default), {_SCHEMES}, or your own table."
_CONFIDENCE = f"{ON_DISK}: leave out joints that are less sure, in files that say so (default: 0.1)."
_PAIRS = (
    f"{ON_DISK}: pairs for testing: CSV from,to, or PIDM's text (target first); given twice, two lists of names, "
    "sources and targets (default: the data set's own list, ROOT/pairs.csv)."
)
_ANNOTATE = f"{ON_DISK}: estimate what photos lack: pose, parsing, or pose,parsing."
_PEOPLE = (
    f"{SYNTHETIC}: how many people (default: 1000). folder: who is who: `folder`, photos in one folder are one "
    "person's; a pattern with one group, the person in a photo's name; or a CSV photo,person (default: folders, pairs)."
)
_TEST_SHARE = "folder: share of the people who are for testing, where no list or pair says it."
_STRICT = "Stop at the first photo that cannot be used, and at lists that name a photo that is not there."
_STYLE = f"{SYNTHETIC}: framing and ground (default: fashion)."
_TEST_PEOPLE = f"{SYNTHETIC}: how many of them, the last, are for testing (default: a tenth)."
_PSEUDO_LABELS = "Find pseudo labels for train-hs: this many maps like each, of others in other poses."


def run(
    dataset: Annotated[str, typer.Option(help="What to read.", show_default=False, metavar=_DATASETS)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The HDF5 file to write (default: datasets/NAME.h5).", metavar="FILE.h5"),
    ] = None,
    size: Annotated[str | None, typer.Option(help=_SIZE, metavar="HxW")] = None,
    root: Annotated[Path | None, typer.Option(help=_ROOT)] = None,
    images: Annotated[Path | None, typer.Option(help=_IMAGES)] = None,
    keypoints: Annotated[list[Path] | None, typer.Option(help=_KEYPOINTS)] = None,
    frame: Annotated[str | None, typer.Option(help=_FRAME, metavar="HxW")] = None,
    parsing: Annotated[Path | None, typer.Option(help=_PARSING)] = None,
    parsing_scheme: Annotated[str | None, typer.Option(help=_SCHEME, metavar="NAME|FILE.toml")] = None,
    confidence: Annotated[
        float | None, typer.Option("--min-confidence", min=0, max=1, help=_CONFIDENCE, metavar="0…1")
    ] = None,
    pairs: Annotated[list[Path] | None, typer.Option(help=_PAIRS, metavar="FILE")] = None,
    annotate: Annotated[str | None, typer.Option(help=_ANNOTATE, metavar="KINDS")] = None,
    pose_annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    strict: Annotated[bool, typer.Option("--strict", help=_STRICT)] = False,
    people: Annotated[str | None, typer.Option(help=_PEOPLE, metavar="N|folder|PATTERN|FILE.csv")] = None,
    test_share: Annotated[float | None, typer.Option(help=_TEST_SHARE)] = None,
    poses: Annotated[int | None, typer.Option(min=1, help=f"{SYNTHETIC}: photos of each (default: 4).")] = None,
    test_people: Annotated[int | None, typer.Option(min=0, help=_TEST_PEOPLE)] = None,
    style: Annotated[str | None, typer.Option(help=_STYLE, metavar="fashion|market|mixed")] = None,
    pseudo_labels: Annotated[int | None, typer.Option(min=1, help=_PSEUDO_LABELS, metavar="K")] = None,
    seed: Seed = 0,
    workers: Workers = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with what an interrupted run has left in FILE.h5.part.")
    ] = True,
    force: Force = False,
) -> None:
    """Turn a data set into one HDF5 file for training and evaluation.

    Photos of another size are scaled as a whole and padded. What cannot be used is left out, counted under
    its reason, and listed beside the output in FILE.dropped.csv; so are pairs whose photos are not there. After an
    interruption the same command goes on where it was.
    """
    chosen_size = parse_size(size, "--size") if size else None
    chosen_frame = parse_size(frame, "--frame") if frame else None
    kinds = parse_kinds(annotate, "--annotate") if annotate is not None else ()

    for option, kind in (("pose_annotator", "pose"), ("parser", "parsing")):
        refuse_idle(option, kind not in kinds, f"nothing is estimated without --annotate {kind}")
    refuse_idle("strict", dataset == "synthetic", "rendered people can all be used")

    from pgen.preparation import prepare

    summary = prepare(
        dataset, out or default_store(dataset if root is None else root.resolve().name), root,
        size=chosen_size, images=images, keypoints=keypoints or (), frame=chosen_frame, parsing=parsing,
        parsing_scheme=parsing_scheme, min_confidence=confidence,
        pairs=pairs or (), annotate=kinds, pose_annotator=pose_annotator, parser=parser,
        strict=strict, people=int(people) if people and people.isdecimal() else people, test_share=test_share,
        poses=poses, test_people=test_people, style=style, pseudo_labels=pseudo_labels,
        seed=seed, workers=workers, resume=resume, overwrite=force, log=log, warn=warn, progress=progress,
    )  # fmt: skip
    report_summary(summary)

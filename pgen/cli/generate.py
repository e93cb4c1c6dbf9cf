"""``pgen generate``: the people of photos in other poses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.batch import Batch, check_sheet, open_output, write_sheet
from pgen.cli.errors_to_exit_codes import progress
from pgen.cli.estimate import ParserName, PersonNumber, PoseAnnotatorName, annotators, log_estimates
from pgen.cli.options import Crop, Device, Force, Results, Seed, Weights
from pgen.cli.photos import Photo, photos
from pgen.cli.result_files import output_paths
from pgen.cli.targets import read_targets
from pgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.data.formats.keypoints import LoadedPose
    from pgen.inference.person import Person, Retarget
    from pgen.inference.predictor import Predictor
    from pgen.inference.result import Result

    Row = list[tuple[str, NDArray[np.uint8]]]


#: Up to so many results are shown large on the sheet.
_LARGE_ROWS = 8


def run(
    sources: Annotated[
        list[str],
        typer.Argument(help="Photos of a person each; FILE.h5:NAME takes one from a store.", metavar="SRC..."),
    ],
    pose: Annotated[
        list[str],
        typer.Option(
            help="Target pose: a photo, FILE.json, FILE.csv:NAME, FILE.h5:NAME, a bundled pose (`pgen poses` shows "
            "them), or a video, GIF or folder of frames; once for each target.",
            metavar="TARGET",
        ),
    ],
    src_pose: Annotated[
        list[str] | None,
        typer.Option(
            help="Pose of the source (default: estimated); of a CSV or store, the row with the photo's name. Once for "
            "all, or for each SRC.",
            metavar="FILE",
        ),
    ] = None,
    src_parsing: Annotated[
        list[str] | None,
        typer.Option(
            help="Parsing map of the source (default: estimated), or a folder of maps named as the photos. Once for "
            "all, or for each SRC.",
            metavar="FILE",
        ),
    ] = None,
    parsing: Annotated[
        str | None, typer.Option(help="Parsing map of the result (default: predicted).", metavar="FILE")
    ] = None,
    out: Results = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw source, pose, parsing map and result.", metavar="FILE.png")
    ] = None,
    gif: Annotated[
        Path | None, typer.Option(help="Also an animation over the targets, of one SRC.", metavar="FILE.gif")
    ] = None,
    paste: Annotated[bool, typer.Option("--paste", help="Results in the whole photo, at its full size.")] = False,
    crop: Crop = True,
    retarget: Annotated[
        bool,
        typer.Option("--retarget/--no-retarget", help="Give target poses the source's limb lengths, size and place."),
    ] = True,
    frames: Annotated[
        int, typer.Option(min=1, help="Take at most so many frames of a video, GIF or folder.", metavar="N")
    ] = 48,
    person: PersonNumber = None,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    weights: Weights = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Put the person of every source into every target pose.

    Poses and parsing maps that are not given are estimated. A photo of any size is fitted as a whole into the frame of
    the networks, or the part of it around a person who is small in it, and the result has that part's size. Target
    poses take on the body of the source; with --no-retarget, one whose frame is known (a photo's, a store's, or that of
    a photo beside its CSV or the canvas in its JSON) is fitted like the source, and any other is in pixels of it.
    """
    if out is None and sheet is None and gif is None:
        raise InputError("nowhere to write to: give -o, --sheet or --gif")
    check_sheet(sheet, out)
    if gif is not None and (gif.suffix.lower() != ".gif" or len(sources) > 1):
        raise InputError(f"--gif {gif}: animations are of one SRC, and written as GIF; name it {gif.stem}.gif")
    _refuse_poses(sources)
    requests = photos(sources, src_pose or [], src_parsing or [], crop, number=person)

    from pgen.runtime.atomic_write import check_output

    for file in (file for file in (sheet, gif) if file is not None and file.parent.is_dir()):
        check_output(file, force)
    estimating = annotators(annotator, person, parser)
    targets, seconds, moving = read_targets(pose, estimating, frames)
    model = open_output(weights, device, seed, estimating)
    body: Retarget = "no" if not retarget else "motion" if moving else "each"
    # Everything is looked at before the first result is written; of several photos, each is read again then.
    names = []
    for request in requests:
        someone = request.person(model)
        log_estimates(someone.notes)
        _results(someone, targets, parsing, body)
        names.append(someone.name)
    files = output_paths(out, names, [target.name for target in targets], force)
    if sheet is not None:
        check_output(sheet, force)  # after the results' folder was made, in which it may be
    job = _Job(model, targets, parsing, body, paste, force)
    _generate(job, requests, someone if len(requests) == 1 else None, files, sheet, gif, seconds)


@dataclass(frozen=True)
class _Job:
    """What is made of each person."""

    model: Predictor
    targets: Sequence[LoadedPose]
    parsing: str | None
    body: Retarget
    paste: bool
    force: bool


def _generate(
    job: _Job,
    requests: Sequence[Photo],
    only: Person | None,
    files: list[list[Path | None]],
    sheet: Path | None,
    gif: Path | None,
    seconds: Sequence[float],
) -> None:
    """Write every result as soon as it is there; what fails is told at the end, and costs nothing else.

    ``only`` is the person of the only one of ``requests``, read already; ``files`` say where each result goes, by
    request and target; ``seconds`` how long each target is shown in the animation.
    """
    from pgen.body.viz import draw_sheet as draw_sheet
    from pgen.data.formats.moving_pictures import write_gif

    count = len(job.targets)
    largest = 512 if len(requests) * count <= _LARGE_ROWS else 256
    rows: list[Row] = []
    pictures: list[NDArray[np.uint8]] = []
    batch = Batch(job.force, job.paste)
    with progress("generating", len(requests) * count) as advance:
        for request, own_files in zip(requests, files, strict=True):
            done = 0
            with batch.attempt(lambda: f"{request.source}, {count - done} results"):  # noqa: B023 (called at once)
                person = only or request.person(job.model)
                results = _results(person, job.targets, job.parsing, job.body)
                for result, file in zip(results, own_files, strict=True):
                    done += 1
                    batch.warn_once((*person.warnings, *result.warnings))
                    if sheet is not None:
                        rows.append(result.panels(largest))
                    if gif is not None:
                        pictures.append(result.pasted() if job.paste else result.image)
                    batch.save(result, file)
                    advance()
    batch.tell_written()
    if sheet is not None and rows:
        write_sheet(sheet, draw_sheet(rows), job.force)
    if gif is not None and pictures:
        print(write_gif(gif, pictures, seconds[: len(pictures)], job.force))
    batch.end()


def _results(person: Person, targets: Sequence[LoadedPose], parsing: str | None, body: Retarget) -> Iterator[Result]:
    """Results for all targets; these are checked at once, and worked on when results are asked for."""
    return person.generate_many(targets, None if parsing is None else [parsing] * len(targets), body)


def _refuse_poses(sources: Sequence[str]) -> None:
    """Refuse target poses that stand among the photos, as after ``--pose A B``."""
    from pgen.data.formats.keypoints import pose_format
    from pgen.data.inputs import split_spec

    for source in sources:
        path, _ = split_spec(source)
        try:
            form = pose_format(path)
        except InputError:
            continue  # neither pose nor photo: reading it as a photo tells what is wrong
        if form in ("csv", "json"):
            raise InputError(f"{source} holds poses and is no photo; give --pose once for each target")

"""``pgen generate``: the people of photos in other poses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from pgen.cli import options, rendering_options
from pgen.cli.batch import Batch, write_sheet
from pgen.cli.loading import make_annotators, open_predictor
from pgen.cli.output_checks import check_batch, check_pictures, check_results
from pgen.cli.photo_files import ParsingFiles, PoseFiles, PoseFrame
from pgen.cli.photo_options import check_with_targets
from pgen.cli.photos import list_files, list_photos
from pgen.cli.result_files import Sheet, find_output_files
from pgen.cli.terminal import log, progress
from pgen.data.inputs import check_apart

if TYPE_CHECKING:
    from pgen.inference.targets import Retarget

_SOURCES = "Photos of a person each; FILE.h5:NAME takes one from a store."
_POSE = (
    "Target pose: a photo, FILE.json, FILE.csv:NAME, FILE.h5:NAME, a bundled pose (`pgen poses` shows them), or a "
    "video, GIF or folder of frames; with #N behind it that of person N. Once for each target."
)
_PARSING = "Parsing map of the result (default: predicted)."
_GIF = "Also an animation over the targets, of one SRC."
_FRAMES = "Take at most so many frames of a video, GIF or folder."
_RETARGET = "Give target poses the source's limb lengths, size and place."
_LARGE_ROWS = 8  #: up to so many results are shown large on the sheet


def run(
    sources: Annotated[list[str], Argument(help=_SOURCES, metavar="SRC...")],
    pose: Annotated[list[str], Option(help=_POSE, metavar="TARGET")],
    src_pose: PoseFiles = None,
    src_parsing: ParsingFiles = None,
    src_frame: PoseFrame = None,
    parsing: Annotated[str | None, Option(help=_PARSING, metavar="FILE")] = None,
    scheme: options.SchemeName = None,
    out: options.Results = None,
    sheet: Sheet = None,
    gif: Annotated[Path | None, Option(help=_GIF, metavar="FILE.gif")] = None,
    paste: Annotated[bool, Option("--paste", help="Results in the whole photo, at its full size.")] = False,
    crop: options.Crop = True,
    retarget: Annotated[bool, Option("--retarget/--no-retarget", help=_RETARGET)] = True,
    head: rendering_options.Head = "auto",
    background: rendering_options.Background = "auto",
    frame_mode: rendering_options.FrameMode = "keep",
    max_size: rendering_options.MaxSize = 2048,
    shadow: rendering_options.Shadow = True,
    frames: Annotated[int, Option(min=1, help=_FRAMES, metavar="N")] = 48,
    person: options.PersonNumber = None,
    confidence: options.MinConfidence = options.CONFIDENCE,
    annotator: options.PoseAnnotatorName = "mediapipe",
    parser: options.ParserName = "pgen",
    weights: options.Weights = None,
    device: options.Device = "auto",
    precision: options.Precision = "auto",
    seed: options.Seed = 0,
    force: options.Force = False,
    keep_going: options.KeepGoing = False,
) -> None:
    """Put the person of every source into every target pose.

    Poses and parsing maps that are not given are estimated. A photo of any size is fitted as a whole into the frame of
    the networks, or the part of it around a person who is small in it, and the result has that part's size. Target
    poses take on the body of the source; with --no-retarget, one whose frame is known (a photo's, a store's, or that of
    a photo beside its CSV or the canvas in its JSON) is fitted like the source, and any other is in pixels of it.
    """
    check_pictures(force, out, sheet=sheet, gif=gif)
    check_batch(sources, out, sheet, gif, force, keep_going)
    photos = list_photos(sources, src_pose, src_parsing, crop, person, "src", src_frame, scheme)
    check_with_targets(photos, pose, src_frame, scheme, parsing)
    check_apart([out, sheet, gif], read := [*list_files(photos), *pose, parsing, weights, scheme, background])
    check_results(out, sources, pose, force or keep_going)
    from pgen.body.viz import draw_sheet
    from pgen.data.formats.moving_pictures import write_gif
    from pgen.inference.targets import read_targets

    looks = {"head": head, "background": background, "frame_mode": frame_mode, "max_size": max_size, "shadow": shadow}
    wishes = rendering_options.check_rendering(out, gif, paste, parsing is not None, **looks)
    annotators = make_annotators(annotator, person, parser, confidence, device)
    sequence = read_targets(pose, annotators, frames, progress)
    log(*sequence.notes)
    predictor = open_predictor(weights, device, seed, annotators, precision)
    body: Retarget = "none" if not retarget else "motion" if sequence.is_motion else "each"
    maps, used_scheme = (None, None) if parsing is None else ([parsing] * len(sequence.poses), scheme)
    for photo in [] if keep_going else photos:  # before the first result is written; of several, each is read again
        subject = rendering_options.fit_into_file(photo.read(predictor), out)
        log(*subject.notes)
        predictor.generate_many(subject, sequence.poses, maps, body, used_scheme, **wishes)
    names, targets = [photo.name for photo in photos], [target.name for target in sequence.poses]
    files = find_output_files(out, names, targets, force or keep_going, sheet, read)
    largest = 512 if len(photos) * len(sequence.poses) <= _LARGE_ROWS else 256
    rows, pictures, batch = [], [], Batch(force, paste, keep_going)
    with progress("generating", len(photos) * len(sequence.poses)) as advance:
        for photo, row in batch.leave_out_kept(zip(photos, files, strict=True), advance):
            left = [*row]
            with batch.attempt(lambda: f"{photo.source}, {len(left)} results"):  # noqa: B023 (called at once)
                if len(photos) > 1 or keep_going:
                    subject = rendering_options.fit_into_file(photo.read(predictor), out)
                    log(*subject.notes if keep_going else ())
                for result in predictor.generate_many(subject, sequence.poses, maps, body, used_scheme, **wishes):
                    batch.warn_once((*subject.warnings, *result.warnings))
                    if sheet is not None:
                        rows.append(result.panels(largest))
                    if gif is not None:
                        pictures.append(result.before_white(paste))
                    batch.save(result, left.pop(0))
                    advance()
    batch.print_written()
    if sheet is not None and rows:
        write_sheet(sheet, draw_sheet(rows), force)
    if gif is not None and pictures:
        print(write_gif(gif, pictures, sequence.seconds[: len(pictures)], force))
    batch.finish()

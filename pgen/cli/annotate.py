"""``pgen annotate``: poses and parsing maps of photos into files, to look at, correct, and use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from pgen.cli.annotation_files import annotate_photo, find_annotation_places
from pgen.cli.batch import write_sheet
from pgen.cli.loading import make_annotators
from pgen.cli.options import (
    CONFIDENCE,
    Device,
    Force,
    MinConfidence,
    ParserName,
    PersonNumber,
    PoseAnnotatorName,
    SchemeName,
    parse_kinds,
)
from pgen.cli.output_checks import check_pictures
from pgen.cli.photo_files import ParsingFiles, PoseFiles, PoseFrame, list_photo_files
from pgen.cli.photo_options import check_estimates, check_role
from pgen.cli.photos import list_files, list_photos
from pgen.cli.result_files import Sheet
from pgen.cli.terminal import print_table, progress, warn
from pgen.data.inputs import check_apart
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    from pgen.body.viz import Picture

_COLUMNS, _MOST_SHOWN = 6, 120


def run(
    photos: Annotated[list[Path], Argument(help="Photos, or folders of photos.", metavar="PHOTO...")],
    out: Annotated[
        Path | None, Option("--out", "-o", help="Folder to write to (default: beside each photo).", metavar="DIR")
    ] = None,
    kinds: Annotated[str, Option("--what", help="What to estimate: pose, parsing, or both.")] = "pose,parsing",
    sheet: Sheet = None,
    src_pose: PoseFiles = None,
    src_parsing: ParsingFiles = None,
    src_frame: PoseFrame = None,
    scheme: SchemeName = None,
    person: PersonNumber = None,
    confidence: MinConfidence = CONFIDENCE,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Write the pose (NAME.json, as OpenPose does) and the parsing map (NAME.png, palette) of each photo.

    And NAME.carried.png, white where something is carried, if the parser finds it. All can be corrected by hand and
    given to `pgen generate --src-pose --src-parsing`, or lie beside the photos for `pgen prepare`. A pose or a map that
    is given, in any format and --parsing-scheme, is checked and written instead of an estimate.
    """
    wanted = parse_kinds(kinds, "--what")
    files = list_photo_files(photos)
    subjects = list_photos([*map(str, files)], src_pose, src_parsing, False, person, "src", src_frame, scheme)
    check_role(subjects, src_frame)
    if src_parsing is not None and "parsing" not in wanted:
        raise InputError("a map is given and none is written; leave --what out", option="src_parsing")
    check_estimates(subjects, scheme, with_maps="parsing" in wanted)
    places = find_annotation_places(files, out, wanted, force, sheet)
    check_apart([sheet, *(place for its in places.values() for place in its.values())], list_files(subjects))
    annotators = make_annotators(annotator, person, parser, confidence, device)
    if "parsing" in wanted and src_parsing is None:
        annotators.parsing_annotator()
    if src_pose is None:
        annotators.pose_annotator()

    from pgen.body.viz import draw_sheet

    if sheet is not None:
        check_pictures(force, sheet=sheet)
    cells: list[tuple[str, Picture]] = []
    failures: list[str] = []
    with progress("annotating", len(files)) as advance:
        for file, subject in zip(files, subjects, strict=True):
            try:
                is_drawing = sheet is not None and len(cells) < _MOST_SHOWN
                cells += annotate_photo(file, subject, places[file], annotators, force, is_drawing)
            except PgenError as error:
                if len(files) == 1:
                    raise
                failures.append(str(error))
            advance()
    if sheet is not None and cells:
        write_sheet(sheet, draw_sheet([cells[i : i + _COLUMNS] for i in range(0, len(cells), _COLUMNS)]), force)
    for failure in failures[:-1]:
        warn(failure)
    if failures:
        raise PgenError(f"{failures[-1]} ({len(failures)} of {len(files)} photos failed; all others were written)")
    if len(files) > 1:
        print_table("annotated", [("photos", len(files))])

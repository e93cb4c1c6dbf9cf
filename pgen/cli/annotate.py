"""``pgen annotate``: poses and parsing maps of photos into files, to look at, correct, and use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from pgen.cli.batch import make_annotators, write_sheet
from pgen.cli.options import Force, ParserName, PersonNumber, PoseAnnotatorName, parse_kinds
from pgen.cli.result_files import Sheet, check_pictures, find_annotation_places
from pgen.cli.terminal import log, print_table, progress, warn
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.data.annotators.choose import Annotators

_COLUMNS, _MOST_SHOWN = 6, 120


def run(
    photos: Annotated[list[Path], Argument(help="Photos, or folders of photos.", metavar="PHOTO...")],
    out: Annotated[
        Path | None, Option("--out", "-o", help="Folder to write to (default: beside each photo).", metavar="DIR")
    ] = None,
    kinds: Annotated[str, Option("--what", help="What to estimate: pose, parsing, or both.")] = "pose,parsing",
    sheet: Sheet = None,
    person: PersonNumber = None,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    force: Force = False,
) -> None:
    """Write the pose (NAME.json, as OpenPose does) and the parsing map (NAME.png, palette) of each photo.

    And NAME.carried.png, white where something is carried, if the parser finds it. All can be corrected by hand and
    given to `pgen generate --src-pose --src-parsing`, or lie beside the photos for `pgen prepare`.
    """
    wanted = parse_kinds(kinds, "--what")
    files = _list_files(photos)
    places = find_annotation_places(files, out, wanted, force, sheet)
    annotators = make_annotators(annotator, person, parser)
    if "parsing" in wanted:
        annotators.parsing_annotator()
    annotators.pose_annotator()

    from pgen.body.viz import draw_sheet

    if sheet is not None:
        check_pictures(force, sheet=sheet)
    cells: list[tuple[str, Picture]] = []
    failures: list[str] = []
    with progress("annotating", len(files)) as advance:
        for file in files:
            try:
                drawn = _annotate(file, places[file], annotators, force)
                if sheet is not None and len(cells) < _MOST_SHOWN:
                    cells += drawn
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


def _list_files(given: list[Path]) -> list[Path]:
    """The photos, those in folders in the order of their names."""
    from pgen.data.readers.tree import find_photos
    from pgen.data.scan import FoundFiles

    files: list[Path] = []
    for path in given:
        found = find_photos(path) if path.is_dir() else FoundFiles({"": path} if path.exists() else {})
        log(*found.notes)
        if not found:
            problem = "has no photos in it" if path.exists() else "does not exist"
            raise InputError(f"{path} {problem}; give a photo, or a folder of photos")
        files += found.values()
    return files


def _annotate(
    file: Path, places: dict[str, Path], annotators: Annotators, overwrite: bool
) -> list[tuple[str, Picture]]:
    """Write what is found in one photo to ``places``, by kind; returns pictures of it, with captions."""
    from pgen.body.viz import colorize_parsing, draw_skeleton
    from pgen.data.annotators.interface import ParsingRequest
    from pgen.data.formats.annotation_files import write_carried
    from pgen.data.formats.images import read_image
    from pgen.data.formats.parsing import write_parsing
    from pgen.data.formats.pose_json import write_pose_json

    image = read_image(file)
    found = annotators.pose(image, file.name)
    person, doubts = found.person, [*found.person.doubts]
    log(*found.notes[1:])  # not by what, which is the same for all
    pictures = [(file.name, draw_skeleton(image, person.pose))]
    parsed = None
    if "parsing" in places:
        parsed = annotators.parsing(ParsingRequest(image, person.pose, person.silhouette))
        doubts += parsed.doubts
        pictures.append(("parsing map", colorize_parsing(parsed.labels)))
    for doubt in doubts:
        warn(f"{file.name}: {doubt}")
    if "pose" in places:
        size = (image.shape[0], image.shape[1])
        print(write_pose_json(places["pose"], person.pose, size, overwrite, person.confidence))
    if parsed is not None:
        written = write_parsing(places["parsing"], parsed.labels, overwrite, annotators.parsing_annotator().name)
        print(written, *write_carried(places["carried"], parsed.carried, overwrite), sep="\n")
    return pictures

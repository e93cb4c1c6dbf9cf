"""``pgen annotate``: poses and parsing maps of photos into files, to look at, correct, and give back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.errors_to_exit_codes import log, print_table, progress, warn
from pgen.cli.estimate import ParserName, PersonNumber, PoseAnnotatorName, annotators, parse_kinds
from pgen.cli.options import Force
from pgen.cli.result_files import with_png_suffix
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.data.annotators.choose import Annotators

_COLUMNS, _MOST_SHOWN = 6, 120


def run(
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.", metavar="PHOTO...")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the files (default: beside each photo).", metavar="DIR"),
    ] = None,
    kinds: Annotated[
        str, typer.Option("--what", help="What to estimate: pose, parsing, or both, with a comma.")
    ] = "pose,parsing",
    sheet: Annotated[Path | None, typer.Option(help="Also draw what was found.", metavar="FILE.png")] = None,
    person: PersonNumber = None,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    force: Force = False,
) -> None:
    """Write the pose (NAME.json, as OpenPose does) and the parsing map (NAME.png, palette) of each photo.

    Both can be corrected by hand and given to `pgen generate --src-pose --src-parsing`, or to `pgen prepare`.
    """
    wanted = parse_kinds(kinds, "--what")
    files = _photos(photos)
    places = _places(files, out, wanted, force)
    estimating = annotators(annotator, person, parser)
    if "parsing" in wanted:
        estimating.parsing_annotator()
    estimating.pose_annotator()

    from pgen.body.viz import draw_sheet as draw_sheet
    from pgen.data.formats.images import write_png
    from pgen.runtime.atomic_write import check_output

    if sheet is not None:
        check_output(with_png_suffix(sheet, "--sheet"), force)
    cells: list[tuple[str, NDArray[np.uint8]]] = []
    failures: list[str] = []
    with progress("annotating", len(files)) as advance:
        for file in files:
            try:
                drawn = _annotate(file, places[file], estimating, force)
                if sheet is not None and len(cells) < _MOST_SHOWN:
                    cells += drawn
            except PgenError as error:
                failures.append(str(error))
            advance()
    if sheet is not None and cells:
        write_png(sheet, draw_sheet([cells[i : i + _COLUMNS] for i in range(0, len(cells), _COLUMNS)]), force)
        log(f"wrote {sheet}")
    for failure in failures[:-1]:
        warn(failure)
    if failures and len(files) == 1:
        raise InputError(failures[0])
    if failures:
        raise PgenError(f"{failures[-1]} ({len(failures)} of {len(files)} photos failed; all others were written)")
    if len(files) > 1:
        print_table("annotated", [("photos", len(files))])


def _photos(given: list[Path]) -> list[Path]:
    """The photos, those in folders in the order of their names."""
    from pgen.data.readers.tree import find_photos

    files: list[Path] = []
    for path in given:
        if not path.exists():
            raise InputError(f"{path} does not exist; give a photo, or a folder of photos")
        found = list(find_photos(path).values()) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path} has no photos in it; give a photo, or a folder of photos")
        files += found
    return files


def _places(files: list[Path], out: Path | None, kinds: tuple[str, ...], force: bool) -> dict[Path, dict[str, Path]]:
    """Where what is found goes, by photo and kind."""
    from pgen.runtime.atomic_write import check_output

    if out is not None:
        try:
            out.mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"-o {out}: the folder cannot be made: {error.strerror}") from None
    places: dict[Path, dict[str, Path]] = {}
    taken: dict[Path, Path] = {}
    for file in files:
        folder = out or file.parent
        parsed = f"{file.stem}.png" if file.suffix.lower() != ".png" or out is not None else f"{file.stem}_parsing.png"
        own = {"pose": folder / f"{file.stem}.json", "parsing": folder / parsed}
        places[file] = {kind: own[kind] for kind in kinds}
        for place in places[file].values():
            if place in taken:
                raise InputError(f"{file} and {taken[place]} would both be written to {place}; annotate them apart")
            taken[place] = file
            if place.resolve() in {photo.resolve() for photo in files}:
                raise InputError(f"{place} is a photo itself; name another folder with -o")
            check_output(place, force)
    return places


def _annotate(
    file: Path, places: dict[str, Path], estimating: Annotators, force: bool
) -> list[tuple[str, NDArray[np.uint8]]]:
    """Write what is found in one photo to ``places``, by kind; returns pictures of it, with captions.

    Raises `PgenError` if nobody is found, or the photo cannot be read.
    """
    from pgen.body.viz import colorize_parsing, draw_skeleton
    from pgen.data.annotators.interface import ParsingRequest
    from pgen.data.formats.images import read_image
    from pgen.data.formats.parsing import write_parsing
    from pgen.data.formats.pose_json import write_pose_json

    image = read_image(file)
    found = estimating.pose(image, file.name)
    for note in found.notes[1:]:  # not by what, which is the same for all
        log(note)
    for doubt in found.person.doubts:
        warn(f"{file.name}: {doubt}")
    pictures = [(file.name, draw_skeleton(image, found.person.pose))]
    labels = None
    if "parsing" in places:
        parsed = estimating.parsing(ParsingRequest(image, found.person.pose, found.person.silhouette))
        for doubt in parsed.doubts:
            warn(f"{file.name}: {doubt}")
        labels = parsed.labels
        pictures.append(("parsing map", colorize_parsing(labels)))
    if "pose" in places:
        size = (image.shape[0], image.shape[1])
        print(write_pose_json(places["pose"], found.person.pose, size, force, found.person.confidence))
    if labels is not None:
        print(write_parsing(places["parsing"], labels, force))
    return pictures

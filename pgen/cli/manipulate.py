"""``pgen manipulate``: a photo with another parsing map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.batch import open_output, write_sheet
from pgen.cli.errors_to_exit_codes import log, warn
from pgen.cli.estimate import ParserName, PersonNumber, PoseAnnotatorName, annotators, log_estimates
from pgen.cli.options import Crop, Device, Force, Seed, Weights
from pgen.cli.photos import photos
from pgen.cli.result_files import with_png_suffix
from pgen.errors import InputError


def run(
    source: Annotated[str, typer.Argument(help="Photo of a person; FILE.h5:NAME takes one from a store.")],
    edit: Annotated[
        list[str] | None,
        typer.Option(
            help="sleeves=none|short|elbow|long, lower=pants|shorts|skirt, length=mini|short|knee|midi|full, "
            "neckline=round|scoop|v|boat|high, hair=short|long; sleeves and length also take a share of the limb, such "
            "as 0.5. Once for each edit.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    parsing: Annotated[
        str | None,
        typer.Option(help="Parsing map of the result, as large as the photo; not with --edit.", metavar="FILE"),
    ] = None,
    save_parsing: Annotated[
        Path | None,
        typer.Option(
            help="Write the map, after the edits, as a palette PNG to paint on and give back with --parsing.",
            metavar="FILE.png",
        ),
    ] = None,
    src_pose: Annotated[
        str | None,
        typer.Option(
            help="Pose of the photo (default: estimated); of a CSV or store, the row with its name.", metavar="FILE"
        ),
    ] = None,
    src_parsing: Annotated[
        str | None,
        typer.Option(
            help="Parsing map of the photo (default: estimated), or a folder with a map of its name.", metavar="FILE"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The result, as large as the photo.", metavar="FILE.png")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw source, both maps and result.", metavar="FILE.png")
    ] = None,
    crop: Crop = True,
    person: PersonNumber = None,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    weights: Weights = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Give the person of a photo other sleeves, trousers, a skirt, another neckline or hair, or a map painted by hand.

    What changes is painted anew; every other pixel, but for a small border, stays exactly that of the photo. Pose and
    parsing map are estimated if they are not given. To paint a map by hand: --save-parsing map.png, paint on it with
    its own colours and a hard brush, then --parsing map.png.
    """
    files = [file for file in (out, sheet, save_parsing) if file is not None]
    _check_files(out, sheet, save_parsing, files)
    if edit and parsing is not None:
        raise InputError("--edit and --parsing are two ways to the result's map; give one of them")
    if not edit and parsing is None and files != [save_parsing]:
        raise InputError("nothing to change: give --edit NAME=VALUE or --parsing FILE (or --save-parsing alone)")

    from pgen.body.edits.registry import check_edits
    from pgen.data.formats.painted import COLOURS
    from pgen.data.formats.parsing import write_parsing
    from pgen.runtime.atomic_write import check_output

    edits = check_edits(_pairs(edit or []))
    for file in files:
        check_output(file, force)
    (photo,) = photos([source], _given(src_pose), _given(src_parsing), crop, number=person)
    model = open_output(weights, device, seed, annotators(annotator, person, parser))
    someone = photo.person(model)
    log_estimates(someone.notes)
    result = someone.manipulate(parsing, **edits) if edits or parsing is not None else None
    for warning in (*someone.warnings, *(result.warnings if result is not None else ())):
        warn(warning)
    if save_parsing is not None:
        write_parsing(save_parsing, someone.of_photo((result or someone).parsing), force)
        colours = ", ".join(f"{label} {colour}" for label, colour in COLOURS.items())
        log(f"wrote {save_parsing}; its colours: {colours}")
    if result is not None and out is not None:
        print(result.save(out, force, paste=True))
    if result is not None and sheet is not None:
        write_sheet(sheet, result.sheet(), force)


def _given(file: str | None) -> list[str]:
    return [] if file is None else [file]


def _check_files(out: Path | None, sheet: Path | None, saved: Path | None, files: Sequence[Path]) -> None:
    if not files:
        raise InputError("nowhere to write to: give -o, --sheet or --save-parsing")
    for file, flag in ((out, "-o"), (sheet, "--sheet"), (saved, "--save-parsing")):
        if file is not None:
            with_png_suffix(file, flag)
    if len({file.absolute() for file in files}) < len(files):
        raise InputError("-o, --sheet and --save-parsing name one file; give each a name of its own")


def _pairs(edits: Sequence[str]) -> dict[str, str | float]:
    """``NAME=VALUE`` each, as a mapping."""
    found: dict[str, str | float] = {}
    for edit in edits:
        name, equals, value = edit.partition("=")
        if not equals or not value:
            raise InputError(f"--edit {edit}: write NAME=VALUE, such as sleeves=long")
        if name in found:
            raise InputError(f"--edit {edit}: {name} is given twice; give each edit once")
        found[name] = value
    return found

"""``pgen manipulate``: a photo with another parsing map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from pgen.cli import options
from pgen.cli.batch import write_sheet
from pgen.cli.loading import make_annotators, open_predictor
from pgen.cli.output_checks import check_pictures
from pgen.cli.photo_files import ParsingFiles, PoseFiles, PoseFrame
from pgen.cli.photo_options import check_estimates, check_role
from pgen.cli.photos import list_files, list_photos
from pgen.cli.rendering_options import fit_into_file
from pgen.cli.result_files import Sheet
from pgen.cli.terminal import log, warn
from pgen.data.inputs import check_apart
from pgen.errors import InputError

_EDIT = (
    "sleeves=none|short|elbow|long, lower=pants|shorts|skirt, length=mini|short|knee|midi|full, "
    "neckline=round|scoop|v|boat|high, hair=short|long; sleeves and length also take a share of the limb, such as 0.5. "
    "Once for each edit."
)
_PARSING = "Parsing map of the result, as large as the photo; not with --edit."
_OUT = "The result, as large as the photo."
_SAVE_PARSING = "Write the map, after the edits, as a palette PNG to paint on and use with --parsing."


def run(
    source: Annotated[str, Argument(help="Photo of a person; FILE.h5:NAME takes one from a store.")],
    edit: Annotated[list[str] | None, Option(help=_EDIT, metavar="NAME=VALUE")] = None,
    parsing: Annotated[str | None, Option(help=_PARSING, metavar="FILE")] = None,
    save_parsing: Annotated[Path | None, Option(help=_SAVE_PARSING, metavar="FILE.png")] = None,
    src_pose: PoseFiles = None,
    src_parsing: ParsingFiles = None,
    src_frame: PoseFrame = None,
    scheme: options.SchemeName = None,
    out: Annotated[Path | None, Option("--out", "-o", help=_OUT, metavar="FILE.png")] = None,
    sheet: Sheet = None,
    crop: options.Crop = True,
    person: options.PersonNumber = None,
    confidence: options.MinConfidence = options.CONFIDENCE,
    annotator: options.PoseAnnotatorName = "mediapipe",
    parser: options.ParserName = "pgen",
    weights: options.Weights = None,
    device: options.Device = "auto",
    seed: options.Seed = 0,
    force: options.Force = False,
) -> None:
    """Give the person of a photo other sleeves, trousers, a skirt, another neckline or hair, or a map painted by hand.

    What changes is painted anew; every other pixel, but for a small border, stays exactly that of the photo. Pose and
    parsing map are estimated if they are not given. To paint a map by hand: --save-parsing map.png, paint on it with
    its own colors and a hard brush, then --parsing map.png.
    """
    check_pictures(force, out=out, sheet=sheet, save_parsing=save_parsing)
    if edit and parsing is not None:
        raise InputError("--edit and --parsing are two ways to the result's map; give one of them")
    if not edit and parsing is None and (out, sheet) != (None, None):
        raise InputError("nothing to change: give --edit NAME=VALUE or --parsing FILE (or --save-parsing alone)")

    from pgen.body.edits.registry import check_edits
    from pgen.data.formats.parsing import COLOURS, write_parsing

    edits = check_edits(_parse_edits(edit or []))
    (photo,) = list_photos([source], src_pose, src_parsing, crop, person, "src", src_frame, scheme)
    check_role([photo], src_frame)
    check_estimates([photo], scheme)
    check_apart([out, sheet, save_parsing], [*list_files([photo]), parsing, weights, scheme])
    annotators = make_annotators(annotator, person, parser, confidence, device)
    predictor = open_predictor(weights, device, seed, annotators)
    subject = fit_into_file(photo.read(predictor), out)
    log(*subject.notes)
    result = predictor.manipulate(subject, edits, parsing) if edits or parsing is not None else None
    for warning in (*subject.warnings, *(result.warnings if result is not None else ())):
        warn(warning)
    if save_parsing is not None:
        write_parsing(save_parsing, subject.expand_parsing((result or subject).parsing), force)
        colors = ", ".join(f"{label} {color}" for label, color in COLOURS.items())
        log(f"wrote {save_parsing}; its colors: {colors}")
    if result is not None and out is not None:
        print(result.save(out, force, paste=True))
    if result is not None and sheet is not None:
        write_sheet(sheet, result.sheet(), force)


def _parse_edits(edits: Sequence[str]) -> dict[str, str | float]:
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

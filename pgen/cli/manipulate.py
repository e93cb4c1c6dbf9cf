"""``pgen manipulate``: a photo with another parsing map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.conduct import choose_device, say, seed_everything, warn
from pgen.cli.options import Device, Force, Seed
from pgen.cli.result_files import png
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
        str | None, typer.Option(help="Pose of the photo; of a CSV or store, the row with its name.", metavar="FILE")
    ] = None,
    src_parsing: Annotated[
        str | None,
        typer.Option(help="Parsing map of the photo, or a folder with a map of the photo's name.", metavar="FILE"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The result, as large as the photo.", metavar="FILE.png")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw source, both maps and result.", metavar="FILE.png")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Networks (default: the newest finished run, else bundled).", metavar="FILE")
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Give the person of a photo other sleeves, trousers, a skirt, another neckline or hair, or a map painted by hand.

    What changes is painted anew; every other pixel, but for a small border, stays exactly that of the photo. To paint a
    map by hand: --save-parsing map.png, paint on it with its own colours and a hard brush, then --parsing map.png.
    """
    files = [file for file in (out, sheet, save_parsing) if file is not None]
    _check_files(out, sheet, save_parsing, files)
    if edit and parsing is not None:
        raise InputError("--edit and --parsing are two ways to the result's map; give one of them")
    if not edit and parsing is None and files != [save_parsing]:
        raise InputError("nothing to change: give --edit NAME=VALUE or --parsing FILE (or --save-parsing alone)")

    from pgen.body.layout_edits import check_edits
    from pgen.cli.annotation_files import parsing_of
    from pgen.data.images import write_png
    from pgen.data.outputs import check_output
    from pgen.data.painted import COLOURS
    from pgen.data.parsing import write_parsing
    from pgen.synthesis.generator import load

    edits = check_edits(_pairs(edit or []))
    for file in files:
        check_output(file, force)
    own_map = None if src_parsing is None else parsing_of(source, src_parsing, "--src-parsing")
    seed_everything(seed)
    model = load(weights, choose_device(device))
    say(model.origin)
    person = model.person(source, src_pose, own_map)
    result = person.manipulate(parsing, **edits) if edits or parsing is not None else None
    for warning in (*person.warnings, *(result.warnings if result is not None else ())):
        warn(warning)
    if save_parsing is not None:
        write_parsing(save_parsing, person.parsing if result is None else result.parsing, force)
        colours = ", ".join(f"{label} {colour}" for label, colour in COLOURS.items())
        say(f"wrote {save_parsing}; its colours: {colours}")
    if result is not None and out is not None:
        print(result.save(out, force))
    if result is not None and sheet is not None:
        write_png(sheet, result.sheet(), force)
        say(f"wrote {sheet}")


def _check_files(out: Path | None, sheet: Path | None, saved: Path | None, files: Sequence[Path]) -> None:
    if not files:
        raise InputError("nowhere to write to: give -o, --sheet or --save-parsing")
    for file, flag in ((out, "-o"), (sheet, "--sheet"), (saved, "--save-parsing")):
        if file is not None:
            png(file, flag)
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

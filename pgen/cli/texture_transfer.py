"""``pgen texture-transfer``: people in the clothes of others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.annotation_files import for_each, parsing_of
from pgen.cli.conduct import choose_device, progress, say, seed_everything, warn
from pgen.cli.options import Device, Force, Seed
from pgen.cli.result_files import places, png
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.synthesis.generator import PersonGenerator
    from pgen.synthesis.person import Person
    from pgen.synthesis.texture_transfer import Dressed

_CELL = 256


def run(
    clothes: Annotated[
        list[str],
        typer.Option(
            help="Photo of the clothes, worn by someone; FILE.h5:NAME takes one from a store. Once for each.",
            metavar="A",
        ),
    ],
    person: Annotated[list[str], typer.Option(help="Photo of who is to wear them. Once for each.", metavar="B")],
    regions: Annotated[
        str,
        typer.Option(
            help="Any of upper, pants, skirt, hair, lower (pants or skirt, whichever a photo shows), or all.",
            metavar="NAME,…",
        ),
    ] = "upper",
    shape: Annotated[
        bool, typer.Option("--shape", help="Take on the garment's shape too, such as the length of its sleeves.")
    ] = False,
    clothes_pose: Annotated[
        list[str] | None,
        typer.Option(help="Pose in the photo of the clothes; once for all, or for each.", metavar="FILE"),
    ] = None,
    clothes_parsing: Annotated[
        list[str] | None,
        typer.Option(help="Its parsing map, or a folder of maps named as the photos.", metavar="FILE"),
    ] = None,
    person_pose: Annotated[
        list[str] | None,
        typer.Option(help="Pose in the photo of the person; once for all, or for each.", metavar="FILE"),
    ] = None,
    person_parsing: Annotated[
        list[str] | None,
        typer.Option(help="Its parsing map, or a folder of maps named as the photos.", metavar="FILE"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="PNG file; for several results a folder.", metavar="FILE|DIR"),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw clothes, person, map and result; of several, a grid.", metavar="FILE.png"),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Networks (default: the newest finished run, else bundled).", metavar="FILE")
    ] = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Put the clothes of photos onto the people of others.

    The person keeps pose, face, background and all that is not named: these pixels stay exactly those of the photo.
    All clothes are tried on all people.
    """
    if out is None and sheet is None:
        raise InputError("nowhere to write to: give -o, --sheet or both")
    if sheet is not None:
        png(sheet, "--sheet")
        if out is not None and sheet.absolute() == out.absolute():
            raise InputError(f"--sheet {sheet} and -o {out} are one file; give the sheet a name of its own")

    from pgen.data.outputs import check_output
    from pgen.synthesis.generator import load
    from pgen.synthesis.texture_transfer import check_exchange, check_regions

    wanted = check_regions([name.strip() for name in regions.split(",")])
    seed_everything(seed)
    model = load(weights, choose_device(device))
    say(model.origin)
    if shape:
        model.require_layouts()
    givers = _people(model, clothes, clothes_pose or [], clothes_parsing or [], "clothes")
    takers = _people(model, person, person_pose or [], person_parsing or [], "person")
    for giver in givers:
        for taker in takers:
            check_exchange(taker, giver, wanted)
    files = places(out, [one.name for one in givers], [one.name for one in takers], force)
    if sheet is not None:
        check_output(sheet, force)  # after the results' folder was made, in which it may be
    _transfer(givers, takers, wanted, shape, files, sheet, force)


def _people(
    model: PersonGenerator, photos: Sequence[str], poses: Sequence[str], parsings: Sequence[str], role: str
) -> list[Person]:
    """The people of ``photos``; ``role`` is how their flags begin."""
    own_poses = for_each(poses, photos, f"--{role}-pose")
    own_parsings = for_each(parsings, photos, f"--{role}-parsing")
    found = []
    for photo, pose, parsing in zip(photos, own_poses, own_parsings, strict=True):
        labels = None if parsing is None else parsing_of(photo, parsing, f"--{role}-parsing")
        try:
            found.append(model.person(photo, pose, labels))
        except InputError as error:
            raise InputError(str(error).replace("--src-", f"--{role}-")) from error
        for warning in found[-1].warnings:
            warn(warning)
    return found


def _transfer(
    givers: Sequence[Person],
    takers: Sequence[Person],
    regions: Sequence[str],
    shape: bool,
    files: list[list[Path | None]],
    sheet: Path | None,
    force: bool,
) -> None:
    """Write every result as soon as it is there; what fails is told at the end, and costs nothing else."""
    from pgen.data.images import write_png

    results: dict[tuple[int, int], Dressed] = {}
    failures = []
    with progress("dressing", len(givers) * len(takers)) as advance:
        for row, giver in enumerate(givers):
            for column, taker in enumerate(takers):
                try:
                    result = taker.transfer_texture(giver, regions, shape)
                    file = files[row][column]
                    if file is not None:
                        print(result.save(file, force))
                    if sheet is not None:
                        results[row, column] = result
                except (PgenError, RuntimeError, OSError) as error:
                    failures.append(f"{taker.name} in the clothes of {giver.name}: {' '.join(str(error).split())}")
                advance()
    if sheet is not None and results:
        write_png(sheet, _sheet(givers, takers, results), force)
        say(f"wrote {sheet}")
    if failures:
        for failure in failures[:-1]:
            warn(failure)
        raise PgenError(f"{failures[-1]} ({len(failures)} failed; every other result was written)")


def _sheet(
    givers: Sequence[Person], takers: Sequence[Person], results: dict[tuple[int, int], Dressed]
) -> NDArray[np.uint8]:
    """One result with what it was made from, or a grid: people across, clothes down."""
    import numpy as np

    from pgen.body.drawing import sheet

    if len(givers) == len(takers) == 1:
        return results[0, 0].sheet()
    nothing = np.full((1, 1, 3), 255, np.uint8)
    rows = [[("clothes below, people beside", nothing), *((taker.name, taker.image) for taker in takers)]]
    for row, giver in enumerate(givers):
        cells = [
            (f"{taker.name} + {giver.name}", results[row, column].image)
            if (row, column) in results
            else ("failed", nothing)
            for column, taker in enumerate(takers)
        ]
        rows.append([(giver.name, giver.image), *cells])
    return sheet(rows, (_CELL, _CELL))

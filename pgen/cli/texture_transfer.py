"""``pgen texture-transfer``: people in the clothes of others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgen.cli.batch import Batch, check_sheet, open_output, write_sheet
from pgen.cli.errors_to_exit_codes import progress
from pgen.cli.estimate import ParserName, PoseAnnotatorName, annotators, log_estimates
from pgen.cli.options import Crop, Device, Force, Results, Seed, Weights
from pgen.cli.photos import Photo, photos
from pgen.cli.result_files import output_paths
from pgen.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.inference.person import Person
    from pgen.inference.predictor import Predictor
    from pgen.inference.texture_transfer import TextureTransferResult

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
        typer.Option(
            help="Pose in the photo of the clothes (default: estimated); once for all, or for each.", metavar="FILE"
        ),
    ] = None,
    clothes_parsing: Annotated[
        list[str] | None,
        typer.Option(
            help="Its parsing map (default: estimated), or a folder of maps named as the photos.", metavar="FILE"
        ),
    ] = None,
    person_pose: Annotated[
        list[str] | None,
        typer.Option(
            help="Pose in the photo of the person (default: estimated); once for all, or for each.", metavar="FILE"
        ),
    ] = None,
    person_parsing: Annotated[
        list[str] | None,
        typer.Option(
            help="Its parsing map (default: estimated), or a folder of maps named as the photos.", metavar="FILE"
        ),
    ] = None,
    out: Results = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw clothes, person, map and result; of several, a grid.", metavar="FILE.png"),
    ] = None,
    crop: Crop = True,
    clothes_number: Annotated[
        int | None,
        typer.Option(min=0, help="Which person of the photo of clothes, 0 being the largest.", metavar="N"),
    ] = None,
    person_number: Annotated[
        int | None,
        typer.Option(min=0, help="Which person of the photo of the person, 0 being the largest.", metavar="N"),
    ] = None,
    annotator: PoseAnnotatorName = "mediapipe",
    parser: ParserName = "pgen",
    weights: Weights = None,
    device: Device = "auto",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Put the clothes of photos onto the people of others.

    The person keeps pose, face, background and all that is not named: these pixels stay exactly those of the photo.
    Results are as large as the photo of the person. All clothes are tried on all people. Poses and parsing maps that
    are not given are estimated.
    """
    if out is None and sheet is None:
        raise InputError("nowhere to write to: give -o, --sheet or both")
    check_sheet(sheet, out)
    to_wear = photos(clothes, clothes_pose or [], clothes_parsing or [], crop, *_about("clothes", clothes_number))
    to_dress = photos(person, person_pose or [], person_parsing or [], crop, *_about("person", person_number))

    from pgen.inference.texture_transfer import check_exchange, check_regions
    from pgen.runtime.atomic_write import check_output

    wanted = check_regions([name.strip() for name in regions.split(",")])
    model = open_output(weights, device, seed, annotators(annotator, None, parser))
    if shape:
        model.require_layouts()
    batch = Batch(force, paste=True)
    givers, takers = (_people(model, asked, batch) for asked in (to_wear, to_dress))
    for giver in givers:
        for taker in takers:
            check_exchange(taker, giver, wanted)
    files = output_paths(out, [one.name for one in givers], [one.name for one in takers], force)
    if sheet is not None:
        check_output(sheet, force)  # after the results' folder was made, in which it may be
    results: dict[tuple[int, int], TextureTransferResult] = {}
    with progress("dressing", len(givers) * len(takers)) as advance:
        for row, giver in enumerate(givers):
            for column, taker in enumerate(takers):
                with batch.attempt(lambda: f"{taker.name} in the clothes of {giver.name}"):  # noqa: B023 (called at once)
                    result = taker.transfer_texture(giver, wanted, shape)
                    if sheet is not None:
                        results[row, column] = result
                    batch.save(result, files[row][column])
                advance()
    batch.tell_written()
    if sheet is not None and results:
        write_sheet(sheet, _sheet(givers, takers, results), force)
    batch.end()


def _about(role: str, number: int | None) -> tuple[str, int | None, str]:
    """The last arguments of `photos` for those of that role: it, which person is meant, and the flag that says so."""
    return role, number, f"--{role}-number"


def _people(model: Predictor, asked: Sequence[Photo], batch: Batch) -> list[Person]:
    """The people of these photos, with what there is to tell about them told."""
    found = []
    for photo in asked:
        found.append(photo.person(model))
        log_estimates([photo.in_flags(note) for note in found[-1].notes])
        batch.warn_once(found[-1].warnings)
    return found


def _sheet(
    givers: Sequence[Person], takers: Sequence[Person], results: dict[tuple[int, int], TextureTransferResult]
) -> NDArray[np.uint8]:
    """One result with what it was made from, or a grid: people across, clothes down."""
    import numpy as np

    from pgen.body.viz import draw_sheet

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
    return draw_sheet(rows, (_CELL, _CELL))

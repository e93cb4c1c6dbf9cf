"""``pgen texture-transfer``: people in the clothes of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Option

from pgen.cli import options
from pgen.cli.batch import Batch, write_sheet
from pgen.cli.loading import make_annotators, open_predictor
from pgen.cli.output_checks import check_pictures, check_results
from pgen.cli.photo_files import Number, ParsingFiles, PoseFiles, PoseFrame
from pgen.cli.photo_options import check_estimates, check_role
from pgen.cli.photos import list_files, list_photos
from pgen.cli.rendering_options import fit_into_file
from pgen.cli.result_files import Sheet, find_output_files
from pgen.cli.terminal import log, progress
from pgen.data.inputs import check_apart

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.inference.person import Person
    from pgen.inference.texture_transfer import TextureTransferResult

_CLOTHES = "Photo of the clothes, worn by someone; FILE.h5:NAME takes one from a store. Once for each."
_REGIONS = "Any of upper, pants, skirt, hair, lower (pants or skirt, whichever a photo shows), or all."
_CELL = 256


def run(
    clothes: Annotated[list[str], Option(help=_CLOTHES, metavar="A")],
    person: Annotated[list[str], Option(help="Photo of who is to wear them. Once for each.", metavar="B")],
    regions: Annotated[str, Option(help=_REGIONS, metavar="NAME,…")] = "upper",
    shape: Annotated[
        bool, Option("--shape", help="Take on the garment's shape too, such as the length of its sleeves.")
    ] = False,
    clothes_pose: PoseFiles = None,
    clothes_parsing: ParsingFiles = None,
    clothes_frame: PoseFrame = None,
    person_pose: PoseFiles = None,
    person_parsing: ParsingFiles = None,
    person_frame: PoseFrame = None,
    scheme: options.SchemeName = None,
    out: options.Results = None,
    sheet: Sheet = None,
    crop: options.Crop = True,
    clothes_number: Number = None,
    person_number: Number = None,
    confidence: options.MinConfidence = options.CONFIDENCE,
    annotator: options.PoseAnnotatorName = "mediapipe",
    parser: options.ParserName = "pgen",
    weights: options.Weights = None,
    device: options.Device = "auto",
    seed: options.Seed = 0,
    force: options.Force = False,
) -> None:
    """Put the clothes of photos onto the people of others.

    The person keeps pose, face, background and all that is not named: these pixels stay exactly those of the photo.
    Results are as large as the photo of the person. All clothes are tried on all people. Poses and parsing maps that
    are not given are estimated.
    """
    check_pictures(force, out, sheet=sheet)
    givens = list_photos(clothes, clothes_pose, clothes_parsing, crop, clothes_number, "clothes", clothes_frame, scheme)
    wearers = list_photos(person, person_pose, person_parsing, crop, person_number, "person", person_frame, scheme)
    check_role(givens, clothes_frame)
    check_role(wearers, person_frame)
    check_estimates(photos := [*givens, *wearers], scheme)
    check_apart([out, sheet], read := [*list_files(photos), weights, scheme])
    check_results(out, clothes, person, force)
    from pgen.inference.texture_transfer import check_regions, find_exchanges

    wanted = check_regions([name.strip() for name in regions.split(",")])
    annotators = make_annotators(annotator, None, parser, confidence, device)
    predictor = open_predictor(weights, device, seed, annotators)
    batch = Batch(force, paste=True)
    people = [photo.read(predictor) for photo in photos]
    for one in people:
        log(*one.notes)
        batch.warn_once(one.warnings)
    givers, takers = people[: len(clothes)], [fit_into_file(one, out) for one in people[len(clothes) :]]
    pairs = [(giver, taker) for giver in givers for taker in takers]
    for giver, taker in pairs:
        find_exchanges(predictor.networks, giver, taker, wanted, shape)
    files = find_output_files(out, [one.name for one in givers], [one.name for one in takers], force, sheet, read)
    results: list[TextureTransferResult | None] = []
    with progress("dressing", len(pairs)) as advance:
        for (giver, taker), file in zip(pairs, (file for row in files for file in row), strict=True):
            results.append(None)
            with batch.attempt(lambda: f"{taker.name} in the clothes of {giver.name}"):  # noqa: B023 (called at once)
                result = predictor.transfer_texture(giver, taker, wanted, shape)
                results[-1] = result if sheet is not None else None
                batch.save(result, file)
            advance()
    batch.print_written()
    if sheet is not None and any(results):
        write_sheet(sheet, _draw_sheet(givers, takers, results), force)
    batch.finish()


def _draw_sheet(
    givers: Sequence[Person], takers: Sequence[Person], results: Sequence[TextureTransferResult | None]
) -> Picture:
    """One result with what it was made from, or a grid: people across, clothes down."""
    import numpy as np

    from pgen.body.viz import draw_sheet

    if len(results) == 1 and results[0] is not None:
        return results[0].sheet()
    nothing = np.full((1, 1, 3), 255, np.uint8)
    rows = [[("clothes below, people beside", nothing), *((taker.name, taker.image) for taker in takers)]]
    for row, giver in enumerate(givers):
        rows.append([(giver.name, giver.image)])
        for taker, result in zip(takers, results[row * len(takers) :], strict=False):
            title = f"{taker.name} + {giver.name}"
            rows[-1].append(("failed", nothing) if result is None else (title, result.image))
    return draw_sheet(rows, (_CELL, _CELL))

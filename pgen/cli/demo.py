"""``pgen demo``: held-out synthetic people in new poses, on one page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from pgen.cli.loading import open_predictor
from pgen.cli.options import Device, Force, Weights
from pgen.cli.terminal import log, progress
from pgen.runtime.atomic_write import atomic_folder

if TYPE_CHECKING:
    from pgen.cli.demo_people import DemoPerson
    from pgen.inference.result import Result

PEOPLE = 4
FRAMES = 24  #: pictures of the animation


def run(
    out: Annotated[Path, Option("--out", "-o", help="The folder to write.", metavar="DIR")] = Path("demo"),
    weights: Weights = None,
    seed: Annotated[
        int, Option(min=0, help="Which synthetic people; the bundled weights have not seen those of the default.")
    ] = 20_260,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Show what the networks can do, on synthetic people: pictures, an animation, and one page, index.html."""
    begin = time.monotonic()
    with atomic_folder(out, force) as folder:
        from pgen.cli.demo_pictures import DemoPictures
        from pgen.evaluation.html_page import render_page

        model = open_predictor(weights, device, seed)
        model.networks.require_semantic("choose other weights", "weights")
        with progress("demo", 2 * PEOPLE + FRAMES) as advance:
            pictures = DemoPictures(model, seed, PEOPLE, folder, advance)
            shown = {
                "people": pictures.draw_new_poses(),
                "walk": pictures.draw_walk(FRAMES),
                "dressed": pictures.draw_texture_transfers(),
                "edited": pictures.draw_edits(),
                "scores": _score(pictures.demos, pictures.results),
            }
        page = render_page(
            "demo.html.j2", "pgen.cli",
            title="One photo, another pose", seed=seed, size=model.frame, origin=model.origin,
            pairs=pictures.pairs, seconds=pictures.seconds / pictures.pairs, took=time.monotonic() - begin, **shown,
        )  # fmt: skip
        (folder / "index.html").write_text(page, encoding="utf-8")
    log(f"took {time.monotonic() - begin:.0f} s")
    print(out / "index.html")


def _score(people: Sequence[DemoPerson], results: Sequence[Sequence[Result]]) -> list[tuple[str, str, str]]:
    """Rows of a table: whose, mean IoU of the parsing maps, SSIM of the pictures, both against the rendered truth."""
    import numpy as np
    import torch

    from pgen.metrics.miou import count_intersection_and_union, mean_iou
    from pgen.metrics.ssim_kernel import ssim

    truths = [truth for person in people for truth in person.truths.values()]
    sources = [person.source for person in people for _ in person.truths]
    generated = [result for person in results for result in person]
    maps, images, rows = [], [], []
    for shown in (truths, generated, sources):
        maps.append(torch.from_numpy(np.stack([one.parsing for one in shown])))
        images.append(torch.from_numpy(np.stack([one.image for one in shown])).movedim(-1, 1))
    for row, name in enumerate(("Generated", "Source photo, unchanged"), 1):
        counts = count_intersection_and_union(maps[row], maps[0]).sum(0)
        similarity = ssim(images[row], images[0], "gaussian-255").mean()
        rows.append((name, f"{mean_iou(counts).item():.3f}", f"{similarity.item():.3f}"))
    return rows

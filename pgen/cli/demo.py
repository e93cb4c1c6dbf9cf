"""``pgen demo``: held-out synthetic people in new poses, on one page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.options import Device, Force, Weights
from pgen.cli.terminal import log, progress
from pgen.runtime.atomic_write import atomic_folder
from pgen.runtime.device import choose_device
from pgen.runtime.seed import seed_everything

PEOPLE = 4
FRAMES = 24  #: pictures of the animation


def run(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write.", metavar="DIR")] = Path("demo"),
    weights: Weights = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Which synthetic people; the bundled weights have not seen those of the default.")
    ] = 20_260,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Show what the networks can do, on synthetic people: pictures, an animation, and one page, index.html."""
    begin = time.monotonic()
    with atomic_folder(out, force) as folder:
        from pgen.cli.demo_pictures import DemoPictures
        from pgen.cli.demo_scores import score_demo
        from pgen.evaluation.html_page import render_page
        from pgen.inference.predictor import load

        seed_everything(seed)
        model = load(weights, choose_device(device))
        model.networks.require_semantic("choose other weights", "weights")
        log(model.origin)
        with progress("demo", 2 * PEOPLE + FRAMES) as advance:
            pictures = DemoPictures(model, seed, PEOPLE, folder, advance)
            shown = {
                "people": pictures.draw_new_poses(),
                "walk": pictures.draw_walk(FRAMES),
                "dressed": pictures.draw_texture_transfers(),
                "edited": pictures.draw_edits(),
                "scores": score_demo(pictures.demos, pictures.results),
            }
        page = render_page(
            "demo.html.j2", "pgen.cli",
            title="One photo, another pose", seed=seed, size=model.frame, origin=model.origin,
            pairs=pictures.pairs, seconds=pictures.seconds / pictures.pairs, took=time.monotonic() - begin, **shown,
        )  # fmt: skip
        (folder / "index.html").write_text(page, encoding="utf-8")
    log(f"took {time.monotonic() - begin:.0f} s")
    print(out / "index.html")

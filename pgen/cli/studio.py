"""``pgen studio``: a page in the browser."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Option

from pgen.cli import options
from pgen.cli.given_options import refuse_idle
from pgen.cli.terminal import log

_PORT = "On which port; 0 for any that is free."
_HOST = "Which addresses may open it: 127.0.0.1, those of this machine; 0.0.0.0, all."
_SHARE = "network: the same as --host 0.0.0.0, for others in the network. Nothing is ever sent elsewhere."


class Share(StrEnum):
    """Who may open the page."""

    NO = "no"
    NETWORK = "network"


def run(
    port: Annotated[int, Option(min=0, max=65535, help=_PORT)] = 7860,
    host: Annotated[str, Option(help=_HOST, metavar="ADDRESS")] = "127.0.0.1",
    share: Annotated[Share, Option(help=_SHARE)] = Share.NO,
    browser: Annotated[bool, Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    annotator: options.PoseAnnotatorName = "mediapipe",
    parser: options.ParserName = "pgen",
    weights: options.Weights = None,
    device: options.Device = "auto",
    seed: options.Seed = 0,
) -> None:
    """Open a page in the browser: photos, poses to drag, parsing maps to paint, clothes, edits, and the results.

    Everything is done on this machine, and what is uploaded is removed at the end. The address that is printed has a
    key in it, without which nobody is let in.
    """
    from pgen.cli.command_lines import write_command
    from pgen.studio.serve import serve
    from pgen.studio.worker import ModelSettings

    refuse_idle("host", share is Share.NETWORK, "--share network opens it for all addresses")
    where = "0.0.0.0" if share is Share.NETWORK else host
    _check_model(weights, annotator, parser)
    settings = ModelSettings(None if weights is None else str(weights), device, annotator, parser, seed)

    def tell(address: str) -> None:
        print(address, flush=True)
        log("Ctrl-C ends the studio and removes what was uploaded.")
        if where not in ("127.0.0.1", "::1", "localhost"):
            log(f"warning: others in the network who know the key can open it too, on port {address.split('/')[2]}")

    serve(settings, lambda request: write_command(request, settings), tell, where, port, browser)


def _check_model(weights: Path | None, annotator: str, parser: str) -> None:
    """Refuse, before the page is there, networks and annotators that cannot be loaded. Raises `InputError`."""
    from pgen.data.annotators.registry import PARSING_ANNOTATORS, POSE_ANNOTATORS, find_annotator

    find_annotator(POSE_ANNOTATORS, annotator, "pose_annotator")
    find_annotator(PARSING_ANNOTATORS, parser, "parser")
    if weights is not None:  # the bundled ones are sound, and to look takes a while
        from pgen.data.weights import describe, find_weights

        describe(find_weights(weights)[0])

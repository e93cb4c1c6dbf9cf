"""``pgen import-weights``: the authors' published weights into a file of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from pgen.cli.options import Force
from pgen.cli.terminal import log


def run(
    file: Annotated[Path, Argument(help="State dict of the published generator.", metavar="FILE.pth")],
    out: Annotated[Path, Option("--out", "-o", help="The file to write.", metavar="OUT.safetensors")],
    force: Force = False,
) -> None:
    """Turn the published appearance generator (H_A) into a weights file of pgen.

    Nothing in the file is executed. The result holds no H_S: `pgen generate` needs --parsing with it.
    """
    from pgen.data.published_generator import import_published_weights

    count = import_published_weights(file, out, force)
    log(f"wrote {out}: H_A with {count:,} parameters")

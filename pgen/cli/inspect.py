"""``pgen inspect``: what is in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.batch import write_sheet
from pgen.cli.given_options import refuse_idle
from pgen.cli.options import Force
from pgen.cli.terminal import print_table
from pgen.errors import InputError

_PATH = "An HDF5 store, weights or a run's folder, poses, a parsing map or a photo; FILE:NAME for one entry."
_SHEET = "Draw it: photo, skeleton, parsing, parts."
_CONFIG = "Of weights: also every setting of their training."
_PSEUDO_LABELS = "Of a store: its pseudo labels; the sheet shows maps beside their matches."


def run(
    path: Annotated[str, typer.Argument(help=_PATH, metavar="PATH")],
    sheet: Annotated[Path | None, typer.Option(help=_SHEET, metavar="FILE.png")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many entries the sheet shows.")] = 8,
    pseudo_labels: Annotated[bool, typer.Option("--pseudo-labels", help=_PSEUDO_LABELS)] = False,
    with_config: Annotated[bool, typer.Option("--config", help=_CONFIG)] = False,
    force: Force = False,
) -> None:
    """Say what is in a file, and draw it if asked."""
    from pgen.data.formats.images import check_picture_suffix
    from pgen.data.inputs import check_apart
    from pgen.data.inspection import inspect_file
    from pgen.runtime.atomic_write import check_output

    for name in ("count", "force"):
        refuse_idle(name, sheet is None, "no sheet is drawn without --sheet")
    if sheet is not None:
        check_picture_suffix(sheet, "sheet")
        check_apart([sheet], [path])
        check_output(sheet, force)
    rows, drawn = inspect_file(path, count, sheet is not None, pseudo_labels, with_config)
    print_table(path, rows)
    if sheet is not None:
        from pgen.body.viz import draw_sheet

        refuse_idle("count", len(drawn) == 1 and count > 1, f"there is one entry to draw in {path}")
        if not drawn:
            raise InputError(f"there is nothing to draw in {path}", option="sheet")
        write_sheet(sheet, draw_sheet(drawn), force)

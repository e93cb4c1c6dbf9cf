"""``pgen poses``: the poses that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgen.cli.errors_to_exit_codes import log
from pgen.cli.options import Force
from pgen.cli.result_files import with_png_suffix

_COLUMNS = 5


def run(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw them into this file.", metavar="FILE.png")
    ] = None,
    force: Force = False,
) -> None:
    """List the poses that `pgen generate --pose NAME` knows by name, and draw them into a sheet."""
    from pgen.data.named_poses import load_named_poses

    poses = load_named_poses()
    if out is not None:
        from pgen.body.viz import draw_sheet, draw_skeleton
        from pgen.data.formats.images import write_png
        from pgen.runtime.atomic_write import check_output

        check_output(with_png_suffix(out, "-o"), force)
        cells = [(name, draw_skeleton(pose.frame or (256, 256), pose.pose)) for name, pose in poses.items()]
        write_png(out, draw_sheet([cells[i : i + _COLUMNS] for i in range(0, len(cells), _COLUMNS)]), force)
        log(f"wrote {out}")
    for name in poses:
        print(name)

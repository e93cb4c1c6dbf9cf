"""``pgen poses``: the poses that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from pgen.cli.batch import write_sheet
from pgen.cli.given_options import refuse_idle
from pgen.cli.options import Force
from pgen.cli.output_checks import check_pictures

_COLUMNS = 5


def run(
    out: Annotated[Path | None, Option("--out", "-o", help="Draw them into this file.", metavar="FILE")] = None,
    force: Force = False,
) -> None:
    """List the poses that `pgen generate --pose NAME` knows by name, and draw them into a sheet."""
    from pgen.data.named_poses import load_named_poses

    refuse_idle("force", out is None, "no file is written without --out")

    poses = load_named_poses()
    if out is not None:
        from pgen.body.viz import draw_sheet, draw_skeleton

        check_pictures(force, out=out)
        cells = [(name, draw_skeleton(pose.frame or (256, 256), pose.pose)) for name, pose in poses.items()]
        write_sheet(out, draw_sheet([cells[i : i + _COLUMNS] for i in range(0, len(cells), _COLUMNS)]), force)
    for name in poses:
        print(name)

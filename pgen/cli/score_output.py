"""What `pgen evaluate` prints and writes of its scores."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.batch import write_sheet
from pgen.cli.terminal import log, print_table

if TYPE_CHECKING:
    from pgen.evaluation.report import Report


def print_report(report: Report, as_json: bool, with_protocols: bool) -> None:
    """Print scores as a table, or all about them as JSON."""
    if as_json:
        print(json.dumps(report.to_dict(), indent=1, ensure_ascii=False))
        return
    several = len(names := [result.method.name for result in report]) > 1
    print_table("scores" if several else names[0], report.columns(), ["", *names] if several else ())
    if with_protocols:
        columns = ("score", "protocol", "pairs", "weights, versions")
        print_table("how they were computed", report.provenance(), columns)
    for name, why in report.missing().items():
        print(f"{name}: not computed: {why}")


def write_pages(
    report: Report, markdown: Path | None, html: Path | None, sheet: Path | None, count: int, overwrite: bool
) -> None:
    """Write the pages that are asked for, with how each score was computed, and a sheet of ``count`` pairs."""
    from pgen.runtime.atomic_write import atomic_write

    command = "pgen " + shlex.join(sys.argv[1:])
    for path, make in ((markdown, lambda: report.markdown(command)), (html, report.html)):
        if path is not None:
            with atomic_write(path, overwrite) as aside:
                aside.write_text(make(), "utf-8")
            log(f"wrote {path}")
    if sheet is not None:
        write_sheet(sheet, report.draw_examples(count), overwrite)

"""What `pgen prepare` tells in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgen.cli.terminal import print_table, warn

if TYPE_CHECKING:
    from pgen.data.build_store import Summary


def report_summary(summary: Summary) -> None:
    """Print a table of what was kept and dropped, and where lists say more."""
    from pgen.data.dropped_list import doubts_path

    rows: list[tuple[str, object]] = [("photos kept", f"{summary.kept:,}")]
    rows += [(f"dropped: {reason}", f"{count:,}") for reason, count in summary.dropped.items()]
    if summary.resumed:
        rows += [("of all, done before the interruption", f"{summary.resumed:,}")]
    rows += [("kept, with doubtful estimates", f"{summary.doubtful:,}")] if summary.doubtful else []
    rows += [("kept, one of several people", f"{summary.chosen:,}")] if summary.chosen else []
    rows += [("pairs for testing", f"{summary.pairs:,}")]
    rows += [(f"left out: {reason}", f"{count:,}") for reason, count in summary.missing.items()]
    if summary.pseudo_labels:
        rows += [("pseudo labels", f"{summary.pseudo_labels:,} of each training photo")]
    rows += [
        ("size of a photo", "x".join(map(str, summary.size))),
        ("size of the file", f"{summary.out.stat().st_size / 1e6:,.1f} MB"),
        ("seconds", f"{summary.seconds:,.1f}"),
    ]
    print_table(str(summary.out), rows)
    if summary.doubtful:
        warn(f"{summary.doubtful:,} photos are kept with doubtful estimates; {doubts_path(summary.out)} lists them")
    if summary.chosen:
        taken = "the one who is large and sure is taken"
        warn(f"{summary.chosen:,} photos have several people: {taken}; {doubts_path(summary.out)} says who")
    if summary.dropped:
        warn(f"{sum(summary.dropped.values()):,} photos were dropped; {summary.dropped_list} lists them")
    if pairs := sum(count for reason, count in summary.missing.items() if reason.startswith("pair")):
        warn(f"{pairs:,} pairs lack a photo and were left out; {summary.dropped_list} lists them")

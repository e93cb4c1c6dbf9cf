"""How commands talk to the user: messages and progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress


def log(*messages: str) -> None:
    """Print each of ``messages`` on stderr as one line."""
    for message in messages:
        line = " ".join(message.split())
        with suppress(OSError, ValueError):  # nobody listens any more
            print("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line), file=sys.stderr)


def warn(message: str) -> None:
    """Warn the user on stderr of something that may not be as intended."""
    log(f"warning: {message}")


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show a progress bar on stderr while the block runs, if that is a terminal.

    Yields what moves it: ``advance(count=1, note="")``, the note shown beside the bar.
    """
    if not sys.stderr.isatty():
        yield lambda count=1, note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    note_column = TextColumn("{task.fields[note]}", markup=False)
    with Progress(*columns, note_column, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, note="")

        def advance(count: int = 1, note: str = "") -> None:
            bar.update(task, advance=count)
            if note:
                bar.update(task, note=note)

        yield advance


def print_table(title: str, rows: Iterable[Sequence[object]], columns: Sequence[str] = ()) -> None:
    """Print ``title`` and a table of ``rows`` on stdout; without ``columns``, of names and values."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=bool(columns))
    for column in columns or ("", ""):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(Text(title), soft_wrap=True)
    console.print(table)

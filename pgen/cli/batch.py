"""How commands make many pictures.

Each is written as soon as it is there; what fails is said at the end, and costs nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.terminal import log, warn
from pgen.errors import PgenError

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.cli.photos import Photo
    from pgen.inference.result import Result

_MOST_ALIKE = 4  # warnings, of frames of one motion, that say the same


def write_sheet(path: Path, picture: Picture, overwrite: bool) -> None:
    """Write the sheet, and say so."""
    from pgen.data.formats.images import write_image

    log(f"wrote {write_image(path, picture, overwrite)}")


class Batch:
    """What has been written, warned of, and gone wrong.

    Args:
        overwrite: whether files that exist are written again.
        paste: whether results are put into the whole photo.
        keeps: whether files that exist stay as they are, without being failures.
    """

    def __init__(self, overwrite: bool, paste: bool, keeps: bool = False) -> None:
        self._overwrite, self._paste, self._keeps = overwrite, paste, keeps
        self._kept = 0
        self._written: list[Path] = []
        self._failures: list[str] = []
        self._warnings: set[str] = set()
        self._alike: Counter[str] = Counter()

    @contextmanager
    def attempt(self, describe: Callable[[], str]) -> Iterator[None]:
        """Keep what goes wrong in the block from ending the batch; ``describe`` then says what it was about."""
        try:
            yield
        except (PgenError, RuntimeError, OSError) as error:
            self._failures.append(f"{describe()}: {_one_line(error)}")

    def leave_out_kept(
        self, work: Iterable[tuple[Photo, list[Path | None]]], advance: Callable[[int], None]
    ) -> Iterator[tuple[Photo, list[Path | None]]]:
        """Photos with the files of their results, without those whose files stay; ``advance`` counts these."""
        for photo, files in work:
            if self._keeps and all(file is not None and file.exists() for file in files):
                self._kept += len(files)
                advance(len(files))
            else:
                yield photo, files

    def save(self, result: Result, file: Path | None) -> None:
        """Write ``result``, if there is somewhere to."""
        if file is None:
            return
        if self._keeps and file.exists():
            self._kept += 1
            return
        try:
            self._written.append(result.save(file, self._overwrite, self._paste))
        except (PgenError, OSError) as error:
            self._failures.append(_one_line(error))

    def warn_once(self, warnings: Sequence[str]) -> None:
        """Warn of what was not warned of before."""
        for warning in dict.fromkeys(warnings):
            what = warning.partition(": ")[2]
            self._alike[what] += warning not in self._warnings
            if warning not in self._warnings and self._alike[what] <= _MOST_ALIKE:
                more = " (and more like this)" if self._alike[what] == _MOST_ALIKE else ""
                warn(f"{warning}{more}")
            self._warnings.add(warning)

    def print_written(self) -> None:
        """Print the files that were written, and tell how many were there."""
        if self._kept:
            log(f"{self._kept} results were there already")
        if self._written:
            print(*self._written, sep="\n")

    def finish(self) -> None:
        """Raises `PgenError` if anything failed, with the last failure; those before are warned of."""
        for failure in self._failures[:-1]:
            warn(failure)
        if self._failures:
            raise PgenError(f"{self._failures[-1]} ({len(self._failures)} failed; every other result was written)")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

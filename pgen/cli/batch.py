"""How commands make many pictures.

Each is written as soon as it is there; what fails is told at the end, and costs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.errors_to_exit_codes import choose_device, log, seed_everything, warn
from pgen.cli.result_files import with_png_suffix
from pgen.errors import InputError, PgenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgen.data.annotators.choose import Annotators
    from pgen.inference.predictor import Predictor
    from pgen.inference.result import Result


def open_output(weights: Path | None, device: str, seed: int, estimating: Annotators) -> Predictor:
    """The networks, named to the user; all random numbers begin at ``seed``."""
    from pgen.inference.predictor import load

    seed_everything(seed)
    model = load(weights, choose_device(device), estimating)
    log(model.origin)
    return model


def check_sheet(sheet: Path | None, out: Path | None) -> None:
    """Raises `InputError` if ``sheet`` is not called like a picture, or like ``out``."""
    if sheet is None:
        return
    with_png_suffix(sheet, "--sheet")
    if out is not None and sheet.absolute() == out.absolute():
        raise InputError(f"--sheet {sheet} and -o {out} are one file; give the sheet a name of its own")


def write_sheet(path: Path, picture: NDArray[np.uint8], force: bool) -> None:
    """Write the sheet, and say so."""
    from pgen.data.formats.images import write_png

    write_png(path, picture, force)
    log(f"wrote {path}")


class Batch:
    """What has been written, warned of, and gone wrong."""

    def __init__(self, force: bool, paste: bool) -> None:
        self._force, self._paste = force, paste
        self._written: list[Path] = []
        self._failures: list[str] = []
        self._told: set[str] = set()

    @contextmanager
    def attempt(self, what: Callable[[], str]) -> Iterator[None]:
        """Keep what goes wrong in the block from ending the batch; ``what`` then says what it was about."""
        try:
            yield
        except (PgenError, RuntimeError, OSError) as error:
            self._failures.append(f"{what()}: {_one_line(error)}")

    def save(self, result: Result, file: Path | None) -> None:
        """Write ``result``, if there is somewhere to."""
        if file is None:
            return
        try:
            self._written.append(result.save(file, self._force, self._paste))
        except (PgenError, OSError) as error:
            self._failures.append(_one_line(error))

    def warn_once(self, warnings: Sequence[str]) -> None:
        """Warn of what was not warned of before."""
        for warning in warnings:
            if warning not in self._told:
                self._told.add(warning)
                warn(warning)

    def tell_written(self) -> None:
        """Print the files that were written."""
        for path in self._written:
            print(path)

    def end(self) -> None:
        """Raises `PgenError` if anything failed, with the last failure; those before are warned of."""
        for failure in self._failures[:-1]:
            warn(failure)
        if self._failures:
            count = len(self._failures)
            raise PgenError(f"{self._failures[-1]} ({count} failed; every other result was written)")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

"""How commands make many pictures.

Each is written as soon as it is there; what fails is said at the end, and costs nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pgen.cli.terminal import log, progress, warn
from pgen.errors import PgenError
from pgen.runtime.seed import seed_everything

if TYPE_CHECKING:
    from pgen.body.viz import Picture
    from pgen.data.annotators.choose import Annotators
    from pgen.inference.predictor import Predictor
    from pgen.inference.result import Result

_MOST_ALIKE = 4  # warnings, of frames of one motion, that say the same


def make_annotators(
    pose: str, person: int | None, parsing: str, min_confidence: float | None = None, device: str = "auto"
) -> Annotators:
    """Annotators, by name, that show when they are loaded; ``person`` is the number of whose poses they estimate.

    Joints in files of poses are left out that are less sure than ``min_confidence``.

    Raises `InputError` for unknown names.
    """
    from pgen.data.annotators.choose import Annotators
    from pgen.data.formats.pose_people import MIN_CONFIDENCE

    least = MIN_CONFIDENCE if min_confidence is None else min_confidence
    return Annotators(pose, parsing, lambda name: progress(f"loading {name}"), person, least, device)


def open_predictor(
    weights: Path | None, device: str, seed: int, annotators: Annotators | None = None, precision: str = "auto"
) -> Predictor:
    """The networks, named to the user; all random numbers begin at ``seed``."""
    from pgen.inference.predictor import load

    seed_everything(seed)
    predictor = load(weights, device, annotators, precision)
    log(predictor.origin)
    return predictor


def write_sheet(path: Path, picture: Picture, overwrite: bool) -> None:
    """Write the sheet, and say so."""
    from pgen.data.formats.images import write_image

    log(f"wrote {write_image(path, picture, overwrite)}")


class Batch:
    """What has been written, warned of, and gone wrong."""

    def __init__(self, overwrite: bool, paste: bool) -> None:
        self._overwrite, self._paste = overwrite, paste
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

    def save(self, result: Result, file: Path | None) -> None:
        """Write ``result``, if there is somewhere to."""
        if file is None:
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
        """Print the files that were written."""
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

"""Which data sets there are. A new one is a file with a function as `Reader` says, and an entry in `READERS`.

The function returns a `pgen.data.readers.photo_set.PhotoSet`, for which `pgen.data.readers.gather.gather_photos` needs
the photos and what lies beside them; or anything else that has what `FoundPhotos` lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pgen.runtime.lazy_object import Place

if TYPE_CHECKING:
    from pgen.data.example import Drop, Job
    from pgen.data.readers.given import GivenFiles


class FoundPhotos(Protocol):
    """The photos of a data set, yet to be read."""

    pairs: list[tuple[str, str]] | None  #: (source, target) for testing, by name; None: all pairs of a person
    train_pairs: list[tuple[str, str]]
    files: tuple[Path, ...]  #: that all photos depend on
    missing: tuple[Drop, ...]  #: what files name that is not there
    notes: tuple[str, ...]  #: what was assumed, for the user

    def __len__(self) -> int: ...  # of `jobs`
    def jobs(self) -> Iterator[Job | Drop]: ...


class Reader(Protocol):
    """Finds photos and annotations below ``root``, but for what is ``given``, to be stored at ``size``.

    ``options`` are those of `ReaderEntry.options`. Raises `InputError` naming the file and the remedy.
    """

    def __call__(self, root: Path | None, given: GivenFiles, size: tuple[int, int], **options: Any) -> FoundPhotos: ...


@dataclass(frozen=True)
class ReaderEntry:
    """A `Reader`, and what `pgen.prepare` must know about it."""

    find: Place
    takes: Sequence[str]  #: parameters that it takes, of those that not all data sets do
    options: Sequence[str] = ()  #: parameters that are handed over by name, beside root and given
    size: tuple[int, int] = (256, 256)  #: (height, width) of the stored photos, unless another is asked for
    is_root_needed: bool = False  #: False: datasets/NAME is taken


ON_DISK = ("root", "keypoints", "frame", "parsing", "parsing_scheme", "min_confidence", "pairs", "annotate")
_SYNTHETIC = ("people", "poses", "test_people", "style")

READERS: dict[str, ReaderEntry] = {
    "deepfashion": ReaderEntry("pgen.data.readers.deepfashion:find_deepfashion", (*ON_DISK, "images")),
    "market1501": ReaderEntry("pgen.data.readers.market1501:find_market1501", ON_DISK, size=(128, 64)),
    "folder": ReaderEntry(
        "pgen.data.readers.folder:find_folder",
        (*ON_DISK, "images", "people", "test_share"),
        ("people", "test_share", "seed"),
        is_root_needed=True,
    ),
    "synthetic": ReaderEntry("pgen.data.readers.synthetic:find_synthetic", _SYNTHETIC, (*_SYNTHETIC, "seed")),
}

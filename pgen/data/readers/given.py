"""What the user says about a data set, beside where it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pgen.data.annotators.choose import Annotators
from pgen.data.formats.parsing_schemes import DEFAULT_SCHEME, ParsingScheme
from pgen.data.formats.pose_people import MIN_CONFIDENCE
from pgen.errors import InputError

PathLike = str | os.PathLike[str]

#: What to say when the user has not said which labels the maps have.
TAKEN_AS_SPT10 = f"parsing maps are taken to have the labels of {DEFAULT_SCHEME}; say if they follow another scheme"


@dataclass(frozen=True)
class Estimating:
    """Which missing annotations are estimated, and by what; see `pgen.data.annotators.choose.Annotators`."""

    pose: bool
    parsing: bool
    annotator: str = "mediapipe"
    parser: str = "pgen"

    def annotators(self) -> Annotators:
        """The annotators, loaded once a process."""
        return _annotators(self.annotator, self.parser)


@cache
def _annotators(pose: str, parsing: str) -> Annotators:
    return Annotators(pose, parsing)


@dataclass(frozen=True)
class GivenFiles:
    """What is taken instead of what the data set's folder has, and what is done about annotations that it lacks."""

    keypoints: Sequence[Path] = ()  # files or folders as `find_poses` takes them; none: the data set's own
    parsing: Path | None = None  # the folder of the maps; None: the data set's own
    pairs: Sequence[Path] = ()  # lists of pairs for testing, as `read_pairs` takes them; none: the data set's own
    frame: tuple[int, int] | None = None  # (height, width) that the keypoints refer to; None: what the reader assumes
    images: PathLike | None = None  # the folder of the photos, relative to the data set's; None: where the reader looks
    scheme: ParsingScheme | None = None  # labels of the maps; None: the default scheme
    estimating: Estimating | None = None  # None: photos that lack an annotation are dropped
    min_confidence: float = MIN_CONFIDENCE  # joints of less are left out

    @property
    def estimates_poses(self) -> bool:
        """Whether photos may come without keypoints."""
        return self.estimating is not None and self.estimating.pose

    def maps_in(self, root: Path) -> Path:
        """The folder of the maps: the one that is given, else ``root/parsing``."""
        return self.parsing if self.parsing is not None else root / "parsing"


NOTHING_GIVEN = GivenFiles()


def check_root(root: PathLike, remedy: str) -> Path:
    """The folder of a data set. Raises `InputError` with the ``remedy`` if it is none."""
    if not Path(root).is_dir():
        raise InputError(f"{root} is not a folder; {remedy}", option="root")
    return Path(root)


def check_tables(tables: Sequence[Path], given: GivenFiles, root: Path, usual: str) -> None:
    """Refuse a data set without keypoints (``usual`` are the files looked for), unless they are estimated."""
    if not tables and not given.estimates_poses:
        raise InputError(f"{root} has no {usual}; give the keypoints, or estimate them", option="keypoints")

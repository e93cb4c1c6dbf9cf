"""Which files of annotations belong to which of the photos that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Option

from pgen.cli.options import flag_of
from pgen.cli.terminal import log
from pgen.errors import InputError

_POSES = "Pose in that photo (default: estimated); of a CSV or store, the row of its name. Once for all, or each."
_MAPS = "Its parsing map (default: estimated), or a folder of maps named as the photos. Once for all, or each."

_MAP_ENDINGS = (".npy", ".png", "_parsing.png", ".mat")  # of names of maps in a folder, behind the photo's

_FRAME = "Frame of that pose, if it is not the photo's own."

PoseFrame = Annotated[str | None, Option(help=_FRAME, metavar="HxW")]
PoseFiles = Annotated[list[str] | None, Option(help=_POSES, metavar="FILE")]
ParsingFiles = Annotated[list[str] | None, Option(help=_MAPS, metavar="FILE")]
Number = Annotated[int | None, Option(min=0, help="Which person of that photo, 0 being the largest.", metavar="N")]


def assign_files(given: Sequence[str] | None, sources: Sequence[str], option: str) -> Sequence[str | None]:
    """Each photo's own of the files ``given``, or the only one. Raises `InputError` for another number of them."""
    if not given or len(given) == 1:
        return [given[0] if given else None] * len(sources)
    if len(given) != len(sources):
        raise InputError(
            f"{flag_of(option)} is given {len(given)} times for {len(sources)} photos; give it once, or once for each"
        )
    return given


def find_parsing_of(source: str, parsing: str, option: str) -> str:
    """``parsing``, or the file or entry in it that is called like the photo."""
    from pgen.data.inputs import split_spec
    from pgen.data.scan import find_spelled
    from pgen.data.store import is_hdf5

    path, entry = split_spec(parsing)
    photo, own = split_spec(source)
    name = Path(own or photo.name)
    if entry is None and is_hdf5(path):
        return f"{path}:{own or name}"
    if entry is not None or not path.is_dir():
        return parsing
    for ending in _MAP_ENDINGS:
        file = find_spelled(path / f"{name.stem}{ending}")
        if file is not None and not file.samefile(photo):  # a folder of photos with maps beside them
            return str(file)
    raise InputError(f"{path}: the folder has no map {name.stem} ({', '.join(_MAP_ENDINGS)})", option=option)


def list_photo_files(given: list[Path]) -> list[Path]:
    """The photos, those in folders in the order of their names."""
    from pgen.data.readers.tree import find_photos
    from pgen.data.scan import FoundFiles

    files: list[Path] = []
    for path in given:
        found = find_photos(path) if path.is_dir() else FoundFiles({"": path} if path.exists() else {})
        log(*found.notes)
        if not found:
            problem = "has no photos in it" if path.exists() else "does not exist"
            raise InputError(f"{path} {problem}; give a photo, or a folder of photos")
        files += found.values()
    return files

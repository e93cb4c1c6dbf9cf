"""What the files of a photo's annotations are called, and which pictures beside photos are such."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.data.formats.images import read_image
from pgen.data.inputs import read_start
from pgen.data.scan import find_spelled
from pgen.runtime.atomic_write import atomic_write

#: What a PNG file says of a map that was estimated: its key, and how its text begins.
SOURCE, ESTIMATED = "Source", "estimated by"

_PARSING, _CARRIED = "_parsing", ".carried.png"
_PNG, _COLOR_TYPE, _PALETTE = b"\x89PNG\r\n\x1a\n", 25, 3


def name_annotations(photo: Path, folder: Path | None = None) -> dict[str, Path]:
    """What the annotations of ``photo`` are called, beside it or in ``folder``, by kind: pose, parsing, carried."""
    stem, is_taken = photo.stem, photo.suffix.lower() == ".png" and folder is None
    names = {"pose": f"{stem}.json", "parsing": f"{stem}{_PARSING if is_taken else ''}.png", "carried": stem + _CARRIED}
    return {kind: (folder or photo.parent) / name for kind, name in names.items()}


def find_annotations(photo: Path) -> dict[str, Path]:
    """Those of `name_annotations` that lie beside ``photo``. A map is a PNG with a palette: others are photos."""
    files = {kind: file for kind, named in name_annotations(photo).items() if (file := find_spelled(named)) is not None}
    if "parsing" in files and not looks_like_map(files["parsing"]):
        del files["parsing"]
    return files


def looks_like_map(path: Path) -> bool:
    """Whether the file ``path`` begins like a PNG with a palette, as maps are written."""
    start = read_start(path, _COLOR_TYPE + 1)
    return start.startswith(_PNG) and start[_COLOR_TYPE:] == bytes([_PALETTE])


def name_carried_file(parsing: Path) -> Path:
    """What the file of what is carried is called that belongs to the parsing map in the file ``parsing``."""
    return parsing.with_name(parsing.stem.removesuffix(_PARSING) + _CARRIED)


def find_carried_file(parsing: Path) -> Path | None:
    """That file, if there is one."""
    return find_spelled(name_carried_file(parsing))


def is_carried_file(path: Path) -> bool:
    """Whether a file is called as those of what is carried are."""
    return path.name.lower().endswith(_CARRIED)


def is_estimated_map(path: Path) -> bool:
    """Whether the parsing map in the file ``path`` is an estimate, as it was written; saved anew, it counts as true."""
    if path.suffix.lower() != ".png":
        return False
    with suppress(OSError), Image.open(path) as image:
        return str(image.info.get(SOURCE, "")).startswith(ESTIMATED)
    return False


def read_carried(path: Path) -> NDArray[np.uint8]:
    """1 where something is carried, uint8 (H, W): what is lighter than middle grey. Raises `InputError`."""
    return (read_image(path).mean(axis=2) > 127).astype(np.uint8)


def write_carried(path: Path, carried: NDArray[np.bool_] | None, overwrite: bool = False) -> list[Path]:
    """Write where something is carried, (H, W), as a grey PNG: white, all else black. Returns the files written.

    If there is nothing, one that was there is removed.
    """
    if carried is None or not carried.any():
        path.unlink(missing_ok=True)
        return []
    with atomic_write(path, overwrite) as aside:
        Image.fromarray(carried.astype(np.uint8) * 255).save(aside, format="PNG", optimize=True)
    return [path]

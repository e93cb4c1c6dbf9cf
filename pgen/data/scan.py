"""Files below a folder, by their names: which are looked at, and what is left aside."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

#: How names of photos end.
PHOTO_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".mpo", ".ppm",
)  # fmt: skip

#: Of files that lie beside photos for a reason.
_COMPANIONS = (
    ".json",
    ".txt",
    ".csv",
    ".npy",
    ".mat",
    ".lst",
    ".md",
    ".html",
    ".toml",
    ".yaml",
    ".h5",
    ".pkl",
    ".part",
)

# Folders and files that systems and programs leave everywhere.
_LEFT_BY_SYSTEMS = ("@eadir", "__macosx", "$recycle.bin", "#recycle", "thumbs.db", "desktop.ini")
_NAMED = 3  # files, in a note


class FoundFiles(dict[str, Path]):
    """Files by their path in the folder that was looked through, with "/", sorted. ``notes`` say what is left aside."""

    notes: tuple[str, ...] = ()


def is_hidden(name: str) -> bool:
    """Whether a path within a folder leads through something that begins with a dot, or that systems leave."""
    return any(part.startswith(".") or part.lower() in _LEFT_BY_SYSTEMS for part in name.split("/"))


def scan_folder(folder: Path, suffixes: Sequence[str], deep: bool = True, without: Path | None = None) -> FoundFiles:
    """The files in ``folder``, and below it if ``deep``, but not below ``without``, whose names end so.

    Hidden ones and those in hidden folders are left aside, as some systems keep copies there; they are noted, and so
    are files of suffixes that mean nothing here, and folders that are links, which may lead in circles.
    """
    found: dict[str, Path] = {}
    hidden: list[str] = []
    unknown: list[str] = []
    links: list[str] = []
    left_out = None if without is None else without.resolve()  # however it is written
    inside = folder.resolve()
    for path in folder.rglob("*") if deep else folder.iterdir():
        name = path.relative_to(folder).as_posix()
        suffix = path.suffix.lower()
        is_wanted, is_known = suffix in suffixes, suffix in (*PHOTO_SUFFIXES, *_COMPANIONS, "")
        is_secret = is_hidden(name)
        if left_out is not None and left_out in (inside / name).parents:
            continue
        if deep and not is_secret and path.is_symlink() and path.is_dir() and path.resolve() != left_out:
            links.append(name)
        if not is_wanted and (is_known or is_secret):
            continue
        if path.is_file() and is_wanted and not is_secret:
            found[name] = path
        elif path.is_file():
            (hidden if is_secret else unknown).append(name)
    files = FoundFiles(sorted(found.items()))
    kinds = Counter(Path(name).suffix.lower() for name in unknown)
    what = [(hidden, "hidden files"), (unknown, f"files of other kinds ({', '.join(sorted(kinds))})")]
    what += [(links, "folders that are links")]
    files.notes = tuple(_describe(folder, sorted(names), kind) for names, kind in what if names)
    return files


def find_spelled(path: Path) -> Path | None:
    """The file ``path``, also where its name is written with the same letters in another form of Unicode."""
    forms = (path.name, *(unicodedata.normalize(form, path.name) for form in ("NFC", "NFD")))
    return next((file for file in map(path.with_name, forms) if file.is_file()), None)


def _describe(folder: Path, names: Sequence[str], kind: str) -> str:
    more = ", …" if len(names) > _NAMED else ""
    return f"{folder}: {len(names):,} {kind} are left aside: {', '.join(names[:_NAMED])}{more}"

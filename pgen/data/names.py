"""Names of images: which photo is meant by a name in a list, a table or another folder."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from pgen.data.scan import PHOTO_SUFFIXES
from pgen.errors import InputError

_SUFFIXES = (*PHOTO_SUFFIXES, ".npy", ".json", ".txt")


def suggest_names(name: str, names: Iterable[str]) -> str:
    """``"; did you mean a, b?"`` with up to three of ``names`` that resemble ``name``, or an empty string."""
    found = difflib.get_close_matches(name, list(names), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(found)}?" if found else ""


def normalize_name(name: str) -> str:
    """``name`` in one form of Unicode: systems write é as one sign, or as two."""
    return unicodedata.normalize("NFC", name)


def strip_name(name: str) -> str:
    """``name`` without the suffixes of photos and their annotations."""
    while name.lower().endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    return name


class PhotoNames:
    """The names of a data set's photos: paths within their folder, with "/".

    Names elsewhere mean the photo of that very name; else the one of the same name without suffix; else the only one
    with the same file name, with suffix or without, unless both have folders, and other ones. Their form of Unicode
    does not matter. With ``key`` they mean the photo with the same key instead. ``where`` is what to call the photos in
    errors. Raises `InputError` if two photos have the same key.
    """

    def __init__(self, photos: Iterable[str], where: object, key: Callable[[str], str] | None = None) -> None:
        self.photos = dict.fromkeys(photos)
        self.where = where
        self._readings: tuple[Callable[[str], str], ...] = (
            (str, strip_name, _to_file, _to_bare) if key is None else (key,)
        )
        self._groups = [_group(self.photos, reading) for reading in self._readings]
        for group in self._groups[0].values():
            if len(group) > 1:
                raise InputError(
                    f"{where}: {group[0]} and {group[1]} have the same letters and digits, so that lists cannot keep "
                    "them apart; remove or rename one of them"
                )

    def find(self, name: str) -> str | None:
        """The photo that ``name`` means, or None. Raises `InputError` if it may be several."""
        if name in self.photos:
            return name
        for reading, groups in zip(self._readings, self._groups, strict=True):
            group = groups.get(reading(normalize_name(name)), [])
            if reading in (_to_file, _to_bare):
                group = [photo for photo in group if _is_in_same_folder(name, photo)]
            if len(group) == 1:
                return group[0]
            if len(group) > 1:
                raise InputError(f"{self.where}: {name!r} may mean {group[0]} or {group[1]}; write it with its folder")
        return None

    def match(self, others: Iterable[str], source: object) -> dict[str, str]:
        """The one of ``others``, names in ``source``, that belongs to each photo that has one.

        Raises `InputError` if two photos, or two of the others, would share one.
        """
        others = dict.fromkeys(others)
        matched: dict[str, str] = {}
        claimed: set[str] = set()
        for reading, groups in zip(self._readings, self._groups, strict=True):
            for value, names in _group(others, reading).items():
                photos = groups.get(value, [])
                free = [name for name in names if name not in claimed]
                lacking = [photo for photo in photos if photo not in matched]
                if not free or not lacking:
                    continue
                if len(names) == len(photos) == 1:
                    if reading in (_to_file, _to_bare) and not _is_in_same_folder(names[0], photos[0]):
                        continue
                    matched[lacking[0]] = free[0]
                    claimed.add(free[0])
                elif reading not in (_to_file, _to_bare) or not all("/" in name for name in (*free, *lacking)):
                    raise _explain_collision(photos, names, source)
        return matched


def _to_file(name: str) -> str:
    return PurePosixPath(name).name


def _to_bare(name: str) -> str:
    return PurePosixPath(strip_name(name)).name


def _is_in_same_folder(name: str, photo: str) -> bool:
    """Whether folders do not tell the names apart: as far as both of them have any, they are the same."""
    folders = [PurePosixPath(normalize_name(one)).parent.parts[::-1] for one in (name, photo)]
    return all(one == other for one, other in zip(*folders, strict=False))


def _group(names: Iterable[str], reading: Callable[[str], str]) -> Mapping[str, list[str]]:
    groups = defaultdict[str, list[str]](list)
    for name in names:
        groups[reading(normalize_name(name))].append(name)
    return groups


def _explain_collision(photos: list[str], others: list[str], source: object) -> InputError:
    if len(others) > 1:
        return InputError(f"{source}: {others[0]} and {others[1]} both belong to {photos[0]}; keep one of them")
    return InputError(
        f"{source}: {others[0]} may belong to {photos[0]} or {photos[1]}; give it the photo's whole name, or remove "
        "one of the photos"
    )

"""Who a folder's photos show, and which of the people are for testing, as the user says it."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from pgen.data.example import Split
from pgen.data.inputs import read_text
from pgen.data.names import PhotoNames
from pgen.data.readers.tree import ListedSplits
from pgen.errors import InputError

#: Says that photos in one folder show one person.
BY_FOLDER = "folder"


def find_people(spec: str | os.PathLike[str], names: PhotoNames) -> tuple[dict[str, str], tuple[str, ...]]:
    """Who is in each photo, as ``spec`` says, and what should be known of that.

    It is `BY_FOLDER`; a CSV file photo,person; or a regular expression whose one group is the person in a photo's name
    (its path within the folder, with "/"). Photos in no folder, or not in the CSV, show somebody each. Raises
    `InputError` if it is none of these, or does not fit the photos.
    """
    text = str(spec)  # a number, as synthetic people have it, is no pattern
    if text == BY_FOLDER:
        return {name: f"{PurePosixPath(name).parent}/" if "/" in name else name for name in names.photos}, ()
    if text.lower().endswith(".csv"):
        people, notes = _read_people(Path(text), names)
        return {name: name for name in names.photos} | people, notes
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InputError(f"{text} is no pattern: {error}", option="people") from None
    if pattern.groups != 1:
        remedy = f"give {BY_FOLDER!r}, a CSV file, or a pattern of names with one group in it"
        raise InputError(f"{text} says no people: {remedy}", option="people")
    found = {name: pattern.search(name) for name in names.photos}
    people = {name: match[1] for name, match in found.items() if match and match[1]}
    if without := next((name for name in found if name not in people), None):
        raise InputError(f"{text} says no person in the name {without}; give a pattern that fits all", option="people")
    return people, ()


def _read_people(path: Path, names: PhotoNames) -> tuple[dict[str, str], tuple[str, ...]]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(read_text(path, "a table of people").splitlines())]
    if not rows or [cell.lower() for cell in rows[0]] != ["photo", "person"]:
        raise InputError(f"{path} does not begin with the header photo,person", option="people")
    people: dict[str, str] = {}
    unknown: list[str] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        if len(row) != 2 or not all(row):
            raise InputError(f"{path}, row {number}: not of the form PHOTO,PERSON", option="people")
        photo = names.find(row[0])
        if photo is None:
            unknown.append(row[0])
        elif people.setdefault(photo, row[1]) != row[1]:
            raise InputError(f"{path}, row {number}: {photo} shows {people[photo]} by a row above", option="people")
    if not people:
        raise InputError(f"{path}: none of the names is a photo in {names.where}", option="people")
    where = f"{path}: {len(unknown)} of its names are no photos in {names.where}"
    return people, (f"{where}, such as {unknown[0]}",) if unknown else ()


def choose_tested(people: Mapping[str, str], share: float, seed: int) -> ListedSplits:
    """Splits of photos: all of a ``share`` of the ``people``, chosen by ``seed``, at least of one, are for testing."""
    everybody = sorted(set(people.values()))
    if not (math.isfinite(share) and 0 < share < 1):
        raise InputError(f"a share for testing is more than 0 and less than 1, not {share}", option="test_share")
    if len(everybody) < 2:
        raise InputError("all photos show one person; say who is who, or take no share for testing", option="people")
    count = min(max(1, round(share * len(everybody))), len(everybody) - 1)
    tested = set(np.random.default_rng(seed).permutation(everybody)[:count].tolist())
    splits: dict[str, Split] = {name: "test" if person in tested else "train" for name, person in people.items()}
    return ListedSplits(splits, notes=[f"{count} of {len(everybody)} people are for testing"])

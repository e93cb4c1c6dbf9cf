"""Controlled manipulation: a person's photo with another parsing map."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pgen.body.edits.registry import edit_parsing
from pgen.body.labels import Label
from pgen.body.viz import colorize_parsing
from pgen.data.formats.painted import read_painted
from pgen.data.formats.parsing import write_parsing
from pgen.errors import InputError
from pgen.inference.inpainting import inpaint_regions
from pgen.inference.inputs import ParsingLike, load_parsing
from pgen.inference.result import EditResult, resize_for_panel

if TYPE_CHECKING:
    from pathlib import Path

    from pgen.inference.person import Person


@dataclass(frozen=True)
class ManipulationResult(EditResult):
    """A person's photo with another map; ``parsing`` is the new one, ``pose`` the person's own."""

    changed: NDArray[np.bool_] = field(kw_only=True)  #: (H, W), where the map is not the photo's own any more

    def save_parsing(self, path: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the new map, as large as the photo, as a palette PNG.

        Raises `InputError` if ``path`` exists and not ``force``.
        """
        return write_parsing(path, self.person.of_photo(self.parsing), force)

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures: source, its map, the new map, result."""
        maps = (self.person.parsing, self.parsing)
        before, after = (
            resize_for_panel(colorize_parsing(labels), largest, Image.Resampling.NEAREST) for labels in maps
        )
        return [
            (f"source: {self.person.name}", resize_for_panel(self.person.image, largest)),
            ("its map", before),
            (self.target, after),
            ("result", resize_for_panel(self.image, largest)),
        ]


def manipulate_person(
    person: Person, edits: Mapping[str, str | float], parsing: ParsingLike | None = None
) -> ManipulationResult:
    """The person's photo after ``edits`` of its map, or with the map ``parsing``; see `Person.manipulate`."""
    if bool(edits) == (parsing is not None):
        raise InputError("give either edits or a parsing map, one of them")
    warnings: tuple[str, ...] = ()
    original, person = person, person.outlined
    if parsing is None:
        edited = edit_parsing(person.parsing, person.pose, edits)
        wanted, title = edited.parsing, " ".join(f"{name}={value}" for name, value in edits.items())
        warnings = tuple(f"{person.name}: {warning}" for warning in edited.warnings)
    else:
        given, title = _painted_map(original, parsing), "the new map"
        wanted = np.where(given == original.parsing, person.parsing, given)
    changed = wanted != person.parsing
    if not changed.any():
        warnings = (*warnings, f"{person.name}: {title} changes nothing that the photo shows")
    device = person.views.labels.device
    layout = torch.from_numpy(person.fit.parsing(wanted)).to(device).long()[None]
    return ManipulationResult(
        person=original,
        target=title,
        image=inpaint_regions(person, layout, wanted, stands_for=_stands_for(person.parsing, wanted)),
        parsing=wanted,
        pose=person.pose,
        warnings=warnings,
        changed=changed,
    )


def _stands_for(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> dict[Label, Label]:
    """Which label of ``before`` is the cloth of another in ``after``: of pants made a skirt, or of a skirt pants."""
    for old, new in ((Label.PANTS, Label.SKIRT), (Label.SKIRT, Label.PANTS)):
        if not (before == new).any() and not (after == old).any():
            return {old: new}
    return {}


def _painted_map(person: Person, parsing: ParsingLike) -> NDArray[np.uint8]:
    """The map that was given, of the part of the photo in use; it must be as large as that or as the photo.

    Raises `InputError`.
    """
    if isinstance(parsing, np.ndarray):
        labels, what = load_parsing(parsing)
    else:
        labels, what = read_painted(parsing), os.fspath(parsing)
    if labels.shape == person.fit.original:
        return labels
    size = person.photo.shape
    if labels.shape != size[:2]:
        raise InputError(
            f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width), and {person.name} "
            f"{size[0]}x{size[1]}; paint on the map that --save-parsing writes (Manipulated.save_parsing), at its size"
        )
    part = person.window.of(labels)
    if (labels != person.of_photo(part)).any():
        raise InputError(
            f"{what} has labels far from the person, where nothing is painted; use --no-crop (crop=False), or paint "
            "nearer to the person"
        )
    return part

"""Controlled manipulation: a person's photo with another parsing map."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.edits.registry import edit_parsing
from pgen.body.hidden_legs import place_hidden_legs
from pgen.body.labels import CLOTH_LABELS, Label
from pgen.body.limb_fields import torso_length
from pgen.data.formats.parsing import read_painted, write_parsing
from pgen.errors import InputError
from pgen.inference.inpainting import inpaint_regions
from pgen.inference.large_photos import put_into_photo
from pgen.inference.networks import Networks
from pgen.inference.parsing_maps import ParsingLike, load_parsing
from pgen.inference.person import Person
from pgen.inference.pixels import blending
from pgen.inference.rendering.background import has_patch_match
from pgen.inference.rendering.hair import HEAD_WIDTH, draw_head
from pgen.inference.rendering.resizing import resize, resize_mask
from pgen.inference.rendering.things import find_carried
from pgen.inference.result import EditResult, draw_panels

_NO_TEXTURE = (
    "what is new lacks the photo's texture; install pgen[photo] to have cloth and background go on as they are"
)
# So many pixels at hair's outline are mixed with what is behind it.
_HAIR_RIM = 2.0
# How soft the outline of new hair is, pixels.
_HAIR_SOFT = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class ManipulationResult(EditResult):
    """A person's photo with another map; ``parsing`` is the new one, ``pose`` the person's own."""

    def save_parsing(self, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
        """Write the new map, as large as the photo, as a palette PNG. Raises `InputError` as `save` does."""
        return write_parsing(path, self.person.expand_parsing(self.parsing), overwrite)

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures: source, its map, the new map, result."""
        pictures = {f"source: {self.person.name}": self.person.image, "its map": self.person.parsing}
        return draw_panels(pictures | {self.target: self.parsing, "result": self.image}, largest)


def manipulate_person(
    networks: Networks, person: Person, edits: Mapping[str, str | float], parsing: ParsingLike | None = None
) -> ManipulationResult:
    """The person's photo after ``edits`` of its map, or with the map ``parsing``; see `Predictor.manipulate`."""
    if bool(edits) == (parsing is not None):
        raise InputError("give either edits or a parsing map, one of them", option="edits")
    warnings: list[str] = []
    framed = networks.frame_reduced(person)
    small, before = framed.person, framed.person.parsing
    if parsing is None:
        after, assumed = edit_parsing(before, place_hidden_legs(small.pose, before), edits)
        after = np.where(find_carried(small), before, after)
        title = " ".join(f"{name}={value}" for name, value in edits.items())
        warnings += assumed
    else:
        given, title = _load_edited_map(person, parsing), "the new map"
        is_kept = resize_mask(given == person.parsing, before.shape, Image.Resampling.NEAREST)
        after = np.where(is_kept, before, resize(given, before.shape, Image.Resampling.NEAREST))
    if (after == before).all():
        warnings.append(f"{title} changes nothing that the photo shows")
    if not has_patch_match() and np.isin(after[after != before], (Label.BACKGROUND, *CLOTH_LABELS)).any():
        warnings.append(_NO_TEXTURE)
    labels = torch.from_numpy(framed.fit.parsing(after)).to(networks.device).long()[None]
    image = inpaint_regions(networks, framed, labels, after, stands_for=_match_cloth(before, after))
    image = _draw_new_hair(small, image, after)
    image, after, changed = put_into_photo(person, small, image, after)
    named = tuple(f"{person.name}: {warning}" for warning in warnings)
    return ManipulationResult(person, title, image, after, person.pose, named, changed=changed)


def _draw_new_hair(person: Person, image: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``image`` (H, W, 3) with strands, in the colors of the person's own hair, where only the map ``after`` has it."""
    hair = after == Label.HAIR
    new, own = hair & (person.parsing != Label.HAIR), blending.erode_region(person.parsing == Label.HAIR, _HAIR_RIM)
    if not new.any() or not own.any():
        return image
    drawn = draw_head(image, hair, new, own, HEAD_WIDTH * torso_length(person.pose), has_strands=True)
    share = np.maximum(ndimage.gaussian_filter(new.astype(np.float32), _HAIR_SOFT), new)[..., None]
    return np.rint(share * blending.nearest_fill(drawn, new) + (1 - share) * drawn).astype(np.uint8)


def _match_cloth(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> dict[Label, Label]:
    """Which label of ``before`` is the cloth of another in ``after``: of pants made a skirt, or of a skirt pants."""
    for old, new in ((Label.PANTS, Label.SKIRT), (Label.SKIRT, Label.PANTS)):
        if not (before == new).any() and not (after == old).any():
            return {old: new}
    return {}


def _load_edited_map(person: Person, parsing: ParsingLike) -> NDArray[np.uint8]:
    """The map that was given, of the part of the photo in use; it must be as large as that or as the photo."""
    if isinstance(parsing, str | os.PathLike):
        labels, what = read_painted(parsing), os.fspath(parsing)
    else:
        map_ = load_parsing(parsing)
        labels, what = map_.labels, map_.name
    if labels.shape == person.crop.size:
        return labels
    height, width = person.photo.shape[:2]
    if labels.shape != (height, width):
        raise InputError(
            f"{what} has {labels.shape[0]}x{labels.shape[1]} pixels (height x width), and {person.name} "
            f"{height}x{width}; paint on the map that was saved of this photo, at its size",
            option="parsing",
        )
    part = person.crop.of(labels)
    if (labels != person.expand_parsing(part)).any():
        raise InputError(
            f"{what} has labels far from the person, where nothing is painted; work on the whole photo, without "
            "cropping it, or paint nearer to the person",
            option="crop",
        )
    return part

"""Texture transfer: a person in the clothes of another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pgen.body.drawing import colour_parsing
from pgen.body.labels import LABELS, Label
from pgen.body.outlines import foreign_rim
from pgen.body.regions import reshaped
from pgen.errors import InputError
from pgen.models.inputs import Transfer, Views
from pgen.synthesis.repainting import carried, enlarged_map, enlargement, painted, repainted
from pgen.synthesis.result import Edited, shown
from pgen.synthesis.seams import continued, exchanged, interior, unmixed
from pgen.synthesis.shading import flattened, plainness, shaded, shading

if TYPE_CHECKING:
    from pgen.synthesis.person import Person

_LOWER = (Label.PANTS, Label.SKIRT)
#: What may be asked for, and the labels it means; of ``lower``, each photo has one or the other.
REGIONS: dict[str, tuple[Label, ...]] = {
    "upper": (Label.UPPER,),
    "pants": (Label.PANTS,),
    "skirt": (Label.SKIRT,),
    "hair": (Label.HAIR,),
    "lower": _LOWER,
    "all": (),
}
_NAMES = {Label.UPPER: "upper clothes", Label.PANTS: "pants", Label.SKIRT: "skirt", Label.HAIR: "hair"}

# A region with fewer pixels in the networks' frame, as a share of it, is not there.
_SMALLEST = 0.0008
# How many pixels of the frame the old garment mixes with its surroundings at the region's border.
_BORDER = 1.5


@dataclass(frozen=True)
class Dressed(Edited):
    """A person with regions of another photo; ``parsing`` is the result's map, ``pose`` the person's own."""

    clothes: Person = field(kw_only=True)

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures: clothes, person, map of the result, result."""
        return [
            (f"clothes: {self.clothes.name}", shown(self.clothes.image, largest)),
            (f"person: {self.person.name}", shown(self.person.image, largest)),
            ("parsing map", shown(colour_parsing(self.parsing), largest, Image.Resampling.NEAREST)),
            ("result", shown(self.image, largest)),
        ]


@dataclass(frozen=True)
class _Exchange:
    """One region: its label in the person's map, and in that of the clothes."""

    own: Label
    given: Label


def check_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """``regions``, if all of them are in `REGIONS`. Raises `InputError`."""
    for region in regions:
        if region not in REGIONS:
            raise InputError(f"region {region!r} is unknown; choose of {', '.join(REGIONS)}")
    if not regions:
        raise InputError(f"no region is named; choose of {', '.join(REGIONS)}")
    return tuple(regions)


def check_exchange(person: Person, clothes: Person, regions: Sequence[str]) -> None:
    """Raises `InputError` if ``regions`` of the two photos cannot be exchanged."""
    _exchanges(person, clothes, check_regions(regions))


def transfer_texture(person: Person, clothes: Person, regions: Sequence[str], shape: bool = False) -> Dressed:
    """The person with ``regions`` of the photo ``clothes``; see `Person.transfer_texture`."""
    exchanges = _exchanges(person, clothes, check_regions(regions))
    worn_by, given_by = person, clothes
    person, clothes = person.outlined, clothes.outlined
    source = clothes.views
    labels = source.labels.clone()
    for exchange in exchanges:
        # What is not the garment's, but counts as it, would be painted into the middle of the region.
        foreign = clothes.fit.parsing(foreign_rim(clothes.image, clothes.parsing, exchange.given).astype(np.uint8))
        labels[source.labels == exchange.given] = exchange.own
        labels[torch.from_numpy(foreign > 0).to(labels.device)[None]] = Label.BACKGROUND
    source = Views(source.images, labels, source.poses)
    own = [exchange.own for exchange in exchanges]
    before = person.views.labels[0].byte().cpu().numpy()
    layout, image, parsing = person.views.labels, person.image, person.parsing
    if shape:
        transfer = Transfer(source.poses, person.views.poses, person.fit.frame)
        predicted = person.generator.layouts(source, transfer)[0].byte().cpu().numpy()
        layout = torch.from_numpy(reshaped(before, predicted, own)).to(layout)[None]
        parsing = enlarged_map(person, layout[0].byte().cpu().numpy())
        image = repainted(person, layout, parsing, left=own)
    after = layout[0].byte().cpu().numpy()
    worn = painted(source, person, layout)
    shown = carried(source, person, layout)
    width = _BORDER * enlargement(person)
    for exchange in exchanges:
        label = exchange.own
        given = clothes.parsing == exchange.given
        plain = plainness(clothes.image, interior(given, _BORDER * enlargement(clothes)))
        old = person.parsing == label
        flat = unmixed(worn, after == label)
        if label != Label.HAIR:  # which is all fine light and shade
            flat = flattened(flat, plain)
        enlarged = person.fit.image_back(continued(flat, (after == label) & shown, after == label, plain))
        lit = shaded(enlarged, shading(person.image, interior(old, width)))
        image = exchanged(image, lit, parsing == label, old, width)
    return Dressed(
        person=worn_by,
        target=f"clothes of {clothes.name}",
        image=image,
        parsing=parsing,
        pose=person.pose,
        clothes=given_by,
    )


def _exchanges(person: Person, clothes: Person, regions: Sequence[str]) -> list[_Exchange]:
    """What is exchanged for what. Raises `InputError` where a photo does not show a region."""
    found: dict[Label, _Exchange] = {}
    if "all" in regions:
        for region in ("upper", "lower", "hair"):
            exchange = _exchange(person, clothes, REGIONS[region])
            if isinstance(exchange, _Exchange):
                found[exchange.own] = exchange
        if not found:
            raise InputError(f"{person.name} and {clothes.name} show no region both; choose other photos")
    for region in regions:
        if region == "all":
            continue
        exchange = _exchange(person, clothes, REGIONS[region])
        if not isinstance(exchange, _Exchange):
            remedy = "choose lower" if region in ("pants", "skirt") else "choose another region or photo"
            raise InputError(f"{exchange.name} shows no {_title(REGIONS[region])}; {remedy}")
        found[exchange.own] = exchange
    return list(found.values())


def _exchange(person: Person, clothes: Person, labels: Sequence[Label]) -> _Exchange | Person:
    """Which label is exchanged for which; the photo that shows none of ``labels`` if there is one."""
    chosen = []
    for one in (person, clothes):
        counts = {label: int((one.views.labels == label).sum()) for label in labels}
        label = max(counts, key=lambda label: counts[label])
        if counts[label] < _SMALLEST * one.views.labels[0].numel():
            return one
        chosen.append(label)
    return _Exchange(*chosen)


def _title(labels: Sequence[Label]) -> str:
    return " and no ".join(_NAMES.get(label, LABELS[label]) for label in labels)

"""Texture transfer: a person in the clothes of another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pgen.body.labels import LABELS, Label
from pgen.body.outlines import foreign_rim
from pgen.body.regions import reshaped
from pgen.body.viz import colour_parsing
from pgen.errors import InputError
from pgen.inference.inpainting import carried, enlarged_map, enlargement, painted, repainted
from pgen.inference.pixels.blending import continued, exchanged, held, interior, unmixed
from pgen.inference.pixels.shading import flattened, plainness, shaded, shading
from pgen.inference.result import Edited, shown
from pgen.models.inputs import Transfer, Views

if TYPE_CHECKING:
    from pgen.inference.person import Person

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
# Over which share of the frame's longer side H_A may not change the garment's mean colours.
_HELD = 0.03


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
    taker, giver = person.outlined, clothes.outlined
    source = _offered(giver, exchanges)
    own = [exchange.own for exchange in exchanges]
    layout, image, parsing = taker.views.labels, taker.image, taker.parsing
    if shape:
        transfer = Transfer(source.poses, taker.views.poses, taker.fit.frame)
        before, predicted = (
            labels[0].byte().cpu().numpy() for labels in (layout, taker.generator.layouts(source, transfer))
        )
        layout = torch.from_numpy(reshaped(before, predicted, own)).to(layout)[None]
        parsing = enlarged_map(taker, layout[0].byte().cpu().numpy())
        image = repainted(taker, layout, parsing, left=own)
    after = layout[0].byte().cpu().numpy()
    worn, (guide, shown) = painted(source, taker, layout), carried(source, taker, layout)
    for exchange in exchanges:
        given = interior(giver.parsing == exchange.given, _BORDER * enlargement(giver))
        plain, region = plainness(giver.image, given), after == exchange.own
        flat = unmixed(held(worn, guide, interior(region, 1) & shown, _HELD), region)
        if exchange.own != Label.HAIR:  # which is all fine light and shade
            flat = flattened(flat, plain)
        enlarged = taker.fit.image_back(continued(flat, region & shown, region, plain))
        old, width = taker.parsing == exchange.own, _BORDER * enlargement(taker)
        lit = shaded(enlarged, shading(taker.image, interior(old, width)))
        image = exchanged(image, lit, parsing == exchange.own, old, width)
    return Dressed(
        person=person,
        target=f"clothes of {clothes.name}",
        image=image,
        parsing=parsing,
        pose=person.pose,
        clothes=clothes,
    )


def _offered(giver: Person, exchanges: Sequence[_Exchange]) -> Views:
    """What H_A is shown of the clothes: their photo, with the person's labels in its map.

    What counts as the garment's at its outline but is nothing like it is left out: it would be painted into the middle
    of the region.
    """
    views, labels = giver.views, giver.views.labels.clone()
    for exchange in exchanges:
        foreign = foreign_rim(giver.image, giver.parsing, exchange.given)
        left_out = torch.from_numpy(giver.fit.parsing(foreign.astype(np.uint8)) > 0).to(labels.device)[None]
        labels[views.labels == exchange.given] = exchange.own
        labels[left_out] = Label.BACKGROUND
    return Views(views.images, labels, views.poses)


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

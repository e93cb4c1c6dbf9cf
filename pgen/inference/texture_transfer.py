"""Texture transfer: a person in the clothes of another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pgen.body.batch import PersonBatch
from pgen.body.labels import LABELS, Label
from pgen.body.outlines import find_foreign_rim
from pgen.body.regions import reshape_regions
from pgen.body.transfer import Transfer
from pgen.body.viz import colorize_parsing
from pgen.errors import InputError
from pgen.inference.inpainting import enlarge_map, enlargement_factor, inpaint_regions, paint_source, paste_source
from pgen.inference.pixels.blending import (
    continue_texture,
    erode_region,
    match_local_mean,
    replace_garment,
    unmix_borders,
)
from pgen.inference.pixels.shading import apply_shading, estimate_shading, flatten_shading, measure_plainness
from pgen.inference.result import EditResult, resize_for_panel

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
class TextureTransferResult(EditResult):
    """A person with regions of another photo; ``parsing`` is the result's map, ``pose`` the person's own."""

    clothes: Person = field(kw_only=True)

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures: clothes, person, map of the result, result."""
        return [
            (f"clothes: {self.clothes.name}", resize_for_panel(self.clothes.image, largest)),
            (f"person: {self.person.name}", resize_for_panel(self.person.image, largest)),
            ("parsing map", resize_for_panel(colorize_parsing(self.parsing), largest, Image.Resampling.NEAREST)),
            ("result", resize_for_panel(self.image, largest)),
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


def transfer_texture(
    person: Person, clothes: Person, regions: Sequence[str], shape: bool = False
) -> TextureTransferResult:
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
        layout = torch.from_numpy(reshape_regions(before, predicted, own)).to(layout)[None]
        parsing = enlarge_map(taker, layout[0].byte().cpu().numpy())
        image = inpaint_regions(taker, layout, parsing, left=own)
    after = layout[0].byte().cpu().numpy()
    worn, (guide, shown) = paint_source(source, taker, layout), paste_source(source, taker, layout)
    for exchange in exchanges:
        given = erode_region(giver.parsing == exchange.given, _BORDER * enlargement_factor(giver))
        plain, region = measure_plainness(giver.image, given), after == exchange.own
        flat = unmix_borders(match_local_mean(worn, guide, erode_region(region, 1) & shown, _HELD), region)
        if exchange.own != Label.HAIR:  # which is all fine light and shade
            flat = flatten_shading(flat, plain)
        enlarged = taker.fit.image_back(continue_texture(flat, region & shown, region, plain))
        old, width = taker.parsing == exchange.own, _BORDER * enlargement_factor(taker)
        lit = apply_shading(enlarged, estimate_shading(taker.image, erode_region(old, width)))
        image = replace_garment(image, lit, parsing == exchange.own, old, width)
    return TextureTransferResult(
        person=person,
        target=f"clothes of {clothes.name}",
        image=image,
        parsing=parsing,
        pose=person.pose,
        clothes=clothes,
    )


def _offered(giver: Person, exchanges: Sequence[_Exchange]) -> PersonBatch:
    """What H_A is shown of the clothes: their photo, with the person's labels in its map.

    What counts as the garment's at its outline but is nothing like it is left out: it would be painted into the middle
    of the region.
    """
    views, labels = giver.views, giver.views.labels.clone()
    for exchange in exchanges:
        foreign = find_foreign_rim(giver.image, giver.parsing, exchange.given)
        left_out = torch.from_numpy(giver.fit.parsing(foreign.astype(np.uint8)) > 0).to(labels.device)[None]
        labels[views.labels == exchange.given] = exchange.own
        labels[left_out] = Label.BACKGROUND
    return PersonBatch(views.images, labels, views.poses)


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

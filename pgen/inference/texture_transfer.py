"""Texture transfer: a person in the clothes of another photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.batch import PersonBatch, to_pictures
from pgen.body.crop import Letterbox
from pgen.body.labels import LABELS, Label
from pgen.body.outlines import find_foreign_rim
from pgen.body.regions import reshape_regions
from pgen.body.transfer import Transfer
from pgen.errors import InputError
from pgen.inference.inpainting import enlarge_map, inpaint_regions
from pgen.inference.networks import FramedPerson, Networks
from pgen.inference.person import Person
from pgen.inference.pixels.blending import (
    continue_texture,
    erode_region,
    match_local_mean,
    replace_garment,
    unmix_borders,
)
from pgen.inference.pixels.shading import apply_shading, estimate_shading, flatten_shading, measure_plainness
from pgen.inference.result import EditResult, draw_map_panel, resize_for_panel

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
# Over which share of the frame's longer side H_A may not change the garment's mean colors.
_COLOR_REACH = 0.03


@dataclass(frozen=True, eq=False, repr=False)
class TextureTransferResult(EditResult):
    """A person with regions of another photo; ``parsing`` is the result's map, ``pose`` the person's own."""

    clothes: Person = field(kw_only=True)

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures: clothes, person, map of the result, result."""
        return [
            (f"clothes: {self.clothes.name}", resize_for_panel(self.clothes.image, largest)),
            (f"person: {self.person.name}", resize_for_panel(self.person.image, largest)),
            ("parsing map", draw_map_panel(self.parsing, largest)),
            ("result", resize_for_panel(self.image, largest)),
        ]


@dataclass(frozen=True)
class _Exchange:
    """One region: its label in the person's map, and in that of the clothes."""

    worn: Label
    given: Label


def check_regions(regions: str | Sequence[str]) -> tuple[str, ...]:
    """``regions``, one or several, if all of them are in `REGIONS`. Raises `InputError`."""
    regions = (regions,) if isinstance(regions, str) else tuple(regions)
    for region in regions or ("",):
        if region not in REGIONS:
            problem = f"region {region!r} is unknown" if region else "no region is named"
            raise InputError(f"{problem}; choose of {', '.join(REGIONS)}", option="regions")
    return regions


def transfer_texture(
    networks: Networks, clothes: Person, person: Person, regions: str | Sequence[str], shape: bool = False
) -> TextureTransferResult:
    """``person`` with ``regions`` of the photo ``clothes``; see `Predictor.transfer_texture`."""
    exchanges = find_exchanges(networks, clothes, person, regions, shape)
    taker, giver = networks.frame_outlined(person), networks.frame_outlined(clothes)
    source = _prepare_clothes(giver, exchanges)
    transfer = Transfer(source.poses, taker.batch.poses, networks.frame)
    worn = [exchange.worn for exchange in exchanges]
    labels, image, parsing = taker.batch.labels, taker.person.image, taker.person.parsing
    if shape:
        predicted = networks.predict_maps(source, transfer)[0].byte().cpu().numpy()
        labels = torch.from_numpy(reshape_regions(taker.parsing, predicted, worn)).to(labels)[None]
        parsing = enlarge_map(taker, labels[0].byte().cpu().numpy())
        image = inpaint_regions(networks, taker, labels, parsing, unpainted=worn)
    after = labels[0].byte().cpu().numpy()
    paste = transfer.paste(source.images, source.labels, labels)
    painted = to_pictures(networks.paint(source, transfer, labels, paste))[0]
    guide, shown = to_pictures(paste.image)[0], np.asarray((paste.valid[0, 0] > 0.5).cpu().numpy())
    for exchange in exchanges:
        given = erode_region(giver.person.parsing == exchange.given, _BORDER * giver.enlargement)
        plain, region = measure_plainness(giver.person.image, given), after == exchange.worn
        known = erode_region(region, 1) & shown
        flat = unmix_borders(match_local_mean(painted, guide, known, _COLOR_REACH), region)
        if exchange.worn != Label.HAIR:  # which is all fine light and shade
            flat = flatten_shading(flat, plain)
        enlarged = taker.fit.image_back(continue_texture(flat, region & shown, region, plain))
        old, width = taker.person.parsing == exchange.worn, _BORDER * taker.enlargement
        lit = apply_shading(enlarged, estimate_shading(taker.person.image, erode_region(old, width)))
        image = replace_garment(image, lit, parsing == exchange.worn, old, width)
    return TextureTransferResult(
        person=person,
        target=f"clothes of {clothes.name}",
        image=image,
        parsing=parsing,
        pose=person.pose,
        clothes=clothes,
    )


def _prepare_clothes(giver: FramedPerson, exchanges: Sequence[_Exchange]) -> PersonBatch:
    """What H_A is shown of the clothes: their photo, with the person's labels in its map.

    What counts as the garment's at its outline but is nothing like it is left out: it would be painted into the middle
    of the region.
    """
    batch, labels = giver.batch, giver.batch.labels.clone()
    for exchange in exchanges:
        foreign = find_foreign_rim(giver.person.image, giver.person.parsing, exchange.given)
        left_out = torch.from_numpy(giver.fit.parsing(foreign.astype(np.uint8)) > 0).to(labels.device)[None]
        labels[batch.labels == exchange.given] = exchange.worn
        labels[left_out] = Label.BACKGROUND
    return PersonBatch(batch.images, labels, batch.poses)


def find_exchanges(
    networks: Networks, clothes: Person, person: Person, regions: str | Sequence[str], shape: bool
) -> list[_Exchange]:
    """What is exchanged for what. Raises `InputError` as `Predictor.transfer_texture` does."""
    if shape:
        networks.require_semantic("it predicts shapes; choose other weights", "weights")
    regions = check_regions(regions)
    found: dict[Label, _Exchange] = {}
    if "all" in regions:
        for region in ("upper", "lower", "hair"):
            exchange = _find_exchange(clothes, person, REGIONS[region], networks.frame)
            if isinstance(exchange, _Exchange):
                found[exchange.worn] = exchange
        if not found:
            raise InputError(f"{person.name} and {clothes.name} show no region both; choose other photos")
    for region in regions:
        if region == "all":
            continue
        exchange = _find_exchange(clothes, person, REGIONS[region], networks.frame)
        if not isinstance(exchange, _Exchange):
            missing = " and no ".join(_NAMES.get(label, LABELS[label]) for label in REGIONS[region])
            remedy = "choose lower" if region in ("pants", "skirt") else "choose another region or photo"
            raise InputError(f"{exchange.name} shows no {missing}; {remedy}", option="regions")
        found[exchange.worn] = exchange
    return list(found.values())


def _find_exchange(
    clothes: Person, person: Person, labels: Sequence[Label], frame: tuple[int, int]
) -> _Exchange | Person:
    """Which label is exchanged for which; the photo that shows none of ``labels`` if there is one."""
    chosen = []
    for one in (person, clothes):
        parsing = Letterbox.of(one.crop.size, frame).parsing(one.parsing)
        counts = {label: int((parsing == label).sum()) for label in labels}
        label = max(counts, key=lambda label: counts[label])
        if counts[label] < _SMALLEST * parsing.size:
            return one
        chosen.append(label)
    return _Exchange(*chosen)

"""Texture transfer: a person in the clothes of another photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.batch import PersonBatch, to_pictures
from pgen.body.crop import Letterbox
from pgen.body.foreign_rims import find_foreign_rim
from pgen.body.labels import LABELS, Label
from pgen.body.regions import reshape_regions
from pgen.body.transfer import Transfer
from pgen.errors import InputError
from pgen.inference.inpainting import enlarge_map, inpaint_regions
from pgen.inference.large_photos import put_into_photo
from pgen.inference.networks import FramedPerson, Networks
from pgen.inference.person import Person, check_person
from pgen.inference.pixels import blending
from pgen.inference.pixels.shading import apply_shading, estimate_shading, flatten_shading, measure_plainness
from pgen.inference.rendering.detail import add_detail, carry_detail
from pgen.inference.rendering.things import find_carried
from pgen.inference.result import EditResult, draw_panels

#: What may be asked for, and the labels it means; of ``lower``, each photo has one or the other.
REGIONS: dict[str, tuple[Label, ...]] = {
    "upper": (Label.UPPER,),
    "pants": (Label.PANTS,),
    "skirt": (Label.SKIRT,),
    "hair": (Label.HAIR,),
    "lower": (Label.PANTS, Label.SKIRT),
    "all": (),
}

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
        people = {"clothes": self.clothes, "person": self.person}
        pictures = {f"{role}: {one.name}": one.image for role, one in people.items()}
        return draw_panels(pictures | {"parsing map": self.parsing, "result": self.image}, largest)


def check_regions(regions: str | Sequence[str]) -> tuple[str, ...]:
    """``regions``, one or several, if all of them are in `REGIONS`. Raises `InputError`."""
    regions = (regions,) if isinstance(regions, str) else tuple(regions)
    for region in regions or ("",):
        if region not in REGIONS:
            problem = f"region {region!r} is unknown" if region else "no region is named"
            raise InputError(f"{problem}; choose one of {', '.join(REGIONS)}", option="regions")
    return regions


def transfer_texture(
    networks: Networks, clothes: Person, person: Person, regions: str | Sequence[str], shape: bool = False
) -> TextureTransferResult:
    """``person`` with ``regions`` of the photo ``clothes``; see `Predictor.transfer_texture`."""
    exchanges = find_exchanges(networks, clothes, person, regions, shape)
    taker, giver = networks.frame_reduced(person), networks.frame_reduced(clothes)
    source = _prepare_clothes(giver, exchanges)
    transfer = Transfer(source.poses, taker.batch.poses, networks.frame)
    worn = list(exchanges)
    labels, image, parsing = taker.batch.labels, taker.person.image, taker.person.parsing
    if shape:
        predicted = networks.predict_maps(source, transfer)[0].byte().cpu().numpy()
        reshaped, carried = reshape_regions(taker.parsing, predicted, worn), find_carried(taker.person)
        reshaped = np.where(taker.fit.parsing(carried.astype(np.uint8)) > 0, taker.parsing, reshaped)
        labels = torch.from_numpy(reshaped).to(labels)[None]
        parsing = np.where(carried, taker.person.parsing, enlarge_map(taker, reshaped))
        image = inpaint_regions(networks, taker, labels, parsing, unpainted=worn)
    after = labels[0].byte().cpu().numpy()
    paste = transfer.paste(source.images, source.labels, labels)
    painted = to_pictures(networks.paint(source, transfer, labels, paste))[0]
    guide, shown = to_pictures(paste.image)[0], np.asarray((paste.valid[0, 0] > 0.5).cpu().numpy())
    detail = carry_detail(giver, taker, parsing, exchanges)
    for label, given in exchanges.items():
        inner = blending.erode_region(giver.person.parsing == given, _BORDER * giver.enlargement)
        plain, region = measure_plainness(giver.person.image, inner), after == label
        known = blending.erode_region(region, 1) & shown
        flat = blending.unmix_borders(blending.match_local_mean(painted, guide, known, _COLOR_REACH), region)
        if label != Label.HAIR:  # which is all fine light and shade
            flat = flatten_shading(flat, plain)
        enlarged = taker.fit.image_back(blending.continue_texture(flat, region & shown, region, plain))
        old, width = taker.person.parsing == label, _BORDER * taker.enlargement
        lit = apply_shading(
            add_detail(enlarged, detail), estimate_shading(taker.person.image, blending.erode_region(old, width))
        )
        image = blending.replace_garment(image, lit, parsing == label, old, width)
    target = f"clothes of {clothes.name}"
    image, parsing, changed = put_into_photo(person, taker.person, image, parsing)
    return TextureTransferResult(person, target, image, parsing, person.pose, changed=changed, clothes=clothes)


def _prepare_clothes(giver: FramedPerson, exchanges: Mapping[Label, Label]) -> PersonBatch:
    """What H_A is shown of the clothes: their photo, with the person's labels in its map.

    What counts as the garment's at its outline but is nothing like it is left out: it would be painted into the middle
    of the region.
    """
    batch, labels = giver.batch, giver.batch.labels.clone()
    for worn, given in exchanges.items():
        foreign = find_foreign_rim(giver.person.image, giver.person.parsing, given)
        left_out = torch.from_numpy(giver.fit.parsing(foreign.astype(np.uint8)) > 0).to(labels.device)[None]
        labels[batch.labels == given] = worn
        labels[left_out] = Label.BACKGROUND
    return PersonBatch(batch.images, labels, batch.poses)


def find_exchanges(
    networks: Networks, clothes: Person, person: Person, regions: str | Sequence[str], shape: bool
) -> dict[Label, Label]:
    """What is exchanged: labels of the person's map, and those of the clothes that take their place.

    Raises `InputError` as `Predictor.transfer_texture` does.
    """
    check_person(clothes)
    check_person(person)
    if shape:
        networks.require_semantic("it predicts shapes; choose other weights", "weights")
    regions = check_regions(regions)
    named = [region for region in regions if region != "all"]
    found: dict[Label, Label] = {}
    for region in (*(("upper", "lower", "hair") if "all" in regions else ()), *named):
        worn, given = (_find_label(one, REGIONS[region], networks.frame) for one in (person, clothes))
        if worn is not None and given is not None:
            found[worn] = given
        elif region in named:
            lacking = person if worn is None else clothes
            missing = " and no ".join(LABELS[label] for label in REGIONS[region]).replace("upper", "upper clothes")
            remedy = "choose lower" if region in ("pants", "skirt") else "choose another region or photo"
            raise InputError(f"{lacking.name} shows no {missing}; {remedy}", option="regions")
    if not found:
        raise InputError(f"{person.name} and {clothes.name} show no region both; choose other photos")
    return found


def _find_label(person: Person, labels: Sequence[Label], frame: tuple[int, int]) -> Label | None:
    """The label of ``labels`` that the person shows most of; None if there is too little of all."""
    parsing = Letterbox.of(person.crop.size, frame).parsing(person.parsing)
    counts = [int((parsing == label).sum()) for label in labels]
    return labels[int(np.argmax(counts))] if max(counts) >= _SMALLEST * parsing.size else None

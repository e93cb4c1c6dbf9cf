"""A person's photo painted anew where its parsing map has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import find_boundaries
from torch import Tensor

from pgen.body.batch import PersonBatch, from_pictures, to_pictures
from pgen.body.labels import CLOTH_LABELS, LABEL_COUNT, SKIN_LABELS, Label
from pgen.body.paste import clean_background
from pgen.body.transfer import Transfer
from pgen.inference.networks import FramedPerson, Networks
from pgen.inference.person import Person
from pgen.inference.pixels import blending
from pgen.inference.pixels.blending import Mask, Picture
from pgen.inference.pixels.filling import extend_texture, find_bare_skin, spread_skin
from pgen.inference.pixels.shading import LIMB_SKIN, apply_shading, estimate_shading, measure_plainness, round_limb
from pgen.inference.rendering.background import fill_background, fill_from, has_patch_match
from pgen.inference.rendering.things import find_carried

# Over how many pixels of the networks' frame what is new fades into the photo, and how many beside it are mixed with
# what was there.
_FADE, _MIXED = 1.0, 1.5
# How soft new outlines are, in the same pixels; how many pixels show what color a label usually has, and how many what
# color skin has nearby.
_SOFT, _ENOUGH, _PLENTY = 0.5, 12, 40
# Over which share of the frame's longer side H_A may not change the mean colors of cloth, hair and background, and of
# skin.
_COLOR_REACH, _SKIN_COLOR_REACH = 0.008, 0.03
# Over which share of it light falls on a skirt that was on trouser legs, and how wide shade between them may be.
_ROUNDING, _BETWEEN = 0.03, 0.12
_BELOW = (Label.PANTS, Label.SKIRT, Label.L_LEG, Label.R_LEG)
# Seams of trousers differ from their color by more than this, and by so many times as much as the cloth usually does.
_SEAM = (12.0, 2.5)
# How far inside of its outline a label's look is taken from.
_INSIDE = 1.5
# Half the width of what is no more than a rest of a garment, in pixels of the networks' frame.
_SLIVER = 1.2


def inpaint_regions(
    networks: Networks,
    framed: FramedPerson,
    labels: Tensor,
    parsing: NDArray[np.uint8],
    unpainted: Sequence[Label] = (),
    stands_for: Mapping[Label, Label] | None = None,
) -> NDArray[np.uint8]:
    """The person's photo with another map, painted by H_A from the photo itself where the map has changed.

    Colors are matched to what the photo has of the same label, and what is new fades into it. Background is that which
    results stand before, and cloth goes on with its texture (`rendering.background`). More than four pixels of the
    networks' frame away, the result is exactly the photo.

    Args:
        labels: long (1, h, w), the new map in the networks' frame.
        parsing: uint8 (H, W), the same at the photo's size.
        unpainted: labels whose new pixels are left to be painted by something else.
        stands_for: labels of the photo's map that show what the new map calls by another label, such as pants of which
            a skirt is made.
    """
    person = framed.person
    wanted = (parsing != person.parsing) & ~np.isin(parsing, unpainted)
    if not wanted.any():
        return person.image.copy()
    shows = np.arange(LABEL_COUNT, dtype=np.uint8)
    for there, called in (stands_for or {}).items():
        shows[there] = called
    carried, fade = find_carried(person), _FADE * framed.enlargement
    new_labels = np.unique(parsing[wanted])
    picture = _paint(networks, framed, labels, parsing, shows, new_labels)
    if Label.BACKGROUND in new_labels:
        behind, empty = fill_background(person.image, person.extent), (parsing == Label.BACKGROUND) & ~carried
        picture[empty] = behind[empty]
    continued = _continue_cloth(framed, parsing, wanted, shows, carried, picture)
    # Maps are not exact to the pixel: what was there before may show a little beyond the change.
    around = ndimage.distance_transform_edt(~wanted) <= _MIXED * fade
    beside = (Label.BACKGROUND, *new_labels)
    is_kept = np.isin(parsing, unpainted) | carried
    wanted |= around & np.isin(parsing, beside) & (parsing == shows[person.parsing]) & ~is_kept
    painted = wanted & (parsing != Label.BACKGROUND) & ~continued
    matched = blending.match_borders(picture, person.image, parsing, painted, _find_pure(person, parsing, shows, fade))
    for label in LIMB_SKIN:
        new = wanted & (parsing == label) & (shows[person.parsing] != label)
        if new.any():
            matched[new] = apply_shading(matched[new][None], round_limb(parsing, label)[new][None])[0]
    result = blending.feather(person.image, matched, wanted, fade)
    # New outlines are as soft as a photo's.
    outline = wanted & (_measure_edge_distance(parsing) < 1.5 * fade)
    soft = ndimage.gaussian_filter(result.astype(np.float32), (_SOFT * fade, _SOFT * fade, 0))
    result[outline] = np.rint(soft[outline]).astype(np.uint8)
    return result


def _paint(
    networks: Networks,
    framed: FramedPerson,
    labels: Tensor,
    parsing: NDArray[np.uint8],
    shows: NDArray[np.uint8],
    new_labels: NDArray[np.uint8],
) -> Picture:
    """The photo (H, W, 3) with all of ``new_labels`` but the background as H_A paints them, in the photo's colors."""
    after = labels[0].byte().cpu().numpy()
    source = _prepare_source(framed, after, shows)
    transfer = Transfer(source.poses, framed.batch.poses, networks.frame)
    painted, guide = (to_pictures(images)[0] for images in (networks.paint(source, transfer, labels), source.images))
    picture = framed.person.image.copy()
    # Label by label, so that enlarging does not mix them.
    for label in new_labels[new_labels != Label.BACKGROUND]:
        here = after == label
        reach = _SKIN_COLOR_REACH if label in SKIN_LABELS else _COLOR_REACH
        matched = blending.match_local_mean(painted, guide, here, reach)
        of_label = framed.fit.image_back(blending.unmix_borders(matched, here))
        picture[parsing == label] = of_label[parsing == label]
    return picture


def _find_pure(person: Person, parsing: NDArray[np.uint8], shows: NDArray[np.uint8], fade: float) -> Mask:
    """Where (H, W) the photo shows what the new map calls for, away from outlines, which are mixtures; bare skin."""
    pure = _find_shown(person.parsing, parsing, shows)
    pure &= np.minimum(_measure_edge_distance(parsing), _measure_edge_distance(person.parsing)) > fade + 1
    skin = find_bare_skin(person.image, person.parsing, person.pose)
    for label in SKIN_LABELS:
        here = (parsing == label) & pure
        pure &= ~here | (skin & ((here & skin).sum() >= _PLENTY * fade**2))
    return pure


def _continue_cloth(
    framed: FramedPerson,
    parsing: NDArray[np.uint8],
    wanted: Mask,
    shows: NDArray[np.uint8],
    carried: Mask,
    picture: Picture,
) -> Mask:
    """Lay new cloth into ``picture`` (H, W, 3), with the texture and folds of what the photo shows of it.

    Where (H, W) it is; nowhere without PatchMatch.
    """
    person, inside = framed.person, _INSIDE * framed.enlargement
    image = person.image
    continued = np.zeros(parsing.shape, bool)
    if not has_patch_match():
        return continued
    covered = np.intersect1d(LIMB_SKIN, person.parsing[wanted & np.isin(parsing, CLOTH_LABELS)])
    light = _find_light(image, person.parsing, covered, inside)
    for label in CLOTH_LABELS:
        own = shows[person.parsing] == label
        seen = blending.erode_region(own & ~carried, inside)
        new = wanted & (parsing == label) & ~_find_shown(person.parsing, parsing, shows)
        if not new.any():
            continue
        shown, lit = image, light
        if label == Label.SKIRT and (person.parsing[new] == Label.PANTS).any():
            # Else two legs would be seen on it.
            folds = estimate_shading(image, seen)
            shown = apply_shading(image, 1 / folds)
            seen &= ~_find_seams(shown, seen)
            lit = _shade_cloth(np.ones_like(folds), folds, label, np.isin(person.parsing, _BELOW))
        filled = fill_from(shown, new & ~seen, seen)
        if filled is not shown:  # there is enough of it to go on
            picture[new] = apply_shading(filled, lit)[new]
            continued |= new
    return continued


def _find_seams(image: Picture, cloth: Mask) -> Mask:
    """Where (H, W) ``cloth`` (H, W) has colors that next to none of it has: seams, creases and holes."""
    if not cloth.any():
        return cloth
    away = np.abs(image.astype(np.float32) - np.median(image[cloth], axis=0)).max(axis=2)
    return np.asarray(cloth & (away > max(_SEAM[0], _SEAM[1] * float(np.median(away[cloth])))))


def _find_light(
    image: Picture, parsing: NDArray[np.uint8], labels: Iterable[int], inside: float
) -> NDArray[np.float32]:
    """Light and folds (H, W) of what ``parsing`` (H, W) shows of each of ``labels``, 1 elsewhere."""
    light = np.ones(parsing.shape, np.float32)
    for label in labels:
        here = parsing == label
        if here.any():
            light[here] = estimate_shading(image, blending.erode_region(here, inside))[here]
    return light


def _measure_edge_distance(parsing: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far each pixel (H, W) is from the nearest one with another label; infinite if there is none."""
    edges = find_boundaries(parsing)
    return np.asarray(ndimage.distance_transform_edt(~edges) + 1 if edges.any() else np.full(parsing.shape, np.inf))


def _prepare_source(framed: FramedPerson, after: NDArray[np.uint8], shows: NDArray[np.uint8]) -> PersonBatch:
    """What H_A is shown: the photo in the frame with the new map, new pixels as their label looks elsewhere.

    Without it, bare arms would shine through new sleeves: features of the photo reach the same place of the result.
    Light and shade stay those of what was there. Cloth and hair go on with their texture, skin in its usual color.
    """
    batch, before = framed.batch, framed.parsing
    pixels = to_pictures(batch.images)[0]
    source = shows[before]
    changed = before != after
    light = _find_light(pixels, before, np.unique(before[changed & (before != Label.BACKGROUND)]), 1)
    behind = to_pictures(clean_background(batch.images, batch.labels))[0]
    filled = pixels.copy()
    fresh = changed & ~_find_shown(before, after, shows)
    skin = find_bare_skin(pixels, before, batch.poses[0].cpu().numpy())
    # Beside what is new, the same label, and background, are mixed with what was there before.
    mixed = ~fresh & (shows[before] == after) & (ndimage.distance_transform_edt(~fresh) <= _MIXED)
    filled[mixed & (after == Label.BACKGROUND)] = behind[mixed & (after == Label.BACKGROUND)]
    for label in np.unique(after[fresh]):
        here = (fresh | mixed) & (after == label)
        if label == Label.BACKGROUND:
            filled[here] = behind[here]
            continue
        if label in SKIN_LABELS:
            # Of legs too little may be bare, and shoes count as legs: then all skin is looked at.
            for labels in ((label,), SKIN_LABELS):
                shown = skin & blending.erode_region(np.isin(before, labels), _INSIDE)
                if shown.sum() >= _ENOUGH:
                    filled[here] = np.rint(spread_skin(pixels, shown, light)[here]).astype(np.uint8)
                    break
            continue
        shown = blending.erode_region(source == label, _INSIDE)
        if shown.sum() < _ENOUGH:
            continue
        folds = estimate_shading(pixels, shown)
        texture = extend_texture(apply_shading(pixels, 1 / folds), shown)
        usual = np.median(pixels[shown], axis=0)
        # Texture of plain cloth is but seams and creases, which belong elsewhere.
        plain = measure_plainness(pixels, shown)
        looks = usual if texture is None else plain * usual + (1 - plain) * texture[here]
        lit = light if texture is None else _shade_cloth(light, folds, label, np.isin(before, _BELOW))
        filled[here] = np.rint(np.clip(looks * lit[here, None], 0, 255)).astype(np.uint8)
    new_labels = torch.from_numpy(after).to(batch.labels)[None]
    return PersonBatch(from_pictures(filled[None], batch.images.device), new_labels, batch.poses)


def _find_shown(before: NDArray[np.uint8], after: NDArray[np.uint8], shows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where (H, W) the photo shows what the new map calls for; two trouser legs are no skirt, though of one cloth."""
    return (shows[before] == after) & ~((after == Label.SKIRT) & (before == Label.PANTS))


def _shade_cloth(
    light: NDArray[np.float32], folds: NDArray[np.float32], label: int, below: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Light (H, W) on new cloth or hair: its ``folds``, carried on, on the roundness of what was there (``light``).

    ``below`` is where the photo shows what is worn below, and legs.
    """
    if label == Label.HAIR:  # hangs before it
        return folds
    if label == Label.SKIRT:  # hangs over both legs, and no shade between them
        longer = max(light.shape)
        there = blending.nearest_fill(light * folds, blending.erode_region(below, 1))
        closed = ndimage.grey_closing(there, max(3, round(_BETWEEN * longer)))
        over = ndimage.gaussian_filter(closed, _ROUNDING * longer)
        return np.asarray(over * np.median(there[below]) / np.median(over[below]), np.float32) if below.any() else over
    return light * folds


def enlarge_map(framed: FramedPerson, after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The map ``after`` (h, w) of the networks' frame at the photo's size; where it is unchanged, the photo's own.

    What is left of a label along the outline of what has changed, a pixel or two of the frame wide, goes with it.
    """
    labels, own = np.unique(after), framed.person.parsing
    # Each pixel takes the label that it has most of.
    smooth = labels[np.stack([_enlarge_mask(framed, after == label) for label in labels]).argmax(axis=0)]
    changed = _enlarge_mask(framed, framed.parsing != after) >= 128
    result, width = np.where(changed, smooth, own), _SLIVER * framed.enlargement
    for label in np.unique(own[changed]):
        lost, here = changed & (own == label), ~changed & (own == label)
        if label != Label.BACKGROUND and lost.any():
            whole = ndimage.distance_transform_edt(~blending.erode_region(here, width)) <= width
            sliver = here & ~whole & (ndimage.distance_transform_edt(~lost) <= 2 * width)
            result[sliver] = blending.nearest_fill(result, lost)[sliver]
    return result


def _enlarge_mask(framed: FramedPerson, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask of the frame at the photo's size, 0 to 255, with smooth outlines."""
    return np.asarray(framed.fit.image_back(np.repeat(mask[..., None] * np.uint8(255), 3, axis=2))[..., 0])

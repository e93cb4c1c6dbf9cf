"""Light and folds of the garment in a photo, given to the one that takes its place.

What H_A paints brings the pattern and colors of the other photo's garment, but light and folds of that other photo
too, warped along with them. Kept are the strong edges, which are the pattern; light and folds come from the person's
own garment, whose shape is the one that stays. On 50 held-out synthetic pairs this gains 0.1 of SSIM inside the region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.restoration import denoise_tv_chambolle

from pgen.body.labels import CLOTH_LABELS, Label
from pgen.inference.pixels.blending import Mask, Picture, nearest_fill

#: Limbs that may be bare.
LIMB_SKIN = (Label.L_ARM, Label.R_ARM, Label.L_LEG, Label.R_LEG)

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# Strength of the total variation filter on luminance, from 0 to 1, of plain and of patterned garments: what it takes
# away is light and folds, what it leaves is the pattern. Light and folds hardly change the tint.
_FLATTENING, _FLATTENING_PATTERN, _FLATTENING_TINT = 0.1, 0.04, 0.01
# Lace and prints differ from what is around them by more than folds do, over a distance too short for them: in
# logarithms of luminance, and as shares of the picture. Where there is much of it, hardly anything is taken away.
_FINE, _FINE_ACROSS, _FINE_AROUND, _FINE_ENOUGH, _FLATTENING_FINE = 0.3, 0.014, 0.012, 0.33, 0.01
# Light and folds change logarithms of luminance by no more, and the share of red, green and blue in a color by less.
_DARKEST, _BRIGHTEST, _TINT, _RANGE = -0.8, 0.5, 0.04, 0.6
# A garment is plain if nearly all of its pixels have one tint, and neighbours (as far apart as this share of the
# picture) nearly one brightness; it is patterned if fewer pixels do, or brightness varies more.
_SAME_TINT, _ROUGHNESS, _NEIGHBOURS = (0.75, 0.88), (0.24, 0.14), 0.02
# How bright a bare limb is along its middle; how much less at its outline, and beside a hem; half its width, and how
# far a hem's shade reaches, as shares of the picture's longer side.
_MIDDLE, _ROUND, _SHADE, _LIMB, _HEM = 1.06, 0.3, 0.2, 0.025, 0.012
# Over how many pixels of a frame of 100 light is carried beyond the old garment.
_SPREAD = 2.0


def flatten_shading(painted: Picture, plain: float) -> Picture:
    """``painted`` (H, W, 3) without light and folds, but with its pattern, lace and prints; ``plain`` as below."""
    colors = np.maximum(painted.astype(np.float32) / 255, 0.008)
    luminance = colors @ _LUMINANCE
    weight = plain * _FLATTENING + (1 - plain) * _FLATTENING_PATTERN
    tint = denoise_tv_chambolle(colors / luminance[..., None], weight=2 * _FLATTENING_TINT, channel_axis=2)
    smooth = tint * denoise_tv_chambolle(luminance, weight=weight)[..., None]
    # How much fine pattern there is around each pixel, from 0 to 1.
    longer, logarithm = max(luminance.shape), np.log(luminance)
    is_fine = np.abs(logarithm - ndimage.median_filter(logarithm, 2 * max(1, round(_FINE_ACROSS * longer)) + 1)) > _FINE
    share = ndimage.gaussian_filter(is_fine.astype(np.float32), _FINE_AROUND * longer)
    fine = np.asarray(np.clip(share / _FINE_ENOUGH, 0, 1), np.float32)[..., None]
    if fine.any():
        smooth += fine * (denoise_tv_chambolle(colors, weight=_FLATTENING_FINE, channel_axis=2) - smooth)
    return np.asarray(np.rint(np.clip(smooth, 0, 1) * 255).astype(np.uint8))


def measure_plainness(photo: Picture, inner: Mask) -> float:
    """1 for a garment of one color, 0 for a patterned one; ``photo`` (H, W, 3) shows it unmixed in ``inner``."""
    if not inner.any():
        return 0.0
    sigma = _NEIGHBOURS * max(inner.shape)
    ratio, foreign = _compare_to_garment(photo, inner)
    weight = ndimage.gaussian_filter(inner.astype(np.float32), sigma)
    around = ndimage.gaussian_filter(np.where(inner, ratio, 0).astype(np.float32), sigma) / np.maximum(weight, 1e-6)
    roughness = float((ratio - around)[inner].std())
    same = 1 - float(foreign[inner].mean())
    by_tint = (same - _SAME_TINT[0]) / (_SAME_TINT[1] - _SAME_TINT[0])
    by_roughness = (roughness - _ROUGHNESS[0]) / (_ROUGHNESS[1] - _ROUGHNESS[0])
    return float(np.clip(min(by_tint, by_roughness), 0, 1))


def estimate_shading(photo: Picture, inner: Mask) -> NDArray[np.float32]:
    """How much brighter each pixel (H, W) is than the garment on average, by light and folds; 1 on average.

    Taken from where ``photo`` (H, W, 3) shows the garment unmixed (``inner``), and carried on beyond, and over prints.
    All 1 where there is no such place or the garment is patterned.
    """
    strength = measure_plainness(photo, inner)
    if not strength:
        return np.ones(inner.shape, np.float32)
    ratio, foreign = _compare_to_garment(photo, inner)
    plain = inner & ~foreign
    near = nearest_fill(np.clip(ratio, _DARKEST, _BRIGHTEST) * strength, plain)
    far = ndimage.gaussian_filter(near, _SPREAD * max(inner.shape) / 100)
    is_near = ndimage.distance_transform_edt(~plain) <= 0.03 * max(inner.shape)
    return np.asarray(np.exp(np.where(is_near, near, far)), np.float32)


def _compare_to_garment(photo: Picture, inner: Mask) -> tuple[NDArray[np.float32], Mask]:
    """Logarithm of brightness against the garment's, and where neither light nor folds can explain the color."""
    tint, luminance = measure_tint(photo)
    ratio = luminance - np.median(luminance[inner])
    foreign = np.abs(tint - np.median(tint[inner], axis=0)).max(axis=2) > _TINT
    return ratio, foreign | (np.abs(ratio) > _RANGE)


def round_limb(parsing: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
    """How bright each pixel (H, W) of a bare limb of a map (H, W) is by its roundness, and in the shade of clothes.

    It is lightest along its middle; where it meets clothes, shoes or a hand it goes on below them.
    """
    longer = max(parsing.shape)
    limb, worn = parsing == label, np.isin(parsing, CLOTH_LABELS)
    depth = ndimage.distance_transform_edt(limb | worn)
    width = 2 * max(1, round(_LIMB * longer)) + 1
    half = ndimage.gaussian_filter(ndimage.maximum_filter(np.where(limb, depth, 0), width), width / 2)
    across = np.clip(1 - depth / np.maximum(half, 1), 0, 1)
    shade = np.exp(-ndimage.distance_transform_edt(~worn) / (_HEM * longer)) if worn.any() else 0
    return np.asarray(_MIDDLE - _ROUND * across**2 - _SHADE * shade, np.float32)


def measure_tint(photo: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares of red, green and blue in each color (H, W, 3), and the logarithm of its brightness (H, W)."""
    colors = photo.astype(np.float32)
    tint = colors / np.maximum(colors.sum(axis=2, keepdims=True), 12)
    return tint, np.log(np.maximum(colors @ _LUMINANCE, 4))


def apply_shading(painted: Picture, factor: NDArray[np.floating]) -> Picture:
    """``painted`` (H, W, 3) made brighter by ``factor`` (H, W)."""
    return np.rint(np.clip(painted * factor[..., None], 0, 255)).astype(np.uint8)

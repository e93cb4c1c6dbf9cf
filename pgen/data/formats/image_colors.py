"""Pictures of any kind as sRGB, and what of them that does not keep."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pgen.errors import InputError

_STRIP = 256  # rows of a picture that are converted at a time

#: The color spaces that profiles may be of, by Pillow's mode of their pictures.
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}

#: Colors (1, 729, 3) on which it is seen whether a profile is sRGB's, and by how much those of its profiles differ.
_PROBE = np.stack(np.meshgrid(*3 * [np.linspace(0, 255, 9, dtype=np.uint8)]), axis=-1).reshape(1, -1, 3)
_ROUNDING = 3


class DecodedPhoto(NamedTuple):
    """A photo of any kind in sRGB."""

    pixels: NDArray[np.uint8]  #: (H, W, 3), transparency laid over white
    notes: tuple[str, ...] = ()  #: what of it does not keep: other colors, 16 bits
    rgba: NDArray[np.uint8] | None = None  #: (H, W, 4), what it is before any background, if that is seen through it


def convert_to_srgb(image: Image.Image, name: str | os.PathLike[str]) -> DecodedPhoto:
    """``image`` in sRGB: grey repeated, CMYK converted. Raises `InputError` for 32 bits a channel."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        grey = np.clip((np.asarray(image).astype(np.float64) / 257.0).round(), 0, 255).astype(np.uint8)
        return DecodedPhoto(np.repeat(grey[..., None], 3, axis=2), ("16 bits are read as 8",))
    if image.mode in ("I", "F"):
        raise InputError(f"{name} has 32 bits a channel; convert it to 8 bits")
    frames = getattr(image, "n_frames", 1)
    notes = [f"the first of its {frames} frames is taken"] if frames > 1 else []
    is_transparent = image.has_transparency_data
    convert = _find_conversion(image)
    if convert is not _to_rgb:
        notes.append("its colors are converted to sRGB, as its profile says")
    pixels = np.empty((image.height, image.width, 4 if is_transparent else 3), np.uint8)
    for top in range(0, image.height, _STRIP):  # copies of the whole would be several times as large as it
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        if is_transparent:
            strip = strip.convert("RGBA")
            pixels[top : top + _STRIP, :, 3] = np.asarray(strip.getchannel("A"))
        pixels[top : top + _STRIP, :, :3] = np.asarray(convert(strip))
    if not is_transparent:
        return DecodedPhoto(pixels, tuple(notes))
    is_seen_through = bool((pixels[..., 3] < 255).any())
    return DecodedPhoto(lay_over_white(pixels), tuple(notes), pixels if is_seen_through else None)


def lay_over_white(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``image`` (H, W, 4) before white: (H, W, 3); without transparency, (H, W, 3), it is returned as it is."""
    if image.shape[2] == 3:
        return image
    over = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, len(image), _STRIP):
        strip = Image.fromarray(np.ascontiguousarray(image[top : top + _STRIP]))
        over[top : top + _STRIP] = np.asarray(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip))[
            ..., :3
        ]
    return over


def take_off_white(colors: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colors (..., 3) that, as opaque as ``alpha`` (...) of 0 to 255 says, give ``colors`` before white.

    Where nothing is seen of them, and where they are opaque, they stay as they are.
    """
    straight, partly = colors.copy(), (alpha > 0) & (alpha < 255)
    share = alpha[partly, None] / 255
    straight[partly] = np.rint(np.clip(255 - (255.0 - colors[partly]) / share, 0, 255))
    return straight


def _find_conversion(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What makes a strip of ``image`` sRGB: `_to_rgb`, unless its profile says that its colors are others."""
    mode = image.mode if image.mode in ("L", "CMYK") and not image.has_transparency_data else "RGB"
    with suppress(Exception):  # broken metadata does not make the pixels worse
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        if profile.profile.xcolor_space != _SPACES[mode]:
            return _to_rgb
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform: Any = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB", intent)
        probe = Image.fromarray(_PROBE).convert(mode)
        change = np.asarray(transform.apply(probe)).astype(int) - np.asarray(probe.convert("RGB"))
        if np.abs(change).max() > _ROUNDING:  # whatever it is called, and so that pixels of sRGB stay as they are
            return lambda strip: transform.apply(strip.convert(mode))
    return _to_rgb


def _to_rgb(strip: Image.Image) -> Image.Image:
    return strip.convert("RGB")

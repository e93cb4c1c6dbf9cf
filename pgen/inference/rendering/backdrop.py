"""What results stand before, as the user wants it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from pgen.data.formats.images import convert_picture, read_image
from pgen.errors import InputError
from pgen.inference.rendering.background import Picture
from pgen.inference.rendering.canvas import Canvas

#: What is said by a word.
CHOICES = ("keep", "fill", "transparent")


def read_backdrop(background: Any) -> Picture | str:
    """A picture (H, W, 3), one pixel for a color, or one of `CHOICES`.

    Raises `InputError` for what is neither word, color nor picture.
    """
    if isinstance(background, str) and background in CHOICES:
        return background
    if isinstance(background, str | os.PathLike):
        if isinstance(background, str) and not Path(background).exists():
            try:
                return np.array(ImageColor.getrgb(background)[:3], np.uint8)[None, None]
            except ValueError:
                words = ", ".join(CHOICES)
                raise InputError(
                    f"background {background!r} is no file and no color; give {words}, a color such as white or "
                    "#c0d0e0, or a picture",
                    option="background",
                ) from None
        return read_image(background)
    if isinstance(background, Image.Image):
        return convert_picture(background, "the background")[0]
    pixels = np.asarray(background)
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size:
        return pixels
    raise InputError("a background is a word, a color, or a picture (H, W, 3) of bytes", option="background")


def make_backdrop(background: Picture | str, canvas: Canvas) -> Picture:
    """What `read_backdrop` gave, (H, W, 3) at the size of ``canvas``; a picture covers it all, its middle is shown."""
    if isinstance(background, str):
        return {"keep": lambda: canvas.bare, "fill": lambda: canvas.clean}.get(background, lambda: canvas.image)()
    height, width = canvas.size
    if background.shape[:2] == (1, 1):
        return np.broadcast_to(background, canvas.image.shape).copy()
    scale = max(height / background.shape[0], width / background.shape[1])
    size = (max(height, round(background.shape[0] * scale)), max(width, round(background.shape[1] * scale)))
    covering = np.asarray(Image.fromarray(background).resize(size[::-1], Image.Resampling.LANCZOS))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return covering[top : top + height, left : left + width].copy()

"""What results stand before, as the user wants it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from pgen.data.formats.images import convert_picture, read_image
from pgen.errors import InputError
from pgen.inference.rendering.background import Picture
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.compose import Figure

#: What is said by a word.
CHOICES = ("auto", "fill", "keep", "transparent")


def read_backdrop(background: Any) -> Picture | str:
    """A picture (H, W, 3), one pixel for a color, or one of `CHOICES`.

    Raises `InputError` for what is neither word, color nor picture, and for a color that is not opaque.
    """
    if isinstance(background, str) and background in CHOICES:
        return background
    if isinstance(background, str | os.PathLike):
        if isinstance(background, str) and not Path(background).is_file():  # a folder may be called white
            try:
                color = ImageColor.getrgb(background)
            except ValueError:
                words = ", ".join(CHOICES)
                raise InputError(
                    f"background {background!r} is no file and no color; give {words}, a color such as white or "
                    "#c0d0e0, or a picture",
                    option="background",
                ) from None
            if color[3:] not in ((), (255,)):
                raise InputError(
                    f"background {background!r} is seen through; give a color without its alpha, or transparent",
                    option="background",
                )
            return np.array(color[:3], np.uint8)[None, None]
        return read_image(background)
    if isinstance(background, Image.Image):
        return convert_picture(background, "the background").pixels
    pixels = np.asarray(background)
    if pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size:
        return pixels
    raise InputError("a background is a word, a color, or a picture (H, W, 3) of bytes", option="background")


def is_none(background: Picture | str, canvas: Canvas) -> bool:
    """Whether results stand before nothing."""
    return isinstance(background, str) and (background == "transparent" or (background == "auto" and canvas.is_cut_out))


def make_alpha(background: Picture | str, canvas: Canvas, figure: Figure) -> NDArray[np.uint8] | None:
    """How opaque a result with ``figure`` is, (H, W); None: all of it."""
    if is_none(background, canvas):
        alpha = np.zeros(canvas.size, np.uint8)
    elif isinstance(background, str) and background == "auto" and canvas.alpha is not None:
        alpha = canvas.alpha.copy()
    else:
        return None
    opacity = (figure.opacity * 255).round().byte().numpy()
    alpha[figure.box] = np.maximum(alpha[figure.box], opacity)
    return alpha


def find_removed(background: Picture | str, canvas: Canvas) -> NDArray[np.bool_] | None:
    """Where (H, W) the photo's figure was taken out of what is behind; None if that is not the photo."""
    if not isinstance(background, str) or is_none(background, canvas):
        return None
    return canvas.find_removed(background == "keep")


def begin_backdrop(background: Picture | str, canvas: Canvas) -> None:
    """Begin with what of `make_backdrop` takes long."""
    if isinstance(background, str) and not is_none(background, canvas):
        canvas.fill(background == "keep")


def make_backdrop(background: Picture | str, canvas: Canvas) -> Picture:
    """What `read_backdrop` gave, (H, W, 3) at the size of ``canvas``; a picture covers it all, its middle is shown."""
    if isinstance(background, str):
        if is_none(background, canvas):
            return canvas.image
        return canvas.fill(background == "keep").result()
    height, width = canvas.size
    if background.shape[:2] == (1, 1):
        return np.broadcast_to(background, canvas.image.shape).copy()
    scale = max(height / background.shape[0], width / background.shape[1])
    left, top = (max(0.0, background.shape[axis] - canvas.size[axis] / scale) / 2 for axis in (1, 0))
    middle = (left, top, background.shape[1] - left, background.shape[0] - top)
    return np.array(Image.fromarray(background).resize((width, height), Image.Resampling.LANCZOS, middle))

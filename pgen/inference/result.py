"""A generated picture with what it was made from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.crop import Letterbox
from pgen.body.labels import Label
from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.data.formats.images import write_png

if TYPE_CHECKING:
    from pgen.inference.person import Person

# Over which part of the window's longer side a pasted result fades into the photo.
_EDGE = 0.02

# Photos with a smaller longer side, in pixels, are enlarged for the eye.
_SMALLEST = 256


@dataclass(frozen=True)
class Result:
    """A person in another pose; everything in the frame and size of the person's photo, or the part of it in use."""

    person: Person
    target: str  #: name of the target pose
    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    parsing: NDArray[np.uint8]  #: (H, W), label ids
    pose: NDArray[np.float32]  #: (18, 2), (x, y), NaN = missing
    warnings: tuple[str, ...] = ()  #: what had to be made up about the target pose

    def save(self, path: str | os.PathLike[str], force: bool = False, paste: bool = False) -> Path:
        """Write the image, or what `pasted` gives, as PNG.

        Raises `InputError` if ``path`` exists and not ``force``, or cannot be written.
        """
        return write_png(path, self.pasted() if paste else self.image, force)

    def pasted(self) -> NDArray[np.uint8]:
        """The whole photo with the result in it: uint8, as large as the photo.

        The photo's own pixels stay wherever neither the person was nor the result's person is, with a soft edge; where
        the person was and is not any more is what the networks painted.
        """
        body = (self.person.parsing != Label.BACKGROUND) | (self.parsing != Label.BACKGROUND)
        reach = max(1.0, _EDGE * max(self.parsing.shape))
        grown = ndimage.distance_transform_edt(~body) if body.any() else np.full(body.shape, np.inf)
        share = np.clip(1.5 - grown / reach, 0, 1)[..., None]
        photo = self.person.photo.copy()
        inside = self.person.window.of(photo)
        inside[:] = np.rint(share * self.image + (1 - share) * inside).astype(np.uint8)
        return photo

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures that tell how the result came about: source, pose, parsing map, result.

        The pictures' longer side is at most ``largest`` pixels.
        """
        size = (self.image.shape[0], self.image.shape[1])
        skeleton = panel_size(size, largest)
        return [
            (f"source: {self.person.name}", resize_for_panel(self.person.image, largest)),
            (f"pose: {self.target}", draw_skeleton(skeleton, Letterbox.of(size, skeleton).pose(self.pose))),
            ("parsing map", resize_for_panel(colorize_parsing(self.parsing), largest, Image.Resampling.NEAREST)),
            ("result", resize_for_panel(self.image, largest)),
        ]

    def sheet(self) -> NDArray[np.uint8]:
        """The panels side by side with captions: uint8 (height, width, 3)."""
        return draw_sheet([self.panels()])


@dataclass(frozen=True)
class EditResult(Result):
    """A person's own photo with something in it painted anew; all other pixels are the photo's."""

    def pasted(self) -> NDArray[np.uint8]:
        """The whole photo with the result in it: uint8, as large as the photo; what was not painted is exactly it."""
        photo = self.person.photo.copy()
        self.person.window.of(photo)[:] = self.image
        return photo


def resize_for_panel(
    picture: NDArray[np.uint8], largest: int, method: Image.Resampling = Image.Resampling.LANCZOS
) -> NDArray[np.uint8]:
    """``picture`` (H, W, 3) as a panel: its longer side at most ``largest``, small ones enlarged for the eye."""
    size = panel_size((picture.shape[0], picture.shape[1]), largest)
    return np.asarray(Image.fromarray(picture).resize(size[::-1], method))


def panel_size(size: tuple[int, int], largest: int) -> tuple[int, int]:
    """Height and width of the panel of a picture of ``size``."""
    scale = min(max(_SMALLEST, max(size)), largest) / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

"""A generated picture with what it was made from."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pgen.body.crop import Letterbox
from pgen.body.labels import Label
from pgen.body.viz import colorize_parsing, draw_sheet, draw_skeleton
from pgen.data.formats.image_colors import lay_over_white, take_off_white
from pgen.data.formats.images import write_image
from pgen.errors import InputError
from pgen.inference.person import ArrayData, Person

# Over which part of the crop's longer side a pasted result fades into the photo, from as far beyond what changes on:
# no less than backgrounds are filled.
_EDGE = 0.02
# Photos with a smaller longer side, in pixels, are enlarged for the eye.
_SMALLEST = 256


@dataclass(frozen=True, eq=False, repr=False)
class Result(ArrayData):
    """A person in another pose; everything in the frame of the person's photo, or the part of it in use.

    H and W are the size of that, or what it was scaled down to.

    A notebook shows the picture. Plain data: it can be kept, pickled and compared.

    >>> import numpy as np
    >>> import pgen
    >>> from pgen.body.crop import CropBox
    >>> photo, pose, parsing = np.zeros((64, 48, 3), np.uint8), np.zeros((18, 2)), np.zeros((64, 48), np.uint8)
    >>> person = pgen.Person("ann.jpg", photo, CropBox.whole((64, 48)), pose, parsing)
    >>> pgen.Result(person, "walk", photo + 1, parsing, pose)
    Result('ann.jpg', 'walk', 64x48)
    """

    person: Person
    target: str  #: name of the target pose
    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    parsing: NDArray[np.uint8]  #: (H, W), label ids
    pose: NDArray[np.float32]  #: (18, 2), (x, y), NaN = missing
    warnings: tuple[str, ...] = ()  #: what had to be made up about the target pose
    alpha: NDArray[np.uint8] | None = None  #: (H, W), how opaque each pixel is, of results before no background
    #: (H, W), where the photo's person was taken out of the background, with all that is worn and carried; None: all of
    #: the picture is painted, or its background is another
    removed: NDArray[np.bool_] | None = None
    is_before_other: bool = False  #: whether the background is a color or a picture in place of the photo's

    def __repr__(self) -> str:
        height, width = self.parsing.shape
        return f"{type(self).__name__}({self.person.name!r}, {self.target!r}, {height}x{width})"

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self._with_alpha()).save(file, format="PNG")
        return file.getvalue()

    def save(self, path: str | os.PathLike[str], overwrite: bool = False, paste: bool = False) -> Path:
        """Write the image, or what `pasted` gives, as the suffix says: .png, .jpg, .jpeg or .webp; whole or not at all.

        Raises `InputError` if ``path`` exists and not ``overwrite``, has another suffix, or cannot be written, and as
        `pasted` does.
        """
        return write_image(path, self.pasted() if paste else self._with_alpha(), overwrite)

    def before_white(self, paste: bool = False) -> NDArray[np.uint8]:
        """What `save` writes, (H, W, 3): results before no background are laid over white."""
        return lay_over_white(self.pasted() if paste else self._with_alpha())

    def pasted(self) -> NDArray[np.uint8]:
        """The whole photo with the result in it: uint8, as large as the photo, with 4 channels if it is transparent.

        The photo's own pixels stay wherever neither the person was nor the result's person is, with a soft edge; where
        the person was and is not any more is what the networks painted. Of results before no background, what is
        around the part of the photo in use is transparent, as far as the photo itself is.

        Raises `InputError` for results before a color or another picture, which the photo around them has not.
        """
        if self.is_before_other:
            raise InputError(
                f"{self.person.name}: a result in the whole photo has the photo's background; leave the other out",
                option="background",
            )
        if self.alpha is not None:
            shape, rgba = self.person.photo.shape, self.person.rgba
            whole = np.zeros((*shape[:2], 4), np.uint8) if rgba is None else rgba.copy()
            self.person.crop.of(whole)[:] = _fit(self._with_alpha(), self.person.crop.size)
            return whole
        if self.removed is None:
            old = self.person.extent
        elif self.removed.shape == self.person.crop.size:  # away from what changes, the picture is the photo already
            return self._paste_into_photo(self.image)
        else:
            old = _fit(self.removed.astype(np.uint8), self.person.crop.size).astype(bool)
        body = old | _fit((self.parsing != Label.BACKGROUND).astype(np.uint8), old.shape).astype(bool)
        reach = max(1.0, _EDGE * max(body.shape))
        away = ndimage.distance_transform_edt(~body) if body.any() else np.full(body.shape, np.inf)
        share = np.clip(2 - away / reach, 0, 1)[..., None]
        mixed = share * _fit(self.image, body.shape) + (1 - share) * self.person.image
        return self._paste_into_photo(np.rint(mixed).astype(np.uint8))

    def panels(self, largest: int = 512) -> list[tuple[str, NDArray[np.uint8]]]:
        """Captions and pictures of how the result came about: source, pose, parsing map, result.

        The pictures' longer side is at most ``largest`` pixels.
        """
        size = (self.parsing.shape[0], self.parsing.shape[1])
        panel = _find_panel_size(size, largest)
        skeleton = draw_skeleton(panel, Letterbox.of(size, panel).pose(self.pose))
        pictures = {f"source: {self.person.name}": self.person.image, f"pose: {self.target}": skeleton}
        return draw_panels(pictures | {"parsing map": self.parsing, "result": self.before_white()}, largest)

    def sheet(self) -> NDArray[np.uint8]:
        """The panels side by side with captions: uint8 (height, width, 3)."""
        return draw_sheet([self.panels()])

    def _paste_into_photo(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        photo = self.person.photo.copy()
        self.person.crop.of(photo)[:] = image
        return photo

    def _with_alpha(self) -> NDArray[np.uint8]:
        return self.image if self.alpha is None else np.dstack([self.image, self.alpha])


@dataclass(frozen=True, eq=False, repr=False)
class EditResult(Result):
    """A person's own photo with something in it painted anew; all other pixels are the photo's.

    So is their transparency: ``image`` is laid over white, and what is written is not.
    """

    changed: NDArray[np.bool_] = field(kw_only=True)  #: (H, W), where the map is not the photo's own any more

    def pasted(self) -> NDArray[np.uint8]:
        """The whole photo with the result in it: uint8, as large as the photo; what was not painted is exactly it."""
        if self.person.rgba is None:
            return self._paste_into_photo(self.image)
        whole = self.person.rgba.copy()
        self.person.crop.of(whole)[:] = self._with_alpha()
        return whole

    def _with_alpha(self) -> NDArray[np.uint8]:
        if self.person.rgba is None:
            return self.image
        rgba = self.person.crop.of(self.person.rgba).copy()
        is_figure, alpha = self.parsing != Label.BACKGROUND, rgba[..., 3]
        opened = self.changed & is_figure & (alpha < 128)
        alpha[opened] = 255
        if self.person.is_cut_out:
            alpha[self.changed & ~is_figure] = 0
        # Where nothing was seen before, the photo's own color is any; what was painted there may be white too.
        painted = ((self.image != self.person.image).any(axis=2) | opened) & (alpha > 0)
        rgba[painted, :3] = take_off_white(self.image[painted], alpha[painted])
        return rgba


def draw_panels(pictures: Mapping[str, NDArray[np.uint8]], largest: int) -> list[tuple[str, NDArray[np.uint8]]]:
    """Captions and panels of pictures (H, W, 3) and maps (H, W), which are drawn in colors."""
    panels = []
    for caption, picture in pictures.items():
        is_map = picture.ndim == 2
        shown = Image.fromarray(colorize_parsing(picture) if is_map else picture)
        size = _find_panel_size((picture.shape[0], picture.shape[1]), largest)
        method = Image.Resampling.NEAREST if is_map else Image.Resampling.LANCZOS
        panels.append((caption, np.asarray(shown.resize(size[::-1], method))))
    return panels


def _fit(picture: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """``picture`` (h, w, ...) at ``size`` (height, width)."""
    if picture.shape[:2] == size[:2]:
        return picture
    method = Image.Resampling.LANCZOS if picture.ndim == 3 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0]), method))


def _find_panel_size(size: tuple[int, int], largest: int) -> tuple[int, int]:
    scale = min(max(_SMALLEST, max(size)), largest) / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))

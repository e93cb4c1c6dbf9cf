"""Photos in, pictures out."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.data.formats.image_colors import DecodedPhoto, convert_to_srgb
from pgen.data.inputs import read_bytes
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

MAX_PIXELS = 64_000_000

#: Formats that hold photos. Others that Pillow knows are left out: some start programs to be read (EPS).
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "MPO", "AVIF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\x00", b"MM\x00*", b"GIF8", b"P5\n", b"P6\n")

#: What undoes each value of the EXIF tag "orientation".
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The photo in ``path``: uint8 (H, W, 3) RGB, upright (EXIF rotation applied).

    Colors of another profile are converted to sRGB, transparency is laid over white, grey repeated, CMYK converted, 16
    bits scaled to 8, and of an animation the first frame is taken. Raises `InputError` for anything that is no readable
    photo of at most 64 megapixels.
    """
    return read_photo(path).pixels


def read_photo(path: str | os.PathLike[str]) -> DecodedPhoto:
    """The same, with its transparency, and what of the photo that does not keep, a note each."""
    return decode_photo(read_bytes(path, "an image"), path)


def decode_photo(data: bytes, name: str | os.PathLike[str]) -> DecodedPhoto:
    """The same of ``data``, the bytes of a file that messages call ``name``."""
    with decode_image(data, name) as image:
        return convert_picture(image, name)


def convert_picture(image: Image.Image, name: str | os.PathLike[str]) -> DecodedPhoto:
    """The same of a picture that Pillow has opened."""
    turn = None
    with suppress(Exception):  # broken metadata does not make the pixels worse
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION_TAG, 1))
    with _explain_damage(name):
        return convert_to_srgb(image if turn is None else _turn(image, turn), name)


def _turn(image: Image.Image, turn: Image.Transpose) -> Image.Image:
    turned = image.transpose(turn)
    turned.format = image.format
    return turned


def decode_image(data: bytes, path: str | os.PathLike[str]) -> Image.Image:
    """Decode ``data``, the bytes of ``path``, as it is stored: any Pillow mode, not rotated.

    Raises `InputError` if it is no complete image of at most 64 megapixels in a known format.
    """
    Image.init()
    with _explain_damage(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, much larger limit, and remarks on metadata
        image = Image.open(io.BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN])
        if image.width * image.height > MAX_PIXELS:
            raise InputError(
                f"{path} has {image.width}x{image.height} pixels, more than {MAX_PIXELS // 10**6} "
                "megapixels; scale it down"
            )
        image.load()
        return image


def looks_like_image(data: bytes) -> bool:
    """Whether a file that begins with ``data`` (16 bytes are enough) holds an image."""
    return data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or data[4:8] == b"ftyp"


#: How pictures are written, by suffix, and with what options of Pillow's.
_WRITERS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "quality": 95},
}
PICTURE_SUFFIXES = tuple(_WRITERS)


def check_picture_suffix(path: str | os.PathLike[str], option: str | None = None) -> None:
    """Raises `InputError`, about the parameter ``option``, if `write_image` does not write files called like this."""
    if Path(path).suffix.lower() not in PICTURE_SUFFIXES:
        name = Path(path).stem or "out"
        raise InputError(
            f"{path}: pictures are written as PNG, JPEG or WebP; name it {name}.png, {name}.jpg or {name}.webp",
            option=option,
        )


def write_image(path: str | os.PathLike[str], image: NDArray[np.uint8], overwrite: bool = False) -> Path:
    """Write ``image``, uint8 (H, W, 3) RGB or (H, W, 4) RGBA, as its suffix says: PNG, JPEG (.jpg, .jpeg) or WebP.

    Raises `InputError` for other suffixes, for transparency in a JPEG, and as `atomic_write` does.
    """
    check_picture_suffix(path)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
        raise ValueError(f"an image is uint8 (H, W, 3) or (H, W, 4), not {image.dtype} {image.shape}")
    if image.shape[2] == 4 and _WRITERS[Path(path).suffix.lower()]["format"] == "JPEG":
        raise InputError(f"{path}: a JPEG cannot be transparent; name it {Path(path).stem}.png or .webp", option="out")
    with atomic_write(path, overwrite) as aside:
        Image.fromarray(np.ascontiguousarray(image)).save(aside, **_WRITERS[Path(path).suffix.lower()])
    return Path(path)


@contextmanager
def _explain_damage(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise InputError(
            f"{path} is not an image that can be read; give a JPEG, PNG, WebP, TIFF, BMP or GIF"
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has more than {MAX_PIXELS // 10**6} megapixels; scale it down") from error
    except Exception as error:  # decoders raise nearly anything for damaged bytes
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} is damaged or cut short ({reason}); get a whole copy of it") from error

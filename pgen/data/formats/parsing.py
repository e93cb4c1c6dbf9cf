"""Parsing maps in files: NumPy arrays, PNG, or an entry of a store."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pgen.body.labels import LABEL_COUNT, LABELS, PALETTE
from pgen.data.formats.annotation_files import ESTIMATED, SOURCE
from pgen.data.formats.images import MAX_PIXELS, decode_image, looks_like_image
from pgen.data.formats.matlab import looks_like_matlab, read_label_matrix
from pgen.data.formats.parsing_merge import merge_labels
from pgen.data.formats.parsing_schemes import DEFAULT_SCHEME, ParsingScheme, load_scheme
from pgen.data.inputs import read_bytes, split_spec
from pgen.data.store import Store, is_hdf5
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

_KIND = "a parsing map (.npy, .png or .mat)"
_SPREAD = {2: 85, 4: 17}  # what values of so many bits are multiplied by where they are read as if of 8

#: The colours to paint with, by label, as paint programs take them.
COLOURS: dict[str, str] = {
    label: "#{:02x}{:02x}{:02x}".format(*(int(value) for value in colour))
    for label, colour in zip(LABELS, PALETTE, strict=True)
}


def read_parsing(
    spec: str | os.PathLike[str], scheme: ParsingScheme | None = None, pose: NDArray[np.floating] | None = None
) -> NDArray[np.uint8]:
    """The parsing map that ``spec`` names: uint8 (H, W), label ids 0-9.

    ``spec`` is a file as `read_label_ids` takes it, or ``FILE.h5:NAME``, the map of an image in a store. Files hold
    ids of ``scheme`` (default: the ten labels themselves); ``pose``, (18, 2) in pixels of the map, decides where the
    scheme needs it. Raises `InputError` for anything else, and names ids that are out of range.
    """
    path, name = split_spec(spec)
    if is_hdf5(path):
        if name is None:
            raise InputError(f"{path} is a store: name one of its images, {path}:NAME")
        with Store(path) as store:
            return store.parsing(store.find(name))
    if name is not None:
        raise InputError(f"{spec} does not exist ({path} does, but it is not a store with entries)")
    ids = read_label_ids(path, scheme)
    if scheme is None or scheme.name == DEFAULT_SCHEME:
        bad = np.unique(ids[(ids < 0) | (ids >= LABEL_COUNT)])
        if bad.size:
            shown = ", ".join(map(str, bad[:8])) + (", …" if bad.size > 8 else "")
            raise InputError(f"{path} has label ids {shown}; a parsing map has 0 to {LABEL_COUNT - 1}, one a pixel")
        return ids.astype(np.uint8)
    try:
        return merge_labels(ids, scheme, pose)
    except InputError as error:
        raise InputError(f"{path} has {error}") from None


def read_painted(spec: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """A map as `write_parsing` wrote it and a paint program saved it: uint8 (H, W), label ids 0-9.

    Of a PNG in colour, with a palette or without, every pixel must have the colour of a label, whatever the program
    has made of the palette. Grey PNG, NumPy files and entries of stores are read as `read_parsing` does.

    Raises:
        InputError: it cannot be read, or has other colours; one of them is named, with its place.
    """
    path, entry = split_spec(spec)
    if entry is not None or is_hdf5(path):
        return read_parsing(spec)
    data = read_bytes(path, _KIND)
    if not looks_like_image(data[:16]):
        return read_parsing(spec)
    image = decode_image(data, path)
    if image.format in ("JPEG", "MPO") or image.mode not in ("P", "PA", "RGB", "RGBA"):
        return read_parsing(spec)
    return _find_labels(np.asarray(image.convert("RGBA")), path)


def read_label_ids(path: str | os.PathLike[str], scheme: ParsingScheme | None = None) -> NDArray[np.integer]:
    """What the file ``path`` holds, integers (H, W), whether ``scheme`` has such ids or not.

    The file is one of

    - a NumPy file: 2-D, any integer type, values are ids;
    - a MATLAB file (up to version 7) with one matrix of whole numbers, whatever its name: values are ids;
    - a palette PNG: indices are ids, unless all colours used are those of one of the scheme's palettes (in whatever
      order an editor has left them), then the colours count;
    - a grey PNG: values are ids;
    - an RGB PNG whose colours are exactly those of one of the scheme's palettes.

    Raises `InputError` for anything else.
    """
    path = Path(path)
    scheme = scheme or load_scheme()
    data = read_bytes(path, _KIND)
    if data.startswith(npy_format.MAGIC_PREFIX):
        return _from_npy(data, path)
    if looks_like_image(data[:16]):
        return _from_image(data, path, scheme)
    if looks_like_matlab(data):
        return read_label_matrix(data, path)
    raise InputError(f"{path} is not {_KIND}")


def write_parsing(
    path: str | os.PathLike[str], parsing: NDArray[np.uint8], overwrite: bool = False, estimated_by: str | None = None
) -> Path:
    """Write ``parsing``, uint8 (H, W) of ids 0-9, as a palette PNG in the colours of `PALETTE`.

    It says what it was ``estimated_by``.
    """
    if parsing.dtype != np.uint8 or parsing.ndim != 2 or parsing.max(initial=0) >= LABEL_COUNT:
        raise ValueError(f"a parsing map is uint8 (H, W) of ids below {LABEL_COUNT}")
    image = Image.fromarray(np.ascontiguousarray(parsing))
    image.putpalette(PALETTE.tobytes())
    with atomic_write(path, overwrite) as aside:
        info = PngInfo()
        if estimated_by is not None:
            info.add_text(SOURCE, f"{ESTIMATED} {estimated_by}")
        image.save(aside, format="PNG", pnginfo=info)
    return Path(path)


def _find_labels(pixels: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """Label ids (H, W) of RGBA ``pixels`` (H, W, 4)."""
    labels = np.full(pixels.shape[:2], LABEL_COUNT, np.uint8)
    for label, colour in enumerate(PALETTE):
        labels[(pixels == (*colour, 255)).all(axis=2)] = label
    foreign = labels == LABEL_COUNT
    if foreign.any():
        y, x = (int(place[0]) for place in np.nonzero(foreign))
        red, green, blue, opaque = (int(value) for value in pixels[y, x])
        kind = f"the colour #{red:02x}{green:02x}{blue:02x}" if opaque == 255 else "transparency"
        raise InputError(
            f"{path} has {int(foreign.sum())} pixels whose colour is no label's, such as {kind} at x {x}, y {y}; "
            "paint with the colours of the map that was saved, with a brush without soft edges"
        )
    return labels


def _from_npy(data: bytes, path: Path) -> NDArray[np.integer]:
    stream = io.BytesIO(data)
    try:
        # The header is read first: it may claim a size that does not fit the memory.
        is_first = npy_format.read_magic(stream)[0] == 1
        read_header = npy_format.read_array_header_1_0 if is_first else npy_format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    except Exception as error:
        raise InputError(f"{path} is a damaged NumPy file; write it again") from error
    if not np.issubdtype(dtype, np.integer):
        raise InputError(f"{path} holds {dtype}, not integers; a parsing map is an integer array of label ids")
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"{path} has the shape {shape}; a parsing map is (height, width)")
    if shape[0] * shape[1] > MAX_PIXELS:
        raise InputError(f"{path} has the shape {shape}, more than {MAX_PIXELS // 10**6} megapixels")
    if len(data) - stream.tell() < shape[0] * shape[1] * dtype.itemsize:
        raise InputError(f"{path} is cut short; get a whole copy of it")
    stream.seek(0)
    try:
        return np.load(stream, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is a damaged NumPy file; write it again") from error


def _from_image(data: bytes, path: Path, scheme: ParsingScheme) -> NDArray[np.integer]:
    image = decode_image(data, path)
    if image.format in ("JPEG", "MPO"):
        raise InputError(f"{path} is a JPEG, which blurs labels; save the parsing map as PNG")
    if image.mode == "P":
        indices = np.asarray(image)
        colours = _readings(np.asarray(image.convert("RGB")), scheme)
        if not colours or any(np.array_equal(indices, reading) for reading in colours):
            return indices
        return _choose(colours, scheme, path)
    if image.mode in ("L", "I") or image.mode.startswith("I;16"):
        # Grey PNGs of 2 or 4 bits are read as if of 8: white stays white. In the 25th byte is how many they have.
        spread = _SPREAD.get(data[24], 1) if image.format == "PNG" else 1
        return np.asarray(image) // spread
    if image.mode in ("RGB", "RGBA"):
        colours = _readings(np.asarray(image)[..., :3], scheme)
        if colours:
            return _choose(colours, scheme, path)
        own = "this project's palette" if scheme.name == DEFAULT_SCHEME else f"the palettes of {scheme.name}"
        raise InputError(
            f"{path} is a colour picture with other colours than {own}; save it as a "
            "palette or 8-bit grey PNG whose values are label ids, or name its palette in a parsing scheme of your own"
        )
    raise InputError(f"{path} has the pixel mode {image.mode}; save it as a palette or 8-bit grey PNG")


def _readings(colours: NDArray[np.uint8], scheme: ParsingScheme) -> list[NDArray[np.uint8]]:
    """Ids (H, W) of ``colours`` (H, W, 3) in each of the scheme's palettes that has all of them."""
    keys = _colour_keys(colours)
    found = []
    for palette in scheme.palettes.values():
        own = _colour_keys(np.array(palette))
        order = np.argsort(own)
        ids = order[np.searchsorted(own[order], keys).clip(max=len(own) - 1)]
        if np.array_equal(own[ids], keys):
            found.append(ids.astype(np.uint8))
    return found


def _choose(readings: list[NDArray[np.uint8]], scheme: ParsingScheme, path: Path) -> NDArray[np.uint8]:
    """The one reading, or the first of several that agree."""
    if any(not np.array_equal(readings[0], other) for other in readings[1:]):
        raise InputError(
            f"{path} fits more than one palette of {scheme.name} ({', '.join(scheme.palettes)}); "
            "name its own in a parsing scheme of yours"
        )
    return readings[0]


def _colour_keys(colours: NDArray[np.integer]) -> NDArray[np.int64]:
    return colours.astype(np.int64) @ np.array([65536, 256, 1])

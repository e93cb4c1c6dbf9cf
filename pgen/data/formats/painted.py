"""Parsing maps that were painted by hand, in any paint program."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgen.body.labels import LABEL_COUNT, LABELS, PALETTE
from pgen.data.formats.images import decode_image, looks_like_image
from pgen.data.formats.parsing import read_parsing
from pgen.data.inputs import read_bytes, split_spec
from pgen.data.store import is_hdf5
from pgen.errors import InputError

#: The colours to paint with, by label, as paint programs take them.
COLOURS: dict[str, str] = {
    label: "#{:02x}{:02x}{:02x}".format(*(int(value) for value in colour))
    for label, colour in zip(LABELS, PALETTE, strict=True)
}


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
    data = read_bytes(path, "a parsing map (.npy or .png)")
    if not looks_like_image(data[:16]):
        return read_parsing(spec)
    image = decode_image(data, path)
    if image.format in ("JPEG", "MPO") or image.mode not in ("P", "PA", "RGB", "RGBA"):
        return read_parsing(spec)
    return _find_labels(np.asarray(image.convert("RGBA")), path)


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

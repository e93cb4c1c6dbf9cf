from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.body.labels import PALETTE
from pgen.data.formats.parsing import COLOURS, read_painted, write_parsing
from pgen.errors import InputError

MAP = (np.arange(120).reshape(10, 12) % 10).astype(np.uint8)


def test_what_was_saved_is_read_however_a_program_saves_it(tmp_path: Path) -> None:
    path = write_parsing(tmp_path / "map.png", MAP)
    np.testing.assert_array_equal(read_painted(path), MAP)
    image = Image.open(path)
    for name, saved in {
        "rgb": image.convert("RGB"),
        "rgba": image.convert("RGBA"),
        "sorted": image.convert("RGB").quantize(10, dither=Image.Dither.NONE),
        "grey": Image.fromarray(MAP),
    }.items():
        saved.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_painted(tmp_path / f"{name}.png"), MAP, name)
    np.save(tmp_path / "map.npy", MAP)
    np.testing.assert_array_equal(read_painted(tmp_path / "map.npy"), MAP)


def test_other_colours_are_refused_with_a_place(tmp_path: Path) -> None:
    pixels = PALETTE[MAP]
    pixels[3, 4] = (1, 2, 3)
    Image.fromarray(pixels).save(tmp_path / "foreign.png")
    with pytest.raises(InputError, match=r"foreign.png has 1 pixels .* such as the colour #010203 at x 4, y 3"):
        read_painted(tmp_path / "foreign.png")
    Image.fromarray(pixels).quantize(16, dither=Image.Dither.NONE).save(tmp_path / "palette.png")
    with pytest.raises(InputError, match="whose colour is no label's"):
        read_painted(tmp_path / "palette.png")
    clear = np.dstack([PALETTE[MAP], np.full(MAP.shape, 255, np.uint8)])
    clear[0, 0, 3] = 0
    Image.fromarray(clear).save(tmp_path / "clear.png")
    with pytest.raises(InputError, match="transparency at x 0, y 0"):
        read_painted(tmp_path / "clear.png")


def test_jpeg_is_refused(tmp_path: Path) -> None:
    Image.fromarray(PALETTE[MAP]).save(tmp_path / "map.jpg")
    with pytest.raises(InputError, match="JPEG"):
        read_painted(tmp_path / "map.jpg")


def test_colours_are_the_palette() -> None:
    assert COLOURS["background"] == "#000000"
    assert len(COLOURS) == len(PALETTE)

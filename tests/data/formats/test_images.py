from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from pgen.data.formats.images import MAX_PIXELS, read_image, read_photo, write_image
from pgen.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)


def test_rgb(tmp_path: Path) -> None:
    for suffix in ("png", "bmp", "tiff", "ppm"):
        Image.fromarray(RGB).save(tmp_path / f"a.{suffix}")
        image = read_image(tmp_path / f"a.{suffix}")
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, RGB)


def test_alpha_lies_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = 255, 0, 128
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, :, 0], [0, 255, 127])


def test_grey_with_alpha(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[10, 255], [10, 0]]], np.uint8), "LA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], [[10] * 3, [255] * 3])


def test_grey_is_repeated(tmp_path: Path) -> None:
    Image.fromarray(RGB[..., 0]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.repeat(RGB[..., :1], 3, axis=2))


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1").save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], [[0] * 3, [255] * 3])


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.save(tmp_path / "a.png", transparency=1)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], [(200, 0, 0), (255, 255, 255)])


def test_cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    image = read_image(tmp_path / "a.jpg")
    assert image[..., 0].min() > 250
    assert image[..., 1:].max() < 5


def test_16_bits_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257, 128 * 257, 65535]], np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, :, 1], [0, 1, 128, 255])


def test_32_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(InputError, match=r"a\.tiff has 32 bits a channel; convert"):
        read_image(tmp_path / "a.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(tmp_path: Path, orientation: int) -> None:
    stored = {  # how a camera held in each way stores the upright RGB
        1: RGB, 2: RGB[:, ::-1], 3: RGB[::-1, ::-1], 4: RGB[::-1], 5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB), 7: RGB[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(RGB, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), RGB)


def test_broken_exif_does_not_matter(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert read_image(tmp_path / "a.jpg").shape == RGB.shape


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif")[0, 0], (255, 0, 0))


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8001, 60_000, 2**31 - 1])
def test_bombs_are_refused(tmp_path: Path, side: int) -> None:
    assert side**2 > MAX_PIXELS
    (tmp_path / "a.png").write_bytes(png_claiming(side, side))
    with pytest.raises(InputError, match=r"a\.png .*scale it down"):
        read_image(tmp_path / "a.png")


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    Image.fromarray(RGB).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:70])
    (tmp_path / "script.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name, message in {
        "missing.png": "does not exist",
        "empty.png": "is empty",
        "text.png": "not an image that can be read; give a JPEG",
        "cut.png": "damaged or cut short .* whole copy",
        "script.eps": "not an image that can be read",
        ".": "is a folder",
        "nul\0.png": "cannot be read",
    }.items():
        with pytest.raises(InputError, match=message) as caught:
            read_image(tmp_path / name)
        assert "\n" not in str(caught.value)


@given(image=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_round_trip(tmp_path_factory: pytest.TempPathFactory, image: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)


def test_write_png_takes_pictures_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_image(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert not list(tmp_path.iterdir())


def _make_profile(gamma: float) -> bytes:
    """sRGB's profile, but with another curve, as wide color spaces have; its name stays."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    place = profile.index(b"para")
    profile[place + 12 : place + 16] = int(gamma * 65536).to_bytes(4, "big")
    return bytes(profile)


def test_colors_of_another_profile_are_converted(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((300, 4, 3), 120, np.uint8))
    for name, gamma in (("same.png", 2.4), ("other.png", 1.4)):
        picture.save(tmp_path / name, icc_profile=_make_profile(gamma))
    same, notes, _ = read_photo(tmp_path / "same.png")
    assert (same == 120).all()
    assert notes == ()
    other, notes, _ = read_photo(tmp_path / "other.png")
    assert (other > 150).all()
    assert notes == ("its colors are converted to sRGB, as its profile says",)


@pytest.mark.parametrize("profile", [b"", b"junk", b"\0" * 200])
def test_broken_profiles_are_left_aside(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(np.full((4, 4, 3), 120, np.uint8)).save(tmp_path / "a.png", icc_profile=profile)
    assert (read_image(tmp_path / "a.png") == 120).all()


def test_transparency_is_kept_beside_the_photo_over_white(tmp_path: Path) -> None:
    pixels = np.full((300, 4, 4), 255, np.uint8)
    pixels[..., 0] = 0
    Image.fromarray(pixels).save(tmp_path / "opaque.png")
    pixels[270, 0, 3] = 51
    Image.fromarray(pixels).save(tmp_path / "cut.png")
    opaque, cut = read_photo(tmp_path / "opaque.png"), read_photo(tmp_path / "cut.png")
    assert (opaque.rgba, opaque.notes, cut.notes) == (None, (), ())
    assert cut.rgba is not None
    assert (cut.rgba == pixels).all()
    assert cut.pixels[270, 0].tolist() == [204, 255, 255]
    assert (cut.pixels[:270] == (0, 255, 255)).all()

from __future__ import annotations

import numpy as np
import pytest

from pgen.body.crop import CropBox, PersonCrop

FRAME = (64, 64)


def body(size: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((300, 400), slice(50, 250), slice(100, 180)),
        ((300, 400), slice(0, 300), slice(0, 100)),  # touches the border, which is repeated
        ((40, 30), slice(10, 30), slice(5, 20)),
    ],
)
def test_there_and_back(size: tuple[int, int], rows: slice, columns: slice) -> None:
    mask = body(size, rows, columns)
    closeup = PersonCrop.of(mask, FRAME)
    photo = np.repeat(255 * mask[..., None], 3, axis=2).astype(np.uint8)
    seen = closeup.image(photo)[..., 0] / np.float32(255)
    framed = seen > 0.5
    back = closeup.back(np.stack([1 - seen, seen])) > 0
    assert back.shape == size
    assert (back & mask).sum() / (back | mask).sum() > 0.93
    soft = closeup.soft(mask.astype(np.float32))
    assert ((soft > 0.5) == framed).mean() > 0.99
    corner = np.full((18, 2), np.nan)
    corner[0], corner[1] = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
    at = closeup.pose(corner)
    scale = 64 / closeup.box.size[1]
    shown = np.argwhere(closeup.image(photo)[..., 0] > 127)
    if rows.start:
        np.testing.assert_allclose(at[0][::-1], shown.min(0), atol=scale + 1)
        np.testing.assert_allclose(at[1][::-1], shown.max(0), atol=scale + 1)
    assert np.isnan(at[2:]).all()


def test_the_margin_and_the_middle() -> None:
    closeup = PersonCrop.of(body((300, 400), slice(50, 250), slice(100, 180)), FRAME)
    assert closeup.box.size == (240, 240)
    assert (closeup.box.top, closeup.box.left) == (30, 20)
    narrow = PersonCrop.of(body((300, 400), slice(50, 250), slice(100, 180)), (64, 32))
    assert narrow.box.size == (240, 120)


def test_nobody_is_the_whole_photo() -> None:
    closeup = PersonCrop.of(np.zeros((100, 100), bool), FRAME)
    assert closeup.back(np.stack([np.zeros(FRAME), np.ones(FRAME)]).astype(np.float32)).all()


@pytest.mark.parametrize("times", [3, 11])
def test_outlines_are_as_smooth_in_a_large_photo(times: int) -> None:
    """A slope of half a pixel a row in the frame makes no stairs that are a pixel of the frame high."""
    size = (64 * times, 64 * times)
    closeup = PersonCrop(size, FRAME, CropBox.whole(size))
    rows, columns = np.mgrid[:64, :64]
    right = (columns - rows / 2).clip(-20, 20).astype(np.float32)
    back = closeup.back(np.stack([-right, right]))
    edge = (back == 0).sum(axis=1)[times:-times]
    assert np.abs(np.diff(edge)).max() < times
    np.testing.assert_allclose(edge, np.arange(times, size[0] - times) / 2 + times / 4, atol=times / 4 + 1)


def test_joints_outside_are_missing() -> None:
    pose = np.full((18, 2), 150.0)
    pose[0] = 390, 20
    found = PersonCrop.of(body((300, 400), slice(50, 250), slice(100, 180)), FRAME).pose(pose)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1:]).all()

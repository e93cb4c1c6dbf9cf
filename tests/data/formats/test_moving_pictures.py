from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.formats.moving_pictures import is_moving, read_frames, write_gif
from pgen.errors import InputError

GREYS = [np.full((12, 16, 3), 20 * index, np.uint8) for index in range(10)]


def levels(path: Path, most: int = 99) -> list[int]:
    return [int(frame.image.mean().round()) for frame in read_frames(path, most)]


def test_a_gif_comes_back(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", GREYS, [0.25] * 10)
    assert is_moving(path)
    assert levels(path) == [20 * index for index in range(10)]
    assert [frame.seconds for frame in read_frames(path, 99)] == [0.25] * 10


def test_frames_are_chosen_evenly_and_shown_longer(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", GREYS, [0.1] * 10)
    assert levels(path, 4) == [0, 60, 120, 180]
    assert sum(frame.seconds for frame in read_frames(path, 4)) == pytest.approx(1.0)


def test_a_folder_is_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for index, grey in enumerate(GREYS):
        Image.fromarray(grey).save(tmp_path / f"frame{index + 5}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    assert is_moving(tmp_path)
    assert levels(tmp_path) == [20 * index for index in range(10)]


def test_a_video(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), (20 * index, 0, 0), np.uint8))  # blue in OpenCV's order
    writer.release()
    frames = read_frames(path, 99)
    assert len(frames) == 10
    assert frames[0].seconds == pytest.approx(0.2)
    red, _, blue = frames[9].image.mean((0, 1))
    assert blue > 150 > 30 > red


def test_pictures_are_not_moving(tmp_path: Path) -> None:
    Image.fromarray(GREYS[0]).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("text")
    assert not is_moving(tmp_path / "a.png")
    assert not is_moving(tmp_path / "a.txt")
    assert not is_moving(tmp_path / "none")


def test_what_has_no_frames(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no frames"):
        read_frames(tmp_path, 9)
    with pytest.raises(InputError, match="does not exist"):
        read_frames(tmp_path / "a.mp4", 9)
    pytest.importorskip("cv2")
    (tmp_path / "b.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="cannot be read as a video"):
        read_frames(tmp_path / "b.mp4", 9)

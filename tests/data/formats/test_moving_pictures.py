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


def write_video(path: Path, count: int = 10) -> Path:
    cv2 = pytest.importorskip("cv2")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (64, 48))
    for index in range(count):
        writer.write(np.full((48, 64, 3), (20 * index, 0, 0), np.uint8))  # blue in OpenCV's order
    writer.release()
    return path


@pytest.mark.parametrize("claimed", [0, 3, 240, 2**31 - 1])
def test_the_number_of_frames_in_a_header_is_not_believed(tmp_path: Path, claimed: int) -> None:
    path = write_video(tmp_path / "a.avi")
    content = bytearray(path.read_bytes())
    for tag, offset in ((b"avih", 8 + 16), (b"strh", 8 + 32)):  # frames of the file, and of its stream
        place = content.index(tag) + offset
        content[place : place + 4] = claimed.to_bytes(4, "little")
    path.write_bytes(content)
    assert [round(frame.image[..., 2].mean() / 20) for frame in read_frames(path, 4)] == [0, 3, 6, 9]


def test_a_video_is_known_by_its_content(tmp_path: Path) -> None:
    for name in ("clip", "clip.gif", "clip.dat"):
        path = write_video(tmp_path / "a.avi").rename(tmp_path / name)
        assert is_moving(path)
        assert len(read_frames(path, 99)) == 10
    (tmp_path / "a.avi").write_bytes(b"no video")
    with pytest.raises(InputError, match="cannot be read as a video"):
        read_frames(tmp_path / "a.avi", 9)


def test_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi")
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

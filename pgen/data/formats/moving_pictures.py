"""Frames of videos, animations and folders of pictures; animations written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from pgen.data.annotators.quiet import silence_native_output
from pgen.data.formats.images import MAX_PIXELS, decode_image, looks_like_image, read_image
from pgen.data.inputs import read_bytes, read_start
from pgen.data.scan import PHOTO_SUFFIXES, scan_folder
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
_FRAME_SECONDS = 0.1  # of a frame, where the file does not say


@dataclass(frozen=True)
class VideoFrame:
    """One picture of several."""

    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    name: str
    seconds: float  #: how long it is shown


def is_moving(path: Path) -> bool:
    """Whether ``path`` is a video, an animation of several frames, or a folder."""
    if path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    if not path.is_file() or not looks_like_image(read_start(path, 16)):
        return False
    try:
        with Image.open(path, formats=["GIF", "PNG", "WEBP"]) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, Image.DecompressionBombError):
        return False


def read_frames(path: Path, most: int) -> list[VideoFrame]:
    """Frames of a video, an animation or a folder, in their order; of more than ``most``, as many evenly chosen.

    Those of a folder are in the order of their names, numbers by value. Raises `InputError` if there is none, or a
    frame cannot be read, or, for a video, the extra ``photo`` is not installed.
    """
    if path.is_dir():
        frames = _read_folder(path, most)
    elif path.suffix.lower() in VIDEO_SUFFIXES:
        frames = _read_video(path, most)
    else:
        frames = _read_animation(path, most)
    if not frames:
        raise InputError(f"{path} has no frames; give a video, a GIF, or a folder of pictures")
    return frames


def write_gif(
    path: Path, pictures: Sequence[NDArray[np.uint8]], seconds: Sequence[float], overwrite: bool = False
) -> Path:
    """Write ``pictures``, uint8 (H, W, 3) of one size, as an endless GIF, each shown for its ``seconds``."""
    images = [Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures]
    lengths = [max(20, round(1000 * length)) for length in seconds]
    with atomic_write(path, overwrite) as aside:
        images[0].save(aside, format="GIF", save_all=True, append_images=images[1:], duration=lengths, loop=0)
    return path


def _choose(count: int, most: int) -> list[int]:
    """Which of ``count`` frames to take."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, most)).round()})


def _read_folder(path: Path, most: int) -> list[VideoFrame]:
    files = sorted(
        scan_folder(path, PHOTO_SUFFIXES, deep=False).values(),
        key=lambda file: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name.lower())],
    )
    step = len(files) / max(1, min(len(files), most))
    return [VideoFrame(read_image(files[i]), files[i].name, _FRAME_SECONDS * step) for i in _choose(len(files), most)]


def _read_animation(path: Path, most: int) -> list[VideoFrame]:
    with decode_image(read_bytes(path, "an animation"), path) as image:
        count = getattr(image, "n_frames", 1)
        step = count / min(count, most)
        wanted = set(_choose(count, most))
        frames = []
        try:
            for index, frame in enumerate(ImageSequence.Iterator(image)):
                length = frame.info.get("duration") or 1000 * _FRAME_SECONDS
                if index in wanted:
                    picture = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame.convert("RGBA"))
                    name = f"{path.stem}-{index:04d}"
                    frames.append(VideoFrame(np.array(picture.convert("RGB")), name, step * length / 1000))
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path} is damaged or cut short ({error}); get a whole copy of it") from None
    return frames


def _read_video(path: Path, most: int) -> list[VideoFrame]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the path of a video")
    try:
        import cv2
    except ModuleNotFoundError:
        raise InputError(
            f"{path}: reading videos needs OpenCV, which is not installed: pip install 'pgen[photo]' (or give a GIF, "
            "or a folder of frames)"
        ) from None
    with silence_native_output():
        video = cv2.VideoCapture(str(path))
        try:
            return list(_decode(video, cv2, path, most))
        finally:
            video.release()


def _decode(video: Any, cv2: Any, path: Path, most: int) -> Iterator[VideoFrame]:
    """Frames of an opened ``cv2.VideoCapture``."""
    count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    rate = video.get(cv2.CAP_PROP_FPS) or 1 / _FRAME_SECONDS
    if video.get(cv2.CAP_PROP_FRAME_WIDTH) * video.get(cv2.CAP_PROP_FRAME_HEIGHT) > MAX_PIXELS:
        raise InputError(f"{path} has frames of more than {MAX_PIXELS // 10**6} megapixels; scale it down")
    if count <= 0:
        raise InputError(f"{path} cannot be read as a video; convert it to MP4, or give a folder of its frames")
    wanted, step = set(_choose(count, most)), count / min(count, most)
    for index in range(count):
        if not video.grab():
            return
        if index in wanted:
            whole, picture = video.retrieve()
            if whole:
                yield VideoFrame(np.ascontiguousarray(picture[:, :, ::-1]), f"{path.stem}-{index:04d}", step / rate)

"""Frames of videos, animations and folders of pictures; animations written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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

_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".3gp", ".wmv", ".flv")
FRAME_SECONDS = 0.1  # of a frame, where the file does not say
_MOST_FRAMES = 10**7  # that a file is believed to have
_TRIES = 3  # of counting them
_RATES = (1, 240)  # frames a second that a video may have; files that claim others do not know

# How videos begin: MPEG, Matroska and WebM, Flash, Ogg, Windows Media; and, from the 8th byte on, AVI, and from the
# 4th, MP4, 3GP and QuickTime. Pictures (AVIF, HEIC) begin like the last, but for the brand that follows.
_MAGIC = (b"\0\0\1\xba", b"\0\0\1\xb3", b"\x1aE\xdf\xa3", b"FLV\1", b"OggS", b"0&\xb2u\x8ef\xcf\x11")
_BOXES, _PICTURE_BRANDS = (
    (b"ftyp", b"moov", b"mdat", b"wide", b"free"),
    (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"),
)


@dataclass(frozen=True)
class VideoFrame:
    """One picture of several."""

    image: NDArray[np.uint8]  #: (H, W, 3) RGB
    name: str
    seconds: float  #: how long it is shown


def is_video(path: Path) -> bool:
    """Whether the file ``path`` begins like a video, or is called so."""
    start = read_start(path, 16)
    if path.suffix.lower() in _SUFFIXES and not looks_like_image(start):
        return True  # if it is none, reading it says so
    if start.startswith(_MAGIC) or (start[:4] == b"RIFF" and start[8:12] == b"AVI "):
        return True
    return start[4:8] in _BOXES and start[8:12] not in _PICTURE_BRANDS


def is_moving(path: Path) -> bool:
    """Whether ``path`` is a video, an animation of several frames, or a folder."""
    if path.is_dir() or is_video(path):
        return True
    if not path.is_file() or not looks_like_image(read_start(path, 16)):
        return False
    try:
        with Image.open(path, formats=["GIF", "PNG", "WEBP"]) as image:
            return getattr(image, "n_frames", 1) > 1
    except Exception:  # decoders raise nearly anything for damaged bytes
        return False


def read_frames(path: Path, most: int) -> list[VideoFrame]:
    """Frames of a video, an animation or a folder, in their order; of more than ``most``, as many evenly chosen.

    Those of a folder are in the order of their names, numbers by value. Raises `InputError` if there is none, or a
    frame cannot be read, or, for a video, the extra ``photo`` is not installed.
    """
    if path.is_dir():
        frames = _read_folder(path, most)
    else:
        read = _read_video if is_video(path) else _read_animation
        frames = read(path, most)
    if not frames:
        raise InputError(f"{path} has no frames; give a video, a GIF, or a folder of pictures or of OpenPose's files")
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


def choose_evenly(count: int, most: int) -> list[int]:
    """Which of ``count`` frames to take, at most ``most``."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(count, most)).round()})


def sort_frames(files: Iterable[Path]) -> list[Path]:
    """``files`` in the order of their names, numbers by value."""
    return sorted(files, key=lambda file: [_to_key(part) for part in re.split(r"(\d+)", file.name.lower())])


def _to_key(part: str) -> tuple[int, int, str]:
    return (0, int(part[-100:]), "") if part.isdigit() and part.isascii() else (1, 0, part)


def _read_folder(path: Path, most: int) -> list[VideoFrame]:
    files = sort_frames(scan_folder(path, PHOTO_SUFFIXES, deep=False).values())
    step = len(files) / max(1, min(len(files), most))
    chosen = choose_evenly(len(files), most)
    return [VideoFrame(read_image(files[i]), files[i].name, FRAME_SECONDS * step) for i in chosen]


#: A frame's place in time, in seconds, or how long it is shown; and what decodes it.
_Frame = tuple[float, Callable[[], NDArray[np.uint8] | None]]


def _take_evenly(
    open_frames: Callable[[], Iterator[_Frame]], claimed: int, most: int
) -> tuple[int, dict[int, tuple[float, NDArray[np.uint8]]]]:
    """How many frames there are, and those evenly chosen.

    What a file claims is tried first, and counted if it proves wrong: some count wrongly, and streams not at all.
    """
    taken: dict[int, tuple[float, NDArray[np.uint8]]] = {}
    index, count = -1, claimed
    for _ in range(_TRIES):
        wanted, taken, index = set(choose_evenly(count, most)) if count > 0 else set(), {}, -1
        for index, (seconds, decode) in enumerate(open_frames()):
            if index in wanted and (picture := decode()) is not None:
                taken[index] = (seconds, picture)
        if index + 1 == count or index < 0:
            return index + 1, taken
        count = index + 1
    return index + 1, taken


def _read_animation(path: Path, most: int) -> list[VideoFrame]:
    data = read_bytes(path, "an animation")

    def open_frames() -> Iterator[_Frame]:
        with decode_image(data, path) as image:
            for frame in ImageSequence.Iterator(image):
                seconds = (frame.info.get("duration") or 1000 * FRAME_SECONDS) / 1000
                yield float(seconds), partial(_to_picture, frame)

    try:
        with decode_image(data, path) as image:
            claimed = getattr(image, "n_frames", 1)
        count, taken = _take_evenly(open_frames, claimed, most)
    except InputError:
        raise
    except Exception as error:  # decoders raise nearly anything for damaged bytes
        raise InputError(f"{path} is damaged or cut short ({error}); get a whole copy of it") from None
    step = count / max(1, min(count, most))
    return [
        VideoFrame(picture, f"{path.stem}-{index:04d}", step * seconds) for index, (seconds, picture) in taken.items()
    ]


def _to_picture(frame: Image.Image) -> NDArray[np.uint8]:
    picture = Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame.convert("RGBA"))
    return np.array(picture.convert("RGB"))


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
        frames = _decode_video(cv2, path, most)
    if not frames:
        raise InputError(f"{path} cannot be read as a video; convert it to MP4, or give a folder of its frames")
    return frames


def _decode_video(cv2: Any, path: Path, most: int) -> list[VideoFrame]:
    """Frames that OpenCV, ``cv2``, decodes."""

    def retrieve(video: Any) -> NDArray[np.uint8] | None:
        is_whole, picture = video.retrieve()
        if not is_whole or picture is None:
            return None
        if picture.shape[0] * picture.shape[1] > MAX_PIXELS:
            raise too_large
        return np.ascontiguousarray(picture[:, :, ::-1])

    def open_frames() -> Iterator[_Frame]:
        video = cv2.VideoCapture(str(path))
        try:
            while video.grab():
                yield video.get(cv2.CAP_PROP_POS_MSEC) / 1000, partial(retrieve, video)
        finally:
            video.release()

    too_large = InputError(f"{path} has frames of more than {MAX_PIXELS // 10**6} megapixels; scale it down")
    video = cv2.VideoCapture(str(path))
    claimed, rate = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
    width, height = video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)
    video.release()
    if width * height > MAX_PIXELS:
        raise too_large
    count, taken = _take_evenly(open_frames, int(claimed) if 0 < claimed < _MOST_FRAMES else 0, most)
    if not taken:
        return []
    index, (last, _) = list(taken.items())[-1]
    own = index / last if index and last > 0 else 0
    rate = next(each for each in (own, rate, 1 / FRAME_SECONDS) if _RATES[0] <= each <= _RATES[1])
    step = count / max(1, min(count, most))
    return [VideoFrame(picture, f"{path.stem}-{index:04d}", step / rate) for index, (_, picture) in taken.items()]

"""Random and truncated bytes in any input file end in an `InputError`, or in what the file still says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pgen.data.formats.images import read_image
from pgen.data.formats.keypoints import read_pose, read_poses
from pgen.data.formats.pair_lists import read_names, read_pairs
from pgen.data.formats.parsing import read_parsing, write_parsing
from pgen.data.formats.parsing_schemes import load_scheme
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.readers.keypoint_sources import find_poses
from pgen.errors import InputError
from tests.data.examples import STANDING, example
from tests.data.pose_files import write_pose_csv
from tests.data.trees import write_coco, write_openpose, write_text

PHOTO, MAP = example(0).image[:24, :24], example(0).parsing[::4, ::4]


def samples(folder: Path) -> dict[str, tuple[Callable[[Path], object], bytes]]:
    """A reader and the bytes of a small whole file, for each kind of file."""
    Image.fromarray(PHOTO).save(folder / "a.jpg")
    for suffix in ("png", "webp", "gif", "tiff", "bmp"):
        Image.fromarray(PHOTO).save(folder / f"a.{suffix}")
    write_parsing(folder / "map.png", MAP)
    np.save(folder / "map.npy", MAP)
    write_pose_csv(folder / "k.csv", {"a.jpg": STANDING})
    write_pose_json(folder / "k.json", STANDING, (128, 128))
    (folder / "pairs.csv").write_text("from,to\na.jpg,b.jpg\n")
    write_coco(folder / "coco.json", {"a.jpg": STANDING}, (128, 128))
    write_openpose(folder / "parts.json", [STANDING, STANDING / 2], body_25=True, divide_by=(128, 128))
    write_text(folder / "text.txt", STANDING)
    (folder / "target_first.txt").write_text("b.jpg,a.jpg\n")
    (folder / "train.lst").write_bytes(b"a.jpg\r\nb.jpg\r\n")
    lip = load_scheme("lip20")
    Image.fromarray(MAP + 1).save(folder / "lip.png")
    np.save(folder / "lip.npy", MAP + 1)
    Image.fromarray(np.array(lip.palettes["voc"], np.uint8)[MAP]).save(folder / "lip_colours.png")
    (folder / "scheme.toml").write_text(
        'extends = "lip20"\n[labels]\n11 = ["scarf", "face"]\n[palettes]\na = [[0, 0, 9]]\n'
    )
    readers: dict[str, Callable[[Path], object]] = {
        "map": read_parsing,
        "k": read_pose,
        "pairs": lambda path: read_pairs([path]),
        "coco": lambda path: find_poses([path]),
        "parts": lambda path: read_poses(path, (128, 128)),
        "text": read_pose,
        "target_first": lambda path: read_pairs([path]),
        "train": read_names,
        "lip": lambda path: read_parsing(path, lip, STANDING),
        "lip_colours": lambda path: read_parsing(path, lip, STANDING),
        "scheme": load_scheme,
    }
    return {path.name: (readers.get(path.stem, read_image), path.read_bytes()) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Callable[[Path], object], bytes]]:
    return samples(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


def read_or_refuse(reader: Callable[[Path], object], path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        reader(path)
    except InputError as error:
        if "\n" in str(error) or path.name not in str(error):
            raise AssertionError(f"not one line that names the file: {error}") from error


def test_samples_are_whole(whole: dict, folder: Path) -> None:
    for name, (reader, data) in whole.items():
        (folder / name).write_bytes(data)
        reader(folder / name)


def test_truncated_at_any_byte(whole: dict, folder: Path) -> None:
    for name, (reader, data) in whole.items():
        for length in range(0, len(data), max(1, len(data) // 30)):
            read_or_refuse(reader, folder / name, data[:length])


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.sampled_from([1, 4, 30]))
def test_changed_bytes(whole: dict, folder: Path, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    for name, (reader, data) in whole.items():
        broken = bytearray(data)
        for place in rng.integers(0, len(data), count):
            broken[place] = rng.integers(256)
        read_or_refuse(reader, folder / name, bytes(broken))


@settings(max_examples=25)
@given(data=st.binary(max_size=400))
def test_random_bytes(whole: dict, folder: Path, data: bytes) -> None:
    for name, (reader, start) in whole.items():
        read_or_refuse(reader, folder / name, data)
        read_or_refuse(reader, folder / name, start[:16] + data)

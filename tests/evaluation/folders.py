"""Miniature folders of results, laid out as the field's systems write them, with photos of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.examples import STANDING
from tests.data.pose_files import write_pose_csv

SIZE = (64, 48)
#: Names with all that layouts put between names.
PHOTOS = ("a_2_side.jpg", "a_1_front.jpg", "b__x.jpg", "fashionWOMENTees_Tanksid_0000783805_7additional.jpg")
PAIRS = ((PHOTOS[0], PHOTOS[1]), (PHOTOS[1], PHOTOS[0]), (PHOTOS[0], PHOTOS[2]), (PHOTOS[3], PHOTOS[0]))


def photo(name: str, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth picture of its own for each name."""
    rng = np.random.default_rng(sum(map(ord, name)))
    y, x = np.mgrid[: size[0], : size[1]] / 16
    waves = [np.sin(x * rng.uniform(0.3, 2) + y * rng.uniform(0.3, 2) + rng.uniform(0, 6)) for _ in range(3)]
    return ((np.stack(waves, -1) + 1) * 127).astype(np.uint8)


def output(source: str, target: str) -> np.ndarray:
    """The result of a pair: the target, but too bright, each pair a little differently."""
    brighter = 20 + sum(map(ord, source + target)) % 20
    return np.minimum(photo(target).astype(int) + brighter, 255).astype(np.uint8)


def write_photos(folder: Path) -> Path:
    """The true photos, and their poses in keypoints.csv beside the folder."""
    folder.mkdir(parents=True)
    for name in PHOTOS:
        Image.fromarray(photo(name)).save(folder / f"{name[:-4]}.png")
    write_pose_csv(folder.parent / "keypoints.csv", dict.fromkeys(PHOTOS, STANDING * np.float32(0.37)))
    return folder


def write_list(path: Path, pairs: Sequence[tuple[str, str]] = PAIRS) -> Path:
    path.write_text("from,to\n" + "".join(f"{source},{target}\n" for source, target in pairs))
    return path


def patn(source: str, target: str) -> tuple[str, np.ndarray]:
    pose = np.zeros((*SIZE, 3), np.uint8)
    return f"{source}___{target}_vis.png", np.hstack([photo(source), pose, photo(target), pose, output(source, target)])


def spt(source: str, target: str) -> tuple[str, np.ndarray]:
    return f"{source}_{target}.png", np.hstack([photo(source), photo(target), output(source, target)])


def gfla(source: str, target: str) -> tuple[str, np.ndarray]:
    return f"{source[:-4]}_2_{target[:-4]}_vis.png", output(source, target)


def intrinsic_flow(source: str, target: str) -> tuple[str, np.ndarray]:
    return f"{source[:-4]}_{target[:-4]}.png", output(source, target)


def pgen(source: str, target: str) -> tuple[str, np.ndarray]:
    return f"{source[:-4]}__{target[:-4]}.png", output(source, target)


WRITERS: dict[str, Callable[[str, str], tuple[str, np.ndarray]]] = {
    "patn": patn,
    "spt": spt,
    "gfla": gfla,
    "intrinsic-flow": intrinsic_flow,
    "pgen": pgen,
}


def write_results(folder: Path, layout: str, pairs: Sequence[tuple[str, str]] = PAIRS) -> Path:
    folder.mkdir(parents=True)
    for source, target in pairs:
        name, image = WRITERS[layout](source, target)
        Image.fromarray(image).save(folder / name)
    return folder

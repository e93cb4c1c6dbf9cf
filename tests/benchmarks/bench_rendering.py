"""Results at the photo's own resolution: their detail, beside the networks' own picture enlarged, and what they cost.

Detail is the energy of the Laplacian inside the figure, of the result by that of the photo (1: as sharp as the photo).

Run: ``pytest -m benchmark -s tests/benchmarks/bench_rendering.py``. ``PGEN_PHOTOS`` is a folder; ``PGEN_NAMES`` is
a text file of the names to take of them (default: all); ``PGEN_COUNT`` how many (default 4); ``PGEN_ANNOTATIONS`` a
folder of their poses and maps, as ``pgen annotate -o`` writes them; ``PGEN_OUT`` a new folder for the results.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import pgen
from pgen.body.labels import Label
from pgen.body.viz import Picture
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor

POSES = ("walk", "arms-up", "hands-on-hips")


def measure_detail(image: Picture, parsing: NDArray[np.uint8]) -> float:
    inside = ndimage.binary_erosion(parsing != Label.BACKGROUND, iterations=4)
    grey = image.astype(np.float32).mean(axis=2)
    return float((ndimage.laplace(grey) ** 2)[inside].mean())


def find_people(predictor: Predictor) -> list[Person]:
    photos = sorted(Path(os.environ["PGEN_PHOTOS"]).glob("*.jpg"))
    if names := os.environ.get("PGEN_NAMES"):
        wanted = set(Path(names).read_text("utf-8").split())
        photos = [photo for photo in photos if photo.stem in wanted]
    count = min(int(os.environ.get("PGEN_COUNT", "4")), len(photos))
    chosen = [photos[k] for k in np.linspace(0, len(photos) - 1, count).astype(int)]
    if not (folder := os.environ.get("PGEN_ANNOTATIONS")):
        return [predictor.person(photo) for photo in chosen]
    found = Path(folder)
    return [predictor.person(photo, found / f"{photo.stem}.json", found / f"{photo.stem}.png") for photo in chosen]


@pytest.mark.benchmark
@pytest.mark.skipif("PGEN_PHOTOS" not in os.environ, reason="PGEN_PHOTOS names no folder of photos")
def test_detail_and_cost() -> None:
    predictor = pgen.load(device="cpu")
    detail: dict[str, list[float]] = {"photo": [], "network": []}
    first, later = [], []
    people = find_people(predictor)
    for person in people:
        own = measure_detail(person.image, person.parsing)
        for resolution, ratios in detail.items():
            for number, pose in enumerate(POSES):
                begin = time.process_time()
                result = predictor.generate(person, pose, resolution=resolution)  # type: ignore[arg-type]
                if resolution == "photo":
                    (later if number else first).append(time.process_time() - begin)
                    if folder := os.environ.get("PGEN_OUT"):
                        Path(folder).mkdir(exist_ok=True)
                        result.save(Path(folder) / f"{Path(person.name).stem}__{pose}.png", overwrite=True)
                ratios.append(measure_detail(result.image, result.parsing) / own)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{len(people)} photos, {len(POSES)} poses each")
    for resolution, ratios in detail.items():
        print(f"{resolution:8} detail: median {np.median(ratios):.2f}, least {min(ratios):.2f}")
    print(
        f"processor time: first target {np.median(first):.1f} s, more {np.median(later):.1f} s; memory {memory:.2f} GB"
    )
    assert len(detail["photo"]) == len(people) * len(POSES)

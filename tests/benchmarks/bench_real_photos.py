"""Networks on real photos: of anybody, in bundled poses, without truth; and of one person in several poses, with truth.

Without truth, on photos of one person each, what ``pgen evaluate --unpaired`` scores: joints, maps, looks and, with the
extra ``faces``, faces. With truth, on every ordered pair of photos of one person, each cropped to the person: SSIM,
body-mask-SSIM, VGG distance, ST-LPIPS.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_real_photos.py``. ``PGEN_PHOTOS`` is a folder of photos, or
Clothing Co-Parsing as downloaded (its folder ``photos``); ``PGEN_NAMES`` a text file of the names to take of them
(default: every 12th); ``PGEN_COUNT`` how many (default 40); ``PGEN_TRUTH`` a folder of photos of one person;
``PGEN_WEIGHTS`` NAME=FILE with commas between (default: the bundled ones); ``PGEN_PARSER`` what judges maps and finds
the sources' (default ``pgen``); ``PGEN_RESOLUTION`` that of results, ``network`` or ``photo`` (default: ``photo``
without truth, else ``network``); ``PGEN_SIZE`` the side of the squares that pairs with truth are scored in (default:
the networks' frame); ``PGEN_CACHE`` a file that keeps what is measured; ``PGEN_SHEET`` a PNG file for some results.
"""

from __future__ import annotations

import csv
import os
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgen
from pgen.data.annotators.choose import Annotators
from pgen.data.formats.images import write_image

POSES = ("walk", "arms-up", "hands-on-hips", "side", "back")
BASELINES = ["copy-source", "affine-paste", "label-paste-predicted"]
#: How many results the sheet shows.
SHOWN = 12
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def list_weights() -> list[str]:
    """The weights to compare, as NAME=FILE."""
    return os.environ.get("PGEN_WEIGHTS", "bundled").split(",")


def choose_photos() -> list[Path]:
    folder = Path(os.environ["PGEN_PHOTOS"])
    folder = folder / "photos" if (folder / "photos").is_dir() else folder
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if names := os.environ.get("PGEN_NAMES"):
        wanted = set(Path(names).read_text("utf-8").split())
        photos = [path for path in photos if path.name in wanted or path.stem in wanted]
    else:
        photos = photos[::12]
    count = min(int(os.environ.get("PGEN_COUNT", "40")), len(photos))
    return [photos[k] for k in np.linspace(0, len(photos) - 1, count).astype(int)]


def run_evaluation(**what: Any) -> None:
    """Evaluate the weights and the baselines, and print the table and how each score was computed."""
    cache = os.environ.get("PGEN_CACHE")
    report = pgen.evaluate(
        weights=list_weights(), offline=True, workers=1, cache=cache, no_cache=cache is None, warn=print, **what
    )
    print(f"\n{report.photos.where}\n{report}\n")
    for name, protocol, _, _ in report.provenance():
        print(f"{name}: {protocol}")
    for name, why in report.missing().items():
        print(f"{name}: not computed: {why}")
    if sheet := os.environ.get("PGEN_SHEET"):
        write_image(sheet, report.draw_examples(SHOWN), overwrite=True)
    assert len(report) == len(list_weights()) + len(what["baselines"])


@pytest.mark.benchmark
@pytest.mark.skipif("PGEN_PHOTOS" not in os.environ, reason="PGEN_PHOTOS names no folder of photos")
def test_without_truth() -> None:
    pytest.importorskip("mediapipe")
    run_evaluation(
        unpaired=True,
        photos=choose_photos(),
        pose=POSES,
        baselines=BASELINES,
        metrics=["pckh", "joint-error", "parsed-miou", "lite0-frechet", "face-distance", "face-found", "face-same"],
        parser=os.environ.get("PGEN_PARSER", "pgen"),
        resolution=os.environ.get("PGEN_RESOLUTION"),
    )


@pytest.mark.benchmark
@pytest.mark.skipif("PGEN_TRUTH" not in os.environ, reason="PGEN_TRUTH names no folder of photos of one person")
def test_with_truth(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    parser = os.environ.get("PGEN_PARSER", "pgen")
    predictor = pgen.load(annotators=Annotators(parsing=parser))
    photos = sorted(path for path in Path(os.environ["PGEN_TRUTH"]).iterdir() if path.suffix.lower() in SUFFIXES)
    for photo in photos:
        write_image(tmp_path / f"{photo.stem}.png", predictor.person(photo).image)
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        names = [f"{photo.stem}.png" for photo in photos]
        csv.writer(file).writerows([("from", "to"), *permutations(names, 2)])
    side = os.environ.get("PGEN_SIZE")
    size = predictor.frame if side is None else (int(side), int(side))
    data = tmp_path / "pairs.h5"
    pgen.prepare("folder", data, tmp_path, size=size, annotate=("pose", "parsing"), parser=parser, workers=1)
    run_evaluation(
        data=data,
        baselines=[*BASELINES, "label-paste"],
        metrics=["ssim", "spt-mask-ssim", "body-mask-ssim", "miou", "vgg-relu2-distance", "st-lpips"],
        resolution=os.environ.get("PGEN_RESOLUTION"),
    )

"""Networks on real photos: of anybody, in bundled poses, without truth; and of one person in several poses, with truth.

Without truth, on photos of one person each: how well an annotator finds the asked joints in the results (PCKh), how far
the parser's map of a result agrees with the map that was asked for (mean IoU), the Fréchet distance of the results'
features from those of the real photos, and in which share of the results a face is found, of those whose source shows
one and whose pose is seen from the front. Every result is judged in the networks' frame.

With truth, on every ordered pair of photos of one person, each cropped to the person: SSIM, body-mask-SSIM, distances.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_real_photos.py``. ``PGEN_PHOTOS`` is a folder of photos, or
Clothing Co-Parsing as downloaded (its folder ``photos``); ``PGEN_NAMES`` a text file of the names to take of them
(default: every 12th); ``PGEN_COUNT`` how many (default 40); ``PGEN_TRUTH`` a folder of photos of one person;
``PGEN_WEIGHTS`` NAME=FILE with commas between (default: the bundled ones); ``PGEN_PARSER`` what judges maps and finds
the sources' (default ``pgen``); ``PGEN_SHEET`` a PNG file for some results.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import pgen
from pgen.body.crop import Letterbox
from pgen.body.viz import Picture, draw_sheet
from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.formats.images import write_image
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from pgen.inference.result import Result
from pgen.metrics.fid import compute_moments, frechet_distance
from pgen.metrics.joints import pckh_counts
from pgen.metrics.lite0 import LightClassifier
from pgen.metrics.miou import count_intersection_and_union, mean_iou

POSES = ("walk", "arms-up", "hands-on-hips", "side", "back")
FRONTAL = POSES[:3]
#: How many photos the sheet shows, every pose of each.
ROWS = 8
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def given_weights() -> dict[str, str]:
    """The weights to compare, by name."""
    text = os.environ.get("PGEN_WEIGHTS", "bundled")
    return {name: path or name for name, _, path in (one.partition("=") for one in text.split(","))}


def chosen_photos() -> list[Path]:
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


class Judge:
    """What is said of results, by annotators that made none of them."""

    def __init__(self, annotators: Annotators, frame: tuple[int, int]) -> None:
        from mediapipe.python.solutions.face_detection import FaceDetection

        self.annotators, self.frame = annotators, frame
        self.faces, self.features = FaceDetection(model_selection=0), LightClassifier()
        self.joints, self.maps = torch.zeros(2, dtype=torch.double), torch.zeros(20, dtype=torch.double)
        self.seen: list[NDArray[np.float32]] = []
        self.with_face: list[bool] = []

    def has_face(self, image: Picture) -> bool:
        return bool(self.faces.process(np.ascontiguousarray(image)).detections)

    def look(self, image: Picture) -> NDArray[np.float32]:
        """Features (1, K) of a picture, fitted into the frame."""
        framed = Letterbox.of((image.shape[0], image.shape[1]), self.frame).image(image)
        found: NDArray[np.float32] = self.features(torch.from_numpy(framed.copy()).permute(2, 0, 1)[None]).numpy()
        return found

    def judge(self, result: Result, shows_face: bool) -> None:
        fit = Letterbox.of(result.person.crop.size, self.frame)
        image, asked = fit.image(result.image), fit.pose(result.pose)
        people = self.annotators.pose_annotator().people(image)
        found = people[0].pose if people else np.full_like(asked, np.nan)
        self.joints += pckh_counts(torch.from_numpy(found)[None], torch.from_numpy(asked)[None])[0]
        parsed = self.annotators.parsing(ParsingRequest(image, asked, people[0].silhouette if people else None)).labels
        maps = (torch.from_numpy(one)[None] for one in (parsed, fit.parsing(result.parsing)))
        self.maps += count_intersection_and_union(*maps)[0]
        self.seen.append(self.look(result.image))
        if shows_face and result.target in FRONTAL:
            self.with_face.append(self.has_face(result.image))

    def scores(self, real: list[NDArray[np.float32]]) -> dict[str, float]:
        return {
            "PCKh": float(self.joints[0] / self.joints[1]),
            "map mIoU": float(mean_iou(self.maps)),
            "Fréchet": frechet_distance(compute_moments(self.seen), compute_moments(real)),
            "faces": float(np.mean(self.with_face)),
        }


def find_people(photos: list[Path], predictor: Predictor) -> Iterator[Person]:
    for path in photos:
        try:
            yield predictor.person(path)
        except pgen.InputError as error:
            print(f"left out: {error}")


@pytest.mark.benchmark
@pytest.mark.skipif("PGEN_PHOTOS" not in os.environ, reason="PGEN_PHOTOS names no folder of photos")
def test_without_truth() -> None:
    pytest.importorskip("mediapipe")
    annotators = Annotators(parsing=os.environ.get("PGEN_PARSER", "pgen"))
    predictors = {name: pgen.load(path, annotators=annotators) for name, path in given_weights().items()}
    first = next(iter(predictors.values()))
    judges = {name: Judge(annotators, predictor.frame) for name, predictor in predictors.items()}
    look = next(iter(judges.values()))
    real, rows = [], []
    people = list(find_people(chosen_photos(), first))
    for number, person in enumerate(people):
        real.append(look.look(person.image))
        shows_face = look.has_face(person.image)
        for name, predictor in predictors.items():
            results = list(predictor.generate_many(person, POSES))
            for result in results:
                judges[name].judge(result, shows_face)
            if number in np.linspace(0, len(people) - 1, ROWS).astype(int):
                pictures = [(f"{name}: {result.target}", result.image) for result in results]
                rows.append([(person.name, person.image), *pictures])
    print(f"\n{len(people)} photos × {len(POSES)} poses")
    for name, judge in judges.items():
        print(f"{name:16}", "  ".join(f"{score} {value:.3f}" for score, value in judge.scores(real).items()))
    if sheet := os.environ.get("PGEN_SHEET"):
        write_image(sheet, draw_sheet(rows, (256, 256)), overwrite=True)
    assert all(len(judge.seen) == len(people) * len(POSES) for judge in judges.values())


@pytest.mark.benchmark
@pytest.mark.skipif("PGEN_TRUTH" not in os.environ, reason="PGEN_TRUTH names no folder of photos of one person")
def test_with_truth(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    parser = os.environ.get("PGEN_PARSER", "pgen")
    predictor = pgen.load(annotators=Annotators(parsing=parser))
    photos = sorted(path for path in Path(os.environ["PGEN_TRUTH"]).iterdir() if path.suffix.lower() in SUFFIXES)
    for person in find_people(photos, predictor):
        write_image(tmp_path / f"{Path(person.name).stem}.png", person.image)
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("from", "to"), *permutations(names, 2)])
    data = tmp_path / "pairs.h5"
    pgen.prepare("folder", data, tmp_path, size=predictor.frame, annotate=("pose", "parsing"), parser=parser, workers=1)
    report = pgen.evaluate(
        data=data,
        weights=[f"{name}={path}" for name, path in given_weights().items()],
        baselines=["copy-source", "affine-paste", "label-paste", "label-paste-predicted"],
        metrics=["ssim", "spt-mask-ssim", "body-mask-ssim", "miou", "vgg-relu2-distance", "st-lpips"],
        offline=True,
        no_cache=True,
        workers=1,
    )
    print(f"\n{report}")
    assert len(report) == len(given_weights()) + 4

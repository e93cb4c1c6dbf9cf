from __future__ import annotations

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.data.annotators.interface import FoundPerson
from pgen.metrics import faces
from pgen.metrics.base import Batch, MetricOptions, UnavailableError
from pgen.metrics.faces import CLEAR, Face, FaceDistance, FaceFound, FaceReader, FaceSame
from pgen.metrics.pose_detectors import AnnotatorDetector
from tests.body.poses import STANDING

#: Faces of pictures by their first value; 0 shows none, and 4 hardly one.
FACES = {
    1: Face(np.zeros(128), 1.0), 2: Face(np.full(128, 0.05), 0.01), 3: Face(np.full(128, 0.06), CLEAR),
    4: Face(np.zeros(128), 0.9 * CLEAR),
}  # fmt: skip


class Detector:
    def find_people(self, images: torch.Tensor, asked: torch.Tensor | None = None) -> list[FoundPerson]:
        return [FoundPerson(STANDING, np.ones(18, np.float32)) for _ in images]


class Reader:
    def describe(self, key: bytes, image: np.ndarray, pose: np.ndarray) -> Face | None:
        return FACES.get(int(image[0, 0, 0]))


def score(kind: type[faces.FaceMetric], generated: list[int], photos: list[int]) -> float:
    metric = kind.__new__(kind)
    metric.detector, metric.reader, metric.options = Detector(), Reader(), MetricOptions()  # type: ignore[assignment]
    images = [torch.tensor(values, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 3, 8, 8) for values in
              (generated, photos)]  # fmt: skip
    return metric.score(metric.rows(Batch(*images, torch.zeros(len(photos), 18, 2))).sum(0)).item()


def test_faces_count_where_the_photo_shows_one() -> None:
    generated, photos = [1, 2, 3, 0, 1], [1, 1, 1, 1, 0]
    near, far = 0.05 * 128**0.5, 0.06 * 128**0.5
    assert score(FaceDistance, generated, photos) == pytest.approx((near + far) / 3)
    assert score(FaceFound, generated, photos) == 3 / 4
    assert score(FaceSame, generated, photos) == 2 / 4


def test_a_face_that_the_photo_hardly_shows_is_not_asked_for() -> None:
    assert score(FaceFound, [0, 0, 1], [4, 3, 3]) == 1 / 2
    assert score(FaceSame, [0, 2, 1], [4, 1, 1]) == 2 / 2
    assert score(FaceDistance, [1, 1], [4, 1]) == 0


class TwoPeople:
    """A small person at the left top, and a passer-by who is larger."""

    def people(self, image: np.ndarray) -> list[FoundPerson]:
        return [FoundPerson(STANDING + np.float32(500), np.ones(18)), FoundPerson(STANDING, np.ones(18))]


class PlaceReader:
    """Faces differ by where they are."""

    def describe(self, key: bytes, image: np.ndarray, pose: np.ndarray) -> Face:
        return Face(np.full(128, pose.max()), 1.0)


@pytest.mark.parametrize(("has_truth", "same"), [(True, 1), (False, 0)])
def test_in_a_true_photo_the_face_is_of_who_stands_at_its_pose(has_truth: bool, same: float) -> None:
    metric = FaceSame.__new__(FaceSame)
    metric.detector, metric.options = AnnotatorDetector(TwoPeople()), MetricOptions(has_truth=has_truth)  # type: ignore[arg-type]
    metric.reader = PlaceReader()  # type: ignore[assignment]
    image = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    rows = metric.rows(Batch(image, image, torch.from_numpy(STANDING)[None]))
    assert metric.score(rows.sum(0)).item() == same


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "_PACKAGE", "no_such_package")
    with pytest.raises(UnavailableError, match=r"pip install 'pgen\[faces\]'"):
        FaceReader()
    with pytest.raises(UnavailableError, match="no pose detector"):
        FaceFound("face-found", MetricOptions())


def test_a_real_face_is_found_and_is_like_itself() -> None:
    pytest.importorskip("dlib")
    data = pytest.importorskip("skimage.data")
    image = data.astronaut()
    pose = np.full((18, 2), np.nan, np.float32)
    for joint, place in {Joint.NOSE: (224, 128), Joint.R_EYE: (207, 108), Joint.L_EYE: (243, 106)}.items():
        pose[joint] = place
    pose[Joint.L_EAR] = (262, 117)
    reader = FaceReader()
    found = reader.describe(b"one", image, pose)
    darker = reader.describe(b"two", (image * 0.7).astype(np.uint8), pose)
    assert found is not None
    assert darker is not None
    assert min(found.sureness, darker.sureness) > CLEAR
    assert np.linalg.norm(found.descriptor - darker.descriptor) < faces.SAME / 2
    assert reader.describe(b"none", image, np.full((18, 2), np.nan, np.float32)) is None

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pgen.data.annotators.choose import Annotators
from pgen.data.annotators.seen_people import SeenPeople, load_seen_people
from pgen.data.weights import save_weights
from pgen.errors import InputError
from pgen.metrics import pose_detectors
from pgen.metrics.pose_detectors import AnnotatorDetector, Detector, find_detector
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.data.annotators.fakes import FakePose


class BrightSpot(LightPoseDetector):
    """All 18 joints where the image is brightest."""

    def forward(self, image: Tensor) -> Tensor:
        half = torch.nn.functional.avg_pool2d(image.mean(1, keepdim=True), 2)
        return half.expand(-1, 18, -1, -1)


@pytest.fixture
def detector(tmp_path: Path) -> Detector:
    network = LightPoseDetector(PoseDetectorConfig(width=4))
    save_weights(tmp_path / "pose.safetensors", (64, 48), {"pose": network})
    found = Detector(tmp_path / "pose.safetensors")
    found.network = BrightSpot(PoseDetectorConfig(width=4))
    return found


def spot(size: tuple[int, int], at: tuple[int, int], radius: int) -> Tensor:
    image = torch.zeros(1, 3, *size, dtype=torch.uint8)
    x, y = at
    image[..., y - radius : y + radius, x - radius : x + radius] = 255
    return image


def test_a_run_is_a_detector(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "pose.safetensors").rename(tmp_path / "weights.safetensors")
    found, hashes, _ = find_detector(str(tmp_path), "cpu")
    assert isinstance(found, Detector)
    assert list(hashes) == ["pose detector"]
    with pytest.raises(InputError, match="holds no pose detector"):
        find_detector("bundled", "cpu")


def test_joints_are_in_pixels_of_the_image(detector: Detector) -> None:
    found = detector(spot((64, 48), (20, 30), 2))
    assert found.shape == (1, 18, 2)
    assert (found[0] - torch.tensor([19.5, 29.5])).abs().max() <= 1
    larger = detector(spot((256, 192), (80, 120), 8))
    assert (larger[0] - torch.tensor([79.5, 119.5])).abs().max() <= 4
    other_shape = detector(spot((128, 128), (30, 60), 6))
    assert (other_shape[0] - torch.tensor([29.5, 59.5])).abs().max() <= 6


def test_nothing_is_found_in_the_dark(detector: Detector) -> None:
    assert detector(torch.zeros(2, 3, 64, 48, dtype=torch.uint8)).isnan().all()


def test_weights_without_a_detector_are_refused(tmp_path: Path) -> None:
    from tests.inference.tiny import write_weights

    with pytest.raises(InputError, match="holds no pose detector"):
        Detector(write_weights(tmp_path / "tiny.safetensors"))


def test_annotators_of_photos_detect_too() -> None:
    pose = np.arange(36).reshape(18, 2)
    detector = AnnotatorDetector(FakePose([pose, pose + 50]))
    found = detector(torch.zeros(2, 3, 64, 48, dtype=torch.uint8))
    torch.testing.assert_close(found, torch.from_numpy(pose).float().expand(2, -1, -1))
    assert AnnotatorDetector(FakePose([]))(torch.zeros(1, 3, 64, 48, dtype=torch.uint8)).isnan().all()


def test_of_several_people_the_one_at_the_asked_pose_counts() -> None:
    largest = np.arange(36, dtype=np.float64).reshape(18, 2)
    beside = largest / 2 + 100
    detector = AnnotatorDetector(FakePose([largest, beside]))
    images = torch.zeros(4, 3, 64, 48, dtype=torch.uint8)
    asked = torch.from_numpy(np.stack([beside, largest, largest + 500, beside + 6])).float()
    asked[0, 4:] = torch.nan  # what is not known does not matter
    found = detector(images, asked)
    torch.testing.assert_close(
        found, torch.from_numpy(np.stack([beside, largest, largest, beside])).float(), equal_nan=True
    )
    nowhere = detector.find_people(images[:1], torch.full((1, 18, 2), torch.nan))[0]
    assert nowhere is not None
    np.testing.assert_array_equal(nowhere.pose, largest)


def test_detectors_by_name(tmp_path: Path) -> None:
    path = tmp_path / "pose.safetensors"
    save_weights(path, (64, 48), {"pose": LightPoseDetector(PoseDetectorConfig(width=4))})
    found, weights, libraries = find_detector(str(path), "cpu")
    assert isinstance(found, Detector)
    assert len(weights["pose detector"]) == 32
    assert libraries == ()
    with pytest.raises(InputError, match="keypointrcnn:FILE"):
        find_detector("keypointrcnn", "cpu")
    with pytest.raises(InputError, match="nowhere"):
        find_detector(str(tmp_path / "nowhere"), "cpu")


def test_mediapipe_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mediapipe")
    annotator = FakePose([])
    monkeypatch.setattr(pose_detectors, "load_seen_people", load_seen_people.__wrapped__)
    monkeypatch.setattr(Annotators, "pose_annotator", lambda self: annotator)
    found, weights, libraries = find_detector("mediapipe", "cpu")
    assert isinstance(found, AnnotatorDetector)
    assert isinstance(found.annotator, SeenPeople)
    assert found.annotator.annotator is annotator
    assert (weights, libraries) == ({}, ("mediapipe",))

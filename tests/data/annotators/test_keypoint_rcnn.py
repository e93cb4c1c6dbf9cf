from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.data import pretrained
from pgen.data.annotators import keypoint_rcnn as module
from pgen.data.annotators.keypoint_rcnn import KeypointRCNN, build_keypoint_rcnn
from pgen.errors import InputError


class Untrusted:
    """What would run if the file were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("1 / 0",))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rcnn") / "keypointrcnn.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = build_keypoint_rcnn().state_dict()
    torch.save(state, path)
    return path


def test_random_weights_load_and_find_nobody_surely(weights: Path) -> None:
    annotator = KeypointRCNN(weights)
    annotator._network.transform.min_size = (128,)  # type: ignore[union-attr, assignment]
    assert annotator.people(np.zeros((64, 48, 3), np.uint8)) == []


def test_coco_joints_become_ours(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    annotator = KeypointRCNN(weights)
    places = torch.stack([torch.arange(17.0), 2 * torch.arange(17.0), torch.ones(17)], 1) + 0.5
    logits = torch.full((17,), 5.0)
    logits[9] = -1.0  # the left wrist is hidden
    small = places * 0.5
    found = {
        "scores": torch.tensor([0.9, 0.95, 0.1]),
        "keypoints": torch.stack([small, places, places]),
        "keypoints_scores": torch.stack([logits] * 3),
    }
    monkeypatch.setattr(annotator, "_network", lambda images: [found])
    people = annotator.people(np.zeros((64, 48, 3), np.uint8))
    assert len(people) == 2
    assert people[0].extent > people[1].extent
    pose = people[0].pose
    np.testing.assert_allclose(pose[Joint.NOSE], (0, 0))
    np.testing.assert_allclose(pose[Joint.R_SHOULDER], (6, 12))
    np.testing.assert_allclose(pose[Joint.NECK], (5.5, 11))
    assert np.isnan(pose[Joint.L_WRIST]).all()
    assert people[0].confidence[Joint.L_WRIST] == 0
    assert people[0].confidence[Joint.NECK] > 0.9


def test_other_files_are_refused(tmp_path: Path, weights: Path) -> None:
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, other)
    with pytest.raises(InputError, match=r"other.pth: no weights of torchvision's"):
        KeypointRCNN(other)
    torch.save({"a": Untrusted()}, other)
    with pytest.raises(InputError, match="not a weights file that can be read safely"):
        KeypointRCNN(other)
    with pytest.raises(InputError, match="no such file"):
        KeypointRCNN(tmp_path / "none.pth")


def test_without_weights_and_network_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*arguments: object, **options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(module.torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(pretrained.urllib.request, "urlopen", offline)
    with pytest.raises(InputError, match=r"cannot be fetched.*keypointrcnn:FILE.pth"):
        KeypointRCNN()

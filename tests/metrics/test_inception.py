"""Inception-v3 with random weights given by path, against torch-fidelity's own functions on the same images."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from PIL import Image
from torch_fidelity import feature_extractor_inceptionv3 as port
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.layouts import LAYOUTS
from pgen.evaluation.measure import Job
from pgen.evaluation.methods import FilesMethod
from pgen.evaluation.photos import FolderPhotos, Pair
from pgen.evaluation.score import score_methods
from pgen.metrics.base import MetricOptions, UnavailableError
from pgen.metrics.inception_score import POOL, TensorflowInception
from pgen.metrics.torchvision_inception import TorchvisionInception
from tests.evaluation.folders import photo

COUNT = 11


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in torch-fidelity's file format."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with (
        mock.patch.object(port.torch, "load", return_value={}),
        mock.patch.object(port.FeatureExtractorInceptionV3, "load_state_dict"),
        torch.random.fork_rng(),
    ):
        torch.manual_seed(0)
        network = port.FeatureExtractorInceptionV3("x", ["2048"], feature_extractor_weights_path="x")
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results and true photos of the same names."""
    root = tmp_path_factory.mktemp("images")
    for name in ("true", "made"):
        (root / name).mkdir()
        for k in range(COUNT):
            Image.fromarray(photo(f"{name}{k}", (32, 24))).save(root / name / f"{k:02}.png")
    return root


def images(folder: Path) -> torch.Tensor:
    arrays = [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)


def library(weights: Path, folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pool features and logits as torch-fidelity itself computes them."""
    extractor = port.FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(weights))
    return extractor(images(folder))


@pytest.mark.slow
def test_scores_equal_torch_fidelity(weights: Path, folder: Path, tmp_path: Path) -> None:
    photos = FolderPhotos(folder / "true")
    pairs = [Pair(None, f"{k:02}.png", f"{k:02}.png") for k in range(COUNT)]
    files = FilesMethod("made", folder / "made", LAYOUTS["plain"])
    options = MetricOptions(("is", "fid"), inception_weights=weights)
    (result,) = score_methods(Job(photos, [files], options, ScoreCache(tmp_path / "c")), pairs)
    found = {score.name: score for score in result.scores}
    made, true = library(weights, folder / "made"), library(weights, folder / "true")
    statistics = [fid_features_to_statistics(features[0]) for features in (made, true)]
    expected = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert found["fid-test"].value == pytest.approx(expected, rel=1e-4)
    scores = isc_features_to_metric(made[1], shuffle=False)
    assert found["is"].value == pytest.approx(scores["inception_score_mean"], abs=1e-4)
    assert found["is"].sd == pytest.approx(scores["inception_score_std"], abs=1e-4)
    assert len(found["is"].metric.weights["Inception-v3"]) == 32
    assert found["is"].metric.versions().keys() >= {"torch-fidelity"}


def test_features_are_torch_fidelity_s(weights: Path, folder: Path) -> None:
    few = images(folder / "made")[:2]
    found = TensorflowInception(weights)(few)
    extractor = port.FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(weights))
    torch.testing.assert_close(found, torch.cat(extractor(few), 1))
    assert found.shape == (2, POOL + 1008)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (tmp_path / "boom").touch, ()

    torch.save({"fc.weight": Bomb()}, tmp_path / "evil.pth")
    with pytest.raises(InputError, match="safely"):
        TensorflowInception(tmp_path / "evil.pth")
    assert not (tmp_path / "boom").exists()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of torch-fidelity"):
        TensorflowInception(tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of torchvision"):
        TorchvisionInception(tmp_path / "w.pth")


def test_without_weights_it_says_what_would_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UnavailableError, match="give their path"):
        TensorflowInception()


def test_the_libraries_have_their_weights_where_we_look() -> None:
    from torchvision.models import Inception_V3_Weights

    assert TensorflowInception.url == port.URL_INCEPTION_V3
    assert Inception_V3_Weights.IMAGENET1K_V1.url == TorchvisionInception.url

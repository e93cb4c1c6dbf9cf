from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from skimage import data

from pgen.errors import InputError
from pgen.metrics import lite0
from pgen.metrics.base import MetricOptions, UnavailableError, create_metrics
from pgen.metrics.fid import Moments, compute_moments, frechet_distance
from pgen.metrics.lite0 import PACKAGE, LightClassifier
from pgen.metrics.networks import hash_file, load_network
from tests.models.pictures import pictures


@pytest.fixture(scope="module")
def classifier() -> LightClassifier:
    pytest.importorskip(PACKAGE)
    return LightClassifier()


def moments(features: torch.Tensor) -> Moments:
    return compute_moments([features[:, ::20].numpy()])  # fewer, and faster


def test_features_are_the_network_s_on_scaled_images(classifier: LightClassifier) -> None:
    _, images = pictures(2, (224, 224))
    found = classifier(images)
    assert found.shape == (2, 1280)
    expected = classifier.network.features(images / 127.5 - 1).pooled
    torch.testing.assert_close(found, expected)
    smaller = F.avg_pool2d(images.float(), 2).round().byte()
    assert torch.cosine_similarity(classifier(smaller), found).min() > 0.8


def test_it_knows_a_cat_and_an_espresso(classifier: LightClassifier) -> None:
    for photo, expected in ((data.chelsea(), 285), (data.coffee(), 967)):
        image = F.interpolate(torch.from_numpy(photo).permute(2, 0, 1)[None].float(), (224, 224), mode="area")
        assert classifier.network(image / 127.5 - 1).argmax() == expected


def test_the_distance_grows_with_the_damage(classifier: LightClassifier) -> None:
    _, images = pictures(8, (64, 64))
    true = moments(classifier(images))
    near, far = (F.avg_pool2d(images.float(), k, 1, k // 2, count_include_pad=False).byte() for k in (3, 7))
    assert frechet_distance(true, moments(classifier(near))) < frechet_distance(true, moments(classifier(far)))


def test_scores_tell_the_file(classifier: LightClassifier) -> None:
    (metric,) = create_metrics(MetricOptions(("lite0-frechet",)), frozenset())[0]
    assert metric.name == "lite0-frechet-test"
    assert metric.weights == {"EfficientNet-Lite0": hash_file(classifier.path)}
    assert "not comparable" in metric.note


def test_without_the_package_or_with_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"_conv_stem.weight": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of EfficientNet-Lite0"):
        load_network(LightClassifier, MetricOptions(lite0_weights=tmp_path / "w.pth"))
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package")
    with pytest.raises(UnavailableError, match="not installed"):
        LightClassifier()

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from skimage import data

from pgen.errors import InputError
from pgen.metrics import light_classifier
from pgen.metrics.distributions import Moments, frechet_distance
from pgen.metrics.feature_networks import file_hash, load_feature_network
from pgen.metrics.inception import UnavailableError
from pgen.metrics.light_classifier import PACKAGE, LightClassifier
from pgen.metrics.registry import suite
from pgen.metrics.scores import Options
from tests.models.pictures import pictures


@pytest.fixture(scope="module")
def classifier() -> LightClassifier:
    pytest.importorskip(PACKAGE)
    return LightClassifier()


def moments(features: torch.Tensor) -> Moments:
    features = features[:, ::20]  # fewer, and faster
    found = Moments(features.shape[1])
    found.add(features.numpy())
    return found


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
    (score,) = suite(Options(("lite0-frechet",)), frozenset()).scores
    assert score.name == "lite0-frechet-test"
    assert score.weights == {"EfficientNet-Lite0": file_hash(classifier.path)}
    assert "not comparable" in score.note


def test_without_the_package_or_with_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"_conv_stem.weight": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of EfficientNet-Lite0"):
        load_feature_network("lite0", tmp_path / "w.pth", False, "cpu")
    monkeypatch.setattr(light_classifier, "PACKAGE", "no_such_package")
    with pytest.raises(UnavailableError, match="not installed"):
        LightClassifier()

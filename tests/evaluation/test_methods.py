from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgen.data.annotators.choose import Annotators
from pgen.errors import InputError
from pgen.evaluation.methods import BASELINES
from pgen.evaluation.network_methods import NetworksMethod, PredictedLabelPaste, choose_methods
from pgen.evaluation.photos import Pair, Photo, StorePhotos
from pgen.inference.networks import Networks
from pgen.inference.predictor import load
from tests.data.examples import write_store
from tests.inference.tiny import write_weights

PAIR = Pair("001.png", "002.png")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> StorePhotos:
    return StorePhotos(write_store(tmp_path_factory.mktemp("store") / "s.h5"))


def both(photos: StorePhotos) -> tuple[Photo, Photo]:
    return photos.load("001.png"), photos.load("002.png")


def test_networks_predict_what_generate_gives(photos: StorePhotos, tmp_path: Path) -> None:
    path = write_weights(tmp_path / "tiny.safetensors")
    predicted, true = NetworksMethod("a", path), NetworksMethod("a", path, true_maps=True)
    source, target = both(photos)
    model = load(path, "cpu", precision="fp32")  # as scores are taken
    person = model.person(source.image, source.pose, source.parsing, crop=False)
    assert target.pose is not None
    for system, parsing in ((predicted, None), (true, target.parsing)):
        result = system.predict(PAIR, source, target)
        expected = model.generate(person, target.pose, parsing, retarget="none", resolution="network")
        np.testing.assert_array_equal(result.image, expected.image)
        assert result.parsing is not None
        np.testing.assert_array_equal(result.parsing, expected.parsing)
    assert predicted.digest(PAIR) != true.digest(PAIR)
    # A map that was given is no achievement.
    assert (predicted.predicts_parsing, true.predicts_parsing) == (True, False)


def test_results_at_the_photo_s_resolution_are_those_that_users_get(
    photos: StorePhotos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Annotators, "find_people", lambda *_: None)
    path = write_weights(tmp_path / "tiny.safetensors")
    system = NetworksMethod("a", path, resolution="photo")
    source, target = both(photos)
    carried = np.zeros(source.image.shape[:2], np.uint8)
    carried[60:80, 80:100] = 1
    model = load(path, "cpu", precision="fp32")  # as scores are taken
    assert target.pose is not None
    person = replace(model.person(source.image, source.pose, source.parsing, crop=False), carried=carried > 0)
    result = system.predict(PAIR, replace(source, carried=carried), target)
    expected = model.generate(person, target.pose, retarget="none", resolution="photo")
    np.testing.assert_array_equal(result.image, expected.image)
    assert result.parsing is not None
    np.testing.assert_array_equal(result.parsing, expected.parsing)
    other = NetworksMethod("a", path)
    assert other.digest(PAIR) != system.digest(PAIR)
    assert (other.about["resolution"], system.about["resolution"]) == ("the network's", "the photo's")
    assert not np.array_equal(other.predict(PAIR, source, target).image, result.image)


def test_without_h_s_true_maps_are_taken(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "ha.safetensors", semantic=False)
    system = NetworksMethod("a", path)
    assert system.about["maps"] == "true"
    assert not system.predicts_parsing


def test_weights_without_h_a_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no appearance generator"):
        NetworksMethod("a", write_weights(tmp_path / "hs.safetensors", appearance=False))


def test_weights_tell_themselves_apart(tmp_path: Path) -> None:
    paths = [write_weights(tmp_path / "a.safetensors"), write_weights(tmp_path / "b.safetensors", semantic=False)]
    first, second = (NetworksMethod("a", path, true_maps=True) for path in paths)
    assert first.digest(PAIR) != second.digest(PAIR)


@pytest.mark.parametrize(("given", "name"), [("lr=0.1", "lr=0.1"), ("a={}lr=0.1", "a")])
def test_paths_may_have_equals_signs(
    given: str, name: str, photos: StorePhotos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lr=0.1").mkdir()
    write_weights(tmp_path / "lr=0.1" / "weights.safetensors")
    monkeypatch.chdir(tmp_path)
    (method,) = choose_methods([given.format("./")], [], ["predicted"], photos, "cpu")
    assert method.name == name


def test_copying_gives_the_source(photos: StorePhotos) -> None:
    source, target = both(photos)
    result = BASELINES["copy-source"].predict(PAIR, source, target)
    np.testing.assert_array_equal(result.image, source.image)
    np.testing.assert_array_equal(result.parsing, source.parsing)


@pytest.mark.parametrize("name", ["affine-paste", "label-paste"])
def test_pastes_carry_the_shirt(name: str, photos: StorePhotos) -> None:
    """Poses of these people differ by a pixel a person."""
    source, target = both(photos)
    result = BASELINES[name].predict(PAIR, source, target).image.astype(int)
    inside = (slice(40, 55), slice(60, 70))
    moved = tuple(slice(one.start + 1, one.stop + 1) for one in inside)
    assert np.abs(result[moved] - source.image[inside]).mean() < 5
    assert np.abs(result[inside] - target.image[inside]).mean() > 40


@pytest.mark.parametrize("name", ["affine-paste", "label-paste"])
def test_what_is_not_known_is_told(name: str, photos: StorePhotos) -> None:
    source, target = both(photos)
    with pytest.raises(InputError, match=r"pose of 001\.png is not known"):
        BASELINES[name].predict(PAIR, Photo(source.image, None, source.parsing), target)
    with pytest.raises(InputError, match="not known"):
        BASELINES[name].predict(PAIR, None, target)


def test_unknown_baseline(photos: StorePhotos) -> None:
    with pytest.raises(InputError, match="choose one of copy-source, affine-paste, label-paste, label-paste-predicted"):
        choose_methods([], ["none"], ["predicted"], photos, "cpu")


def test_pasting_into_the_predicted_map(photos: StorePhotos, tmp_path: Path) -> None:
    """The map is the networks', and the picture is not that of the paste into the true map."""
    networks = NetworksMethod("a", write_weights(tmp_path / "weights.safetensors"))
    result, expected = (system.predict(PAIR, *both(photos)) for system in (PredictedLabelPaste(networks), networks))
    assert result.parsing is not None
    assert np.array_equal(result.parsing, expected.parsing)
    into_true = BASELINES["label-paste"].predict(PAIR, *both(photos))
    assert not np.array_equal(result.image, into_true.image)
    without = write_weights(tmp_path / "without.safetensors", semantic=False)
    with pytest.raises(InputError, match="predicts no maps"):
        PredictedLabelPaste(NetworksMethod("b", without))


def test_pairs_of_one_source_are_generated_together_and_maps_predicted_once(
    photos: StorePhotos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = NetworksMethod("a", write_weights(tmp_path / "weights.safetensors"))
    pairs = [Pair("001.png", f"{k:03}.png") for k in (2, 3, 0)]
    source, targets = photos.load("001.png"), [photos.load(pair.target) for pair in pairs]
    expected = [networks.predict(pair, source, target) for pair, target in zip(pairs, targets, strict=True)]
    asked = []
    predict_maps = Networks.predict_maps
    monkeypatch.setattr(Networks, "predict_maps", lambda *given: asked.append(1) or predict_maps(*given))
    source = photos.load("001.png")
    targets[1] = Photo(targets[1].image, None)
    found = networks.predict_many(pairs, source, targets)
    pasted = PredictedLabelPaste(networks).predict_many(pairs, source, targets)
    assert len(asked) == 1
    for k in (0, 2):
        for one in (found[k], pasted[k]):
            assert isinstance(one, Photo)
            np.testing.assert_array_equal(one.parsing, expected[k].parsing)  # type: ignore[arg-type]
        np.testing.assert_array_equal(found[k].image, expected[k].image)  # type: ignore[union-attr]
    assert all("pose of 003.png is not known" in str(each[1]) for each in (found, pasted))

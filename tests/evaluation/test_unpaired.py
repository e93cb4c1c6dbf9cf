"""Scores without pairs: anybody in any pose, without true photos."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pgen.body.joints import HEAD_JOINTS
from pgen.data.store import Store
from pgen.data.weights import save_weights
from pgen.errors import InputError
from pgen.evaluation.network_methods import NetworksMethod
from pgen.evaluation.photos import Photo
from pgen.evaluation.report import Report
from pgen.evaluation.run import evaluate
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.data.examples import SIZE, write_store
from tests.inference.tiny import FRAME, write_weights

FEW = {"unpaired": True, "offline": True, "workers": 1, "no_cache": True}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpaired")
    write_store(folder / "s.h5")
    write_weights(folder / "tiny.safetensors")
    save_weights(folder / "pose.safetensors", (64, 64), {"pose": LightPoseDetector(PoseDetectorConfig(width=4))})
    return folder


@pytest.fixture(scope="module")
def report(here: Path) -> Report:
    return evaluate(
        here / "s.h5", here / "tiny.safetensors", baselines=("affine-paste", "copy-source"), pose=("walk", "back"),
        detector=str(here / "pose.safetensors"), metrics=("ssim", "pckh", "parsed-miou", "vgg-relu2-frechet"),
        resolution="network", **FEW,
    )  # fmt: skip


def test_everybody_for_testing_is_put_into_every_pose(report: Report) -> None:
    assert [result.method.name for result in report] == ["tiny", "affine-paste", "copy-source"]
    assert [(pair.source, pair.target) for pair in report.pairs[:3]] == [
        ("000.png", "000.png in walk"), ("000.png", "000.png in back"), ("002.png", "002.png in walk")
    ]  # fmt: skip
    assert list(report.metrics()) == ["pckh", "parsed-miou", "vgg-relu2-frechet-photos"]
    assert "true photo" in report.missing()["ssim"]
    assert report[2].scores[2].value == pytest.approx(0, abs=1e-6)  # copies are real photos
    assert report[0].groups == ["p0"] * 6


def test_the_report_shows_what_was_asked_for(report: Report) -> None:
    page = report.html()
    assert '"target": "asked pose"' in page
    assert "3 photos, each in walk, back" in page
    assert report.draw_examples(1).ndim == 3
    assert "painted into, else the asked one" in report.markdown()


def test_targets_are_what_generate_would_aim_at(report: Report) -> None:
    photos = report.photos
    source, walk, back = (photos.load(name) for name in ("000.png", "000.png in walk", "000.png in back"))
    assert source.image.shape == (*FRAME, 3)
    np.testing.assert_array_equal(walk.image, source.image)
    assert walk.parsing is not None
    assert source.pose is not None
    assert walk.pose is not None
    assert back.pose is not None
    head = list(HEAD_JOINTS)
    # A bundled pose seen from the front keeps the head as it is, one from behind does not.
    assert np.ptp(walk.pose[head] - source.pose[head], axis=0).max() < 2
    assert np.isnan(back.pose[head]).sum() > np.isnan(source.pose[head]).sum()
    again = pickle.loads(pickle.dumps(photos))
    assert (again.where, again.has_truth, again.digest("002.png")) == (photos.where, False, photos.digest("002.png"))


def test_results_have_the_photo_s_resolution(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgen.data.annotators.choose.Annotators.find_people", lambda *_: None)
    rendered: list[Photo | InputError] = []
    own = NetworksMethod._render
    monkeypatch.setattr(NetworksMethod, "_render", lambda *given: rendered.extend(own(*given)) or rendered[-1:])
    found = evaluate(
        here / "s.h5", here / "tiny.safetensors", pose="walk", metrics="vgg-relu2-frechet", limit=1, **FEW,
    )  # fmt: skip
    assert found[0].method.about["resolution"] == "the photo's"
    (result,) = rendered
    assert isinstance(result, Photo)
    assert result.image.shape == (*SIZE, 3)
    assert result.parsing is not None
    with Store(here / "s.h5") as store:
        assert result.parsing.shape == store.size


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({}, "photos"),
        ({"data": "s.h5", "photos": "s.h5"}, "photos"),
        ({"data": "s.h5", "generated": "results"}, "generated"),
        ({"data": "s.h5", "pairs": "pairs.csv"}, "pairs"),
        ({"data": "s.h5", "resolution": "half"}, "resolution"),
        ({"data": "s.h5", "pose": "walkk"}, "pose"),
    ],
)
def test_errors_name_the_parameter_to_change(
    arguments: dict, option: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    with pytest.raises(InputError) as caught:
        evaluate(**arguments, **FEW)
    assert caught.value.option == option

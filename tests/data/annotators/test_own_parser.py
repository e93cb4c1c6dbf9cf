from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgen.body.labels import Label
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.own_parser import OwnParser
from pgen.data.weights import BUNDLED_PARSER, bundled_path, save_weights
from pgen.errors import InputError
from pgen.models.parser import Parser, ParserConfig, ParserInput
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from tests.data.examples import STANDING, example

torch.set_num_threads(1)
A = example(0)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "parser.safetensors"
    save_weights(path, (64, 64), {"parser": Parser(ParserConfig((4, 8, 8), (1, 1, 1)))})
    return path


def refuse(*arguments: Any, **options: Any) -> None:
    raise AssertionError("the network was touched")


class Everywhere(nn.Module):
    """Says that all the frame is the left arm."""

    def __init__(self, logit: float = 5.0) -> None:
        super().__init__()
        self.logit = logit
        self.asked: list[ParserInput] = []

    def forward(self, inputs: ParserInput) -> Tensor:
        self.asked.append(inputs)
        logits = torch.zeros(len(inputs.images), 10, 32, 32)
        logits[:, Label.L_ARM] = self.logit
        return logits


def test_maps_have_their_photos_sizes(weights: Path) -> None:
    large = np.repeat(np.repeat(A.image, 3, 0), 2, 1)
    photos = [
        ParsingRequest(A.image, STANDING),
        ParsingRequest(large, STANDING * (2, 3), np.ones(large.shape[:2], np.float32)),
    ] * 5
    maps = [found.labels for found in OwnParser(weights).parse(photos)]
    assert [found.shape for found in maps] == [photo.image.shape[:2] for photo in photos]
    assert all(found.dtype == np.uint8 and found.max() < 10 for found in maps)
    np.testing.assert_array_equal(maps[0], maps[8])  # whatever is beside it in the batch
    assert OwnParser(weights).parse([]) == []


def test_what_is_far_from_the_silhouette_is_background(weights: Path) -> None:
    """And arms are of the side of the nearest limb."""
    parser, network = OwnParser(weights), Everywhere()
    parser._network = network  # type: ignore[assignment]
    silhouette = np.zeros(A.image.shape[:2], np.float32)
    silhouette[20:110, 30:100] = 1
    found = parser.parse([ParsingRequest(A.image, STANDING, silhouette)])[0].labels
    assert not found[:4].any()
    assert (found[30:100, 40:90] > 0).all()
    assert set(np.unique(found)) == {Label.BACKGROUND, Label.L_ARM, Label.R_ARM}
    assert network.asked[0].has_silhouette.tolist() == [True]
    parser.parse([ParsingRequest(A.image, STANDING)])
    assert network.asked[-1].has_silhouette.tolist() == [False]


def test_closeups_are_larger_than_in_training(weights: Path) -> None:
    parser, network = OwnParser(weights), Everywhere()
    parser._network = network  # type: ignore[assignment]
    parser.parse([ParsingRequest(A.image, STANDING)])
    assert network.asked[0].images.shape[2:] == network.asked[0].silhouettes.shape[2:] == (80, 80)


@pytest.mark.parametrize(("logit", "doubts"), [(5.0, 0), (1.0, 1)])
def test_uncertain_maps_are_doubtful(weights: Path, logit: float, doubts: int) -> None:
    """Of ten labels one has a probability of 94 or of 23 %."""
    parser, network = OwnParser(weights), Everywhere(logit)
    parser._network = network  # type: ignore[assignment]
    silhouette = np.zeros(A.image.shape[:2], np.float32)
    silhouette[20:110, 30:100] = 1
    found = parser.parse([ParsingRequest(A.image, STANDING, silhouette)] * 2)
    assert [len(one.doubts) for one in found] == [doubts] * 2


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pose.safetensors"
    save_weights(path, (64, 64), {"pose": LightPoseDetector(PoseDetectorConfig(width=2))})
    with pytest.raises(InputError, match=r"pose.safetensors: holds no parser; choose other weights"):
        OwnParser(path)


def test_weights_are_a_file_a_run_or_bundled(weights: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "parser"
    run.mkdir(parents=True)
    with pytest.raises(InputError, match="no weights of a training") as error:
        OwnParser(run)
    assert error.value.option == "parser"
    weights.rename(run / "last.safetensors")
    assert OwnParser(run)._frame == (80, 80)
    assert OwnParser("bundled")._frame == OwnParser()._frame == (448, 448)


def test_the_bundled_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are small, need no network, and find a synthetic person whom they never saw."""
    from pgen.data.readers.synthetic import synthetic_example

    assert bundled_path(BUNDLED_PARSER).stat().st_size <= 6e6
    person = synthetic_example(424242, 0, 0)
    photo = ParsingRequest(person.image, person.pose, (person.parsing > 0).astype(np.float32))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = OwnParser().parse([photo])[0]
    assert (found.labels == person.parsing).mean() > 0.95
    assert found.doubts == ()


@pytest.mark.gpu
def test_maps_on_a_gpu_are_those_on_the_cpu() -> None:
    photo, parser = ParsingRequest(A.image, STANDING), OwnParser()
    expected = parser.parse([photo])[0].labels
    parser.to(torch.device("cuda"))
    assert (parser.parse([photo])[0].labels == expected).mean() > 0.999

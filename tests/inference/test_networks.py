"""The networks on people in their frame: one person in many poses, and in other precisions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pgen
from pgen.body.transfer import Transfer
from pgen.data.named_poses import load_named_poses
from pgen.data.weights import Weights
from pgen.inference.predictor import Predictor
from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import render
from tests.data.examples import STANDING, example

POSES = [STANDING, STANDING + 3, STANDING - 2]


@pytest.mark.parametrize("local", [(), (2, 4)], ids=["one level", "two levels"])
@pytest.mark.parametrize("parsing", [True, False], ids=["maps", "pose masks"])
def test_one_person_in_many_poses_is_each_alone_and_encoded_once(local: tuple[int, ...], parsing: bool) -> None:
    torch.manual_seed(0)
    config = AppearanceConfig((4, 8, 8, 8), local, 2, guide_channels=4 * parsing, parsing=parsing)
    semantic = SemanticGenerator(SemanticConfig((4, 8, 8), 2, warped_parsing=True)).eval() if parsing else None
    weights = Weights((64, 64), semantic, build_appearance_generator(config).eval())
    model, a = Predictor(weights, precision="fp32"), example(0)  # otherwise they would be copies, and not counted
    person = model.person(a.image, a.pose, a.parsing)
    calls: list[int] = []

    def count(encoder: torch.nn.Module, _: object) -> None:
        calls.append(id(encoder))

    for network in (weights.semantic, weights.appearance):
        for name, part in [] if network is None else network.named_modules():
            if name.endswith("source_encoder.stem"):
                part.register_forward_pre_hook(count)
    together = list(model.generate_many(person, POSES, resolution="network"))
    once = len(calls)
    assert once == 1 + bool(local) + 2 * parsing  # H_A's encoders; H_S's for the person and for their mirror image
    for pose, many in zip(POSES, together, strict=True):
        fresh = Predictor(weights, precision="fp32")
        one = fresh.generate(person, pose, resolution="network")
        assert np.abs(one.image.astype(int) - many.image).max() <= 1
        assert (one.parsing != many.parsing).mean() < 1e-3
    assert len(calls) == once * (1 + len(POSES))
    list(model.generate_many(person, POSES[:1], resolution="network"))
    assert len(calls) == once * (1 + len(POSES))  # it is still known


def test_another_person_is_encoded_anew(weights: Path) -> None:
    predictor = pgen.load(weights, "cpu")
    people = [predictor.person(a.image, a.pose, a.parsing) for a in (example(0), example(1))]
    fresh = [pgen.load(weights, "cpu").generate(one, STANDING, resolution="network").image for one in people]
    found = [predictor.generate(one, STANDING, resolution="network").image for one in (*people, people[0])]
    for one, expected in zip(found, (*fresh, fresh[0]), strict=True):
        assert np.array_equal(one, expected)
    assert not np.array_equal(*fresh)


@pytest.mark.slow  # processors that do not multiply bf16 take ten times as long
def test_bf16_is_as_good_as_fp32_on_the_bundled_weights() -> None:
    """At least 45 dB between the pictures, each of its own map: what "auto" relies on."""
    images = []
    photo = render(synthetic_person(3, 0), synthetic_shot(3, 0, 0))
    pose = torch.from_numpy(load_named_poses()["walk"].pose)[None]
    for name in ("fp32", "bf16"):
        predictor = pgen.load(device="cpu", precision=name)
        networks = predictor.networks
        source = networks.frame_person(predictor.person(photo.image, photo.pose, photo.parsing)).batch
        transfer = Transfer(source.poses, pose, networks.frame)
        images.append(networks.paint(source, transfer, networks.predict_maps(source, transfer)))
    error = (images[0] - images[1]).square().mean()
    assert error > 0
    assert 10 * torch.log10(4 / error) > 45

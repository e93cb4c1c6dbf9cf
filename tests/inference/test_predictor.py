from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pgen
from pgen.body.batch import PersonBatch, flip_persons, flip_poses
from pgen.body.labels import FLIP_LABELS
from pgen.body.transfer import Transfer
from pgen.data.weights import Weights, find_weights
from pgen.errors import InputError
from pgen.inference.predictor import Predictor, load
from pgen.models.appearance import AppearanceConfig, build_appearance_generator, paint
from tests.data.examples import STANDING, example
from tests.inference.tiny import FRAME, WIDTHS, write_weights


def test_load_says_what_it_took(weights: Path) -> None:
    model = pgen.load(weights, device="cpu")
    assert model.origin == f"weights: {weights}"
    assert (model.frame, model.device) == (FRAME, torch.device("cpu"))


def test_a_run_is_asked_for_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs/joint").mkdir(parents=True)
    write_weights(tmp_path / "runs/joint/weights.safetensors")
    monkeypatch.chdir(tmp_path)
    assert load("runs/joint", "cpu").origin == "weights: runs/joint/weights.safetensors"
    assert "bundled" in find_weights(None)[1]


def test_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(InputError, match=r"no.safetensors.*no such file"):
        load(tmp_path / "no.safetensors")
    with pytest.raises(InputError, match=r"hs.safetensors.*H_A"):
        load(write_weights(tmp_path / "hs.safetensors", appearance=False))
    for device in ("cuda:99", "nonsense"):
        with pytest.raises(InputError, match=f"{device}: no such device"):
            load(weights, device)


@pytest.mark.parametrize("photo", ["me.jpg", np.zeros((64, 64, 3), np.uint8)], ids=["path", "array"])
def test_a_photo_is_no_person(model: Predictor, photo: object) -> None:
    person = model.person(example(0).image, STANDING, example(0).parsing)
    for call in (
        lambda: model.generate(photo, STANDING),  # type: ignore[arg-type]
        lambda: model.transfer_texture(photo, person),  # type: ignore[arg-type]
        lambda: model.transfer_texture(person, photo),  # type: ignore[arg-type]
        lambda: model.manipulate(photo, {"sleeves": "none"}),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match="make one with Predictor"):
            call()
    with pytest.raises(TypeError, match="no argument 'backgroud'; choose one of head, background"):
        model.generate(person, STANDING, backgroud="white")  # type: ignore[call-arg]


def test_weights_without_layouts_need_a_map(tmp_path: Path) -> None:
    model = load(write_weights(tmp_path / "ha.safetensors", semantic=False), "cpu")
    a = example(0)
    person = model.person(a.image, a.pose, a.parsing)
    assert model.generate(person, STANDING, a.parsing).image.shape == a.image.shape
    with pytest.raises(InputError, match=r"H_S.*give the target's parsing map"):
        model.generate_many(person, [STANDING])


def test_layouts_of_mirror_images_are_mirror_images(weights: Path) -> None:
    model = load(weights, "cpu")
    a, b = example(0), example(1)
    images = torch.from_numpy(np.stack([a.image, b.image])).permute(0, 3, 1, 2) / 127.5 - 1
    labels = torch.from_numpy(np.stack([a.parsing, b.parsing])).long()
    source = PersonBatch(images, labels, torch.from_numpy(np.stack([a.pose, b.pose])))
    target = source.poses.flip(0)
    mirror = flip_persons(source, torch.tensor([True, True]))
    found = model.networks.predict_maps(source, Transfer(source.poses, target, source.size))
    seen = model.networks.predict_maps(mirror, Transfer(mirror.poses, flip_poses(target, source.size[1]), source.size))
    assert len(found.unique()) > 2
    agree = torch.tensor(FLIP_LABELS)[seen].flip(2) == found
    assert agree.float().mean() > 0.99  # ties may fall either way


@pytest.mark.parametrize("kind", ["guided", "baseline", "paper"])
def test_networks_with_a_guide_and_maps_are_held_to_it(kind: str) -> None:
    """Random networks paint grey noise; held to the guide, a picture has the source's colours."""
    config = AppearanceConfig(WIDTHS, local_widths=(), guide_channels=4 * (kind != "paper"), parsing=kind != "baseline")
    torch.manual_seed(0)
    network = build_appearance_generator(config).eval()
    model = Predictor(Weights(FRAME, appearance=network), precision="fp32")  # auto is bf16 on some processors
    a = example(0)
    image = torch.from_numpy(a.image).permute(2, 0, 1)[None] / 127.5 - 1
    source = PersonBatch(image, torch.from_numpy(a.parsing)[None].long(), torch.from_numpy(a.pose)[None])
    transfer = Transfer(source.poses, torch.from_numpy(STANDING)[None], source.size)
    found = model.networks.paint(source, transfer, source.labels)
    with torch.inference_mode():
        painted = paint(network, source, transfer, source.one_hot())
    guide = transfer.paste(source.images, source.labels, source.labels)
    assert torch.equal(found, painted) == (kind != "guided")
    if kind == "guided":
        away, before = ((x - guide.image).mean((2, 3)).abs().max() for x in (found, painted))
        assert away < 0.2 * before


def test_two_levels(tmp_path: Path) -> None:
    network = build_appearance_generator(AppearanceConfig((4, 8, 8, 8, 8, 8), local_widths=(2, 4))).eval()
    model = Predictor(Weights((128, 128), appearance=network))
    a = example(0)
    assert model.generate(model.person(a.image, a.pose, a.parsing), STANDING, a.parsing).image.std() > 0

"""Where the weights of the perceptual features come from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pgen.data import fetch
from pgen.data.vgg import load_vgg_features
from pgen.errors import InputError
from pgen.models.vgg import VggFeatures


def test_vgg_from_a_file(tmp_path: Path) -> None:
    wanted = VggFeatures().state_dict()
    state = {name: torch.full_like(value, 0.5) for name, value in wanted.items()}
    torch.save(state | {"features.28.weight": torch.zeros(2), "classifier.0.bias": torch.zeros(2)}, tmp_path / "v.pth")
    network, source = load_vgg_features(tmp_path / "v.pth")
    assert source == str(tmp_path / "v.pth")
    assert all((p == 0.5).all() and not p.requires_grad for p in network.parameters())
    for broken in ({"features.5.bias": torch.zeros(7)}, {}):
        save_file(broken, tmp_path / "v.safetensors")
        with pytest.raises(InputError, match="no VGG-16 weights"):
            load_vgg_features(tmp_path / "v.safetensors")


def test_vgg_from_the_cache_goes_before_the_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    network, source = load_vgg_features()
    assert "bundled" in source
    assert network.state_dict()["features.0.weight"].abs().sum() > 0
    (tmp_path / "checkpoints").mkdir()
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    torch.save(state, tmp_path / "checkpoints" / "vgg16-397923af.pth")
    network, source = load_vgg_features()
    assert source == "torchvision's VGG-16"
    assert not any(p.any() for p in network.parameters())
    assert load_vgg_features("bundled")[1] == "the bundled VGG-16 layers"


def test_vgg_is_fetched_once_if_asked_and_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Answer:
        def __enter__(self) -> None:
            asked.append("head")

        def __exit__(self, *_: object) -> None:
            pass

    def download(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        assert hash_prefix in url
        torch.save(VggFeatures().state_dict(), path)
        asked.append("download")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda request, timeout: Answer())
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert "bundled" in load_vgg_features()[1]
    assert asked == []
    for _ in range(2):
        assert load_vgg_features(fetch=True)[1] == "torchvision's VGG-16"
    assert asked == ["head", "download"]


def test_without_a_network_the_bundled_layers_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: object, timeout: float) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(fetch.urllib.request, "urlopen", refuse)
    assert load_vgg_features(fetch=True)[1] == "the bundled VGG-16 layers"

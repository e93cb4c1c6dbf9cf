"""Where the weights of well-known networks come from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pgen.data import pretrained
from pgen.data.pretrained import find_cached_weights, load_vgg_features
from pgen.data.weights import load_trunk_state, read_state_dict
from pgen.errors import InputError
from pgen.models.efficientnet_lite0 import fold_batch_norms
from pgen.models.parser import TRUNK_STAGES, Parser, ParserConfig
from pgen.models.vgg import VggFeatures
from pgen.tools.derive_lite0 import derive
from tests.models.published_lite0 import STAGES, published


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
    monkeypatch.setattr(pretrained.urllib.request, "urlopen", lambda request, timeout: Answer())
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
    monkeypatch.setattr(pretrained.urllib.request, "urlopen", refuse)
    assert load_vgg_features(fetch=True)[1] == "the bundled VGG-16 layers"


URL = "https://example.org/models/network-0123abcd.pth"


def test_the_cache_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert find_cached_weights(URL, fetch=False) is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "network-0123abcd.pth").touch()
    assert find_cached_weights(URL, fetch=True) == tmp_path / "checkpoints" / "network-0123abcd.pth"


def test_a_damaged_download_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def download(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        assert hash_prefix == "0123abcd"
        raise RuntimeError("invalid hash value")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(pretrained.urllib.request, "urlopen", lambda request, timeout: Answer())
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert find_cached_weights(URL, fetch=True) is None


def test_the_bundled_trunk_fits_and_sees_edges() -> None:
    parser = Parser(ParserConfig())
    parser.trunk.load_state_dict(load_trunk_state())
    flat, half = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    half[..., 32:] = 1
    of_flat, of_half = (parser.trunk.features(image).stages[0] for image in (flat, half))
    assert (of_half - of_flat)[..., 15:17].abs().mean() > 0.5
    assert all(value.dtype == torch.float32 for value in load_trunk_state().values())


def test_the_trunk_is_made_of_published_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = published(STAGES)
    torch.save(state, tmp_path / "lite0.pth")
    derive(tmp_path / "lite0.pth", tmp_path / "trunk.safetensors")
    found = read_state_dict(tmp_path / "trunk.safetensors")
    for name, value in fold_batch_norms(state, TRUNK_STAGES).items():
        assert torch.equal(found[name], value.half())

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pgen.data.weights import load_weights, save_weights
from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, OneLevelAppearanceGenerator
from pgen.models.parser import Parser, ParserConfig
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.tools import bundle_weights
from pgen.tools.bundle_weights import bundle

FRAME = (64, 64)


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_weights, "bundled_path", lambda name: tmp_path / "bundled" / name)
    (tmp_path / "bundled").mkdir()


def written(path: Path, seed: int, width: int = 4) -> Path:
    torch.manual_seed(seed)
    networks = {
        "semantic": SemanticGenerator(SemanticConfig((4, 8, 8, 8), warped_levels=2)),
        "appearance": OneLevelAppearanceGenerator(AppearanceConfig((width, 8, 8, 8), (), 2)),
    }
    save_weights(path, FRAME, networks, {"step": seed, "config": {}, "data": "people.h5", "scores": {"ssim": 0.5}})
    return path


def test_the_mean_of_two_trainings_and_h_s_of_a_third(tmp_path: Path) -> None:
    one, two, three = (written(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2, 3))
    bundle("mean", [f"{one}:0.4", f"{two}:0.6"], [f"{three}:0.75", f"{one}:0.25"])
    found = load_weights(tmp_path / "bundled" / "mean.safetensors")
    first, second, third = (load_weights(path) for path in (one, two, three))
    for key, value in found.appearance.state_dict().items():
        expected = 0.4 * first.appearance.state_dict()[key] + 0.6 * second.appearance.state_dict()[key]
        torch.testing.assert_close(value, expected, rtol=2e-3, atol=1e-4)
    for key, value in found.semantic.state_dict().items():
        expected = 0.75 * third.semantic.state_dict()[key] + 0.25 * first.semantic.state_dict()[key]
        torch.testing.assert_close(value, expected, rtol=2e-3, atol=1e-4)
    assert found.info["mean"] == ["1.safetensors, step 1: 0.4", "2.safetensors, step 2: 0.6"]
    assert found.info["semantic"]["step"] == 3
    assert found.info["semantic"]["mean"] == ["3.safetensors, step 3: 0.75", "1.safetensors, step 1: 0.25"]
    assert "scores" not in found.info


def test_one_training_is_taken_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "1.safetensors", 1)
    bundle("one", [str(path)])
    found, given = load_weights(tmp_path / "bundled" / "one.safetensors"), load_weights(path)
    for key, value in found.appearance.state_dict().items():
        torch.testing.assert_close(value, given.appearance.state_dict()[key], rtol=2e-3, atol=1e-4)
    assert found.info == given.info


def test_a_parser(tmp_path: Path) -> None:
    path = tmp_path / "parser.safetensors"
    save_weights(path, FRAME, {"parser": Parser(ParserConfig((4, 8, 8), (1, 1, 1)))}, {})
    bundle("parser", [str(path)])
    assert load_weights(tmp_path / "bundled" / "parser.safetensors").parser is not None


def test_what_cannot_be_bundled_is_refused(tmp_path: Path) -> None:
    one, wide = written(tmp_path / "1.safetensors", 1), written(tmp_path / "2.safetensors", 2, width=8)
    with pytest.raises(InputError, match=r"the shares make 0.9, not 1"):
        bundle("x", [f"{one}:0.4", f"{one}:0.5"])
    with pytest.raises(InputError, match="differ in their sizes"):
        bundle("x", [f"{one}:0.5", f"{wide}:0.5"])
    only = tmp_path / "semantic.safetensors"
    save_weights(only, FRAME, {"semantic": load_weights(one).semantic}, {})
    with pytest.raises(InputError, match="a parser, or both H_S and H_A"):
        bundle("x", [str(only)])
    save_weights(tmp_path / "3.safetensors", FRAME, {"appearance": load_weights(one).appearance}, {})
    with pytest.raises(InputError, match="holds no H_S"):
        bundle("x", [str(one)], [str(tmp_path / "3.safetensors")])

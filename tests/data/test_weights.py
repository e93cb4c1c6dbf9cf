from __future__ import annotations

import json
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from pgen.data.pretrained import load_vgg_features
from pgen.data.weights import (
    BUNDLED,
    BUNDLED_PARSER,
    FORMAT,
    Weights,
    bundled_path,
    describe,
    find_weights,
    load_weights,
    read_state_dict,
    save_weights,
)
from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.parser import Parser, ParserConfig
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig
from pgen.models.semantic import SemanticConfig, SemanticGenerator

torch.set_num_threads(1)  # networks this small are only slowed down by more

WIDTHS = (4, 8, 8)


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    found: dict[str, nn.Module] = {
        "semantic": SemanticGenerator(SemanticConfig(WIDTHS, 2, 0.25)),
        "appearance": build_appearance_generator(AppearanceConfig(WIDTHS, (2, 4), 2, guide_channels=4, parsing=True)),
        "pose": LightPoseDetector(PoseDetectorConfig(width=2)),
        "parser": Parser(ParserConfig((2, 4, 4), (1, 1, 1))),
    }
    found["pose"](torch.randn(2, 3, 64, 64))  # moves the batch norms' statistics
    return found


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(path, (64, 32), networks(), {"preset": "mine"})
    return path.read_bytes()


@pytest.fixture
def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    return path


def rewritten(file: Path, **metadata: Any) -> Path:
    """``file`` with other metadata, under another name."""
    result = file.with_name("other.safetensors")
    config = json.dumps(describe(file))
    save_file(load_file(file), result, {"format": FORMAT, "version": "1", "config": config, **metadata})
    return result


def refusal(path: Path) -> str:
    """The one line with which ``path`` is refused."""
    with pytest.raises(InputError) as error:
        load_weights(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("half", [False, True])
def test_round_trip(tmp_path: Path, half: bool) -> None:
    saved = networks()
    path = tmp_path / "w.safetensors"
    save_weights(path, (64, 32), saved, {"steps": 5}, half=half)
    loaded = load_weights(path)
    assert (loaded.frame, loaded.info) == ((64, 32), {"steps": 5})
    assert describe(path)["networks"]["semantic"]["widths"] == list(WIDTHS)
    for name, network in saved.items():
        back = getattr(loaded, name)
        assert back.config == network.config  # type: ignore[union-attr]
        assert not back.training
        state = network.state_dict()
        assert back.state_dict().keys() == state.keys()
        for key, value in back.state_dict().items():
            assert value.dtype == state[key].dtype
            torch.testing.assert_close(value, state[key], atol=1e-3 if half else 0, rtol=1e-3 if half else 0)
    sizes = {value.dtype for value in load_file(path).values() if value.is_floating_point()}
    assert sizes == {torch.float16 if half else torch.float32}


def test_files_of_version_1_have_other_names_of_sizes(tmp_path: Path) -> None:
    sizes = SemanticConfig(WIDTHS, 2, space_to_depth=2, warped_parsing=True, limb_maps=True)
    path = tmp_path / "w.safetensors"
    save_weights(path, (64, 64), {"semantic": SemanticGenerator(sizes)})
    config = json.dumps(describe(path))
    for old, new in (("fold", "space_to_depth"), ("guide", "warped_parsing"), ("limbs", "limb_maps")):
        assert new in config
        config = config.replace(new, old)
    with safe_open(path, "pt") as file:
        assert file.metadata()["version"] == "2"
    save_file(load_file(path), path, {"format": FORMAT, "version": "1", "config": config})
    semantic = load_weights(path).semantic
    assert semantic is not None
    assert semantic.config == sizes


def test_the_bundled_weights_are_of_the_newest_version() -> None:
    with safe_open(bundled_path(BUNDLED), "pt") as file:
        assert file.metadata()["version"] == "2"
    weights = load_weights(bundled_path(BUNDLED))
    assert weights.semantic is not None
    assert weights.semantic.config.space_to_depth == 4
    assert weights.appearance is not None


def test_loaded_networks_compute_and_train(file: Path) -> None:
    pose, saved = load_weights(file).pose, networks()["pose"].eval()
    assert pose is not None
    image = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(pose(image), saved(image), atol=1e-5, rtol=1e-5)
    pose.train()(image.repeat(2, 1, 1, 1)).sum().backward()
    assert all(p.grad is not None for p in pose.parameters())


def test_a_file_may_hold_some_networks_only(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", (64, 64), {"pose": networks()["pose"]})
    loaded = load_weights(tmp_path / "w.safetensors")
    assert (loaded.semantic, loaded.appearance) == (None, None)
    assert loaded.pose is not None
    assert loaded == Weights((64, 64), pose=loaded.pose)


def test_results_are_kept_unless_forced_and_readable_like_other_files(file: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        save_weights(file, (8, 8), {})
    assert describe(file)["frame"] == [64, 32]
    save_weights(file, (8, 8), {}, overwrite=True)
    assert describe(file)["frame"] == [8, 8]
    (file.parent / "plain").touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE((file.parent / "plain").stat().st_mode)


def test_no_file_and_no_weights(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.safetensors")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "x.safetensors").write_bytes(b"")
    assert "cannot be read" in refusal(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 200)
    assert "cannot be read" in refusal(tmp_path / "x.safetensors")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_truncated(file: Path, share: float) -> None:
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    assert "cannot be read" in refusal(file)


def test_foreign(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert "must be imported first" in refusal(tmp_path / "x.safetensors")


@pytest.mark.parametrize("version", ["3", "10"])
def test_newer(file: Path, version: str) -> None:
    assert "update pgen" in refusal(rewritten(file, version=version, config="{}"))


@pytest.mark.parametrize("version", ["", "one", "9" * 5000])
def test_version_that_is_none(file: Path, version: str) -> None:
    assert "damaged" in refusal(rewritten(file, version=version))


CONFIG: dict[str, Any] = {"frame": [64, 32], "networks": {}, "info": {}}
BAD_CONFIGS = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "list": "[]",
    "nothing": "{}",
    "number": "3",
    "one side": CONFIG | {"frame": [64]},
    "side 0": CONFIG | {"frame": [64, 0]},
    "text": CONFIG | {"frame": "ab"},
    "fraction": CONFIG | {"frame": [64.0, 32.0]},
    "networks are a list": CONFIG | {"networks": []},
    "info is a list": CONFIG | {"info": []},
    "unknown network": CONFIG | {"networks": {"hands": {}}},
    "unknown size": CONFIG | {"networks": {"semantic": {"depth": 3}}},
    "no sizes": CONFIG | {"networks": {"semantic": 3}},
    "other sizes": CONFIG | {"networks": {"semantic": {"widths": [4, 8, 16]}}},
    "no widths": CONFIG | {"networks": {"semantic": {"widths": []}}},
    "negative": CONFIG | {"networks": {"semantic": {"widths": [4, -8, 8]}}},
    "words": CONFIG | {"networks": {"semantic": {"widths": "many"}}},
    "huge": CONFIG | {"networks": {"semantic": {"widths": [8000] * 16}}},
    "vast": CONFIG | {"networks": {"semantic": {"widths": [10**12] * 3}}},
    "endless": CONFIG | {"networks": {"pose": {"kind": "resnet", "blocks": 10**9}}},
    "unknown kind": CONFIG | {"networks": {"pose": {"kind": "hourglass"}}},
}


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_bad_configurations(file: Path, name: str) -> None:
    config = BAD_CONFIGS[name]
    text = config if isinstance(config, str) else json.dumps(config)
    assert "damaged" in refusal(rewritten(file, config=text))


@pytest.mark.parametrize("frame", [[10**6, 10**6], [64, 4096]])
def test_frames_that_take_all_memory(file: Path, frame: list[int]) -> None:
    assert "GB; choose a smaller one" in refusal(rewritten(file, config=json.dumps(CONFIG | {"frame": frame})))


def test_missing_and_foreign_tensors(file: Path) -> None:
    for change in ({}, {"semantic.more": torch.zeros(1)}, {"semantic.to_logits.bias": torch.zeros(3)}):
        tensors = load_file(file)
        if not change:
            del tensors["semantic.to_logits.bias"]
        other = file.with_name("other.safetensors")
        save_file(tensors | change, other, {"format": FORMAT, "version": "1", "config": json.dumps(describe(file))})
        assert "damaged" in refusal(other)


def test_where_weights_are(tmp_path: Path) -> None:
    path, words = find_weights(tmp_path / "mine.safetensors")
    assert path == tmp_path / "mine.safetensors"
    assert "mine.safetensors" in words
    for given in (None, "bundled", Path("bundled")):
        assert find_weights(given)[0] == bundled_path(BUNDLED)
    assert find_weights("bundled", bundled=BUNDLED_PARSER)[0] == bundled_path(BUNDLED_PARSER)
    with pytest.raises(InputError, match="no weights of a training") as error:
        find_weights(tmp_path, "start")
    assert error.value.option == "start"
    (tmp_path / "last.safetensors").touch()
    path, words = find_weights(tmp_path)
    assert path == tmp_path / "last.safetensors"
    assert "not finished" in words
    (tmp_path / "weights.safetensors").touch()
    assert find_weights(tmp_path)[0] == tmp_path / "weights.safetensors"


class Exploit:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_pickles_are_not_executed(tmp_path: Path, writer: str) -> None:
    trap, path = tmp_path / "executed", tmp_path / "x.pth"
    content = {"features.0.weight": torch.zeros(1), "x": Exploit(trap)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    for read in (read_state_dict, load_vgg_features):
        with pytest.raises(InputError, match="read safely") as error:
            read(path)
        assert "\n" not in str(error.value)
    assert not trap.exists()
    if writer == "pickle":
        pickle.loads(path.read_bytes())
        assert trap.exists()  # it would have been


def test_state_dicts(tmp_path: Path) -> None:
    state = {"a": torch.arange(3.0)}
    torch.save(state, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        assert torch.equal(read_state_dict(tmp_path / name)["a"], state["a"])
    torch.save([state], tmp_path / "list.pth")
    torch.save({"epoch": 3, "state": state}, tmp_path / "nested.pth")
    for name in ("list.pth", "nested.pth"):
        with pytest.raises(InputError, match="plain state dict"):
            read_state_dict(tmp_path / name)
    (tmp_path / "empty.pth").touch()
    for name, reason in (("empty.pth", "read safely"), ("none.pth", "no such file"), ("none.safetensors", "no such")):
        with pytest.raises(InputError, match=reason):
            read_state_dict(tmp_path / name)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(file: Path, value: float) -> None:
    tensors = load_file(file)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel() > 1)
    tensors[name].view(-1)[1] = value
    with safe_open(file, "pt") as opened:
        save_file(tensors, file, opened.metadata())
    assert f"{name} holds numbers that are not finite" in refusal(file)


def test_integers_are_no_weights(file: Path) -> None:
    tensors = load_file(file)
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    with safe_open(file, "pt") as opened:
        save_file(tensors | {name: tensors[name].int()}, file, opened.metadata())
    assert f"{name} holds numbers of the type torch.int32" in refusal(file)


def test_no_advice_to_load_in_an_unsafe_way(tmp_path: Path) -> None:
    torch.save({"a": tmp_path}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="it holds more than tensors") as error:
        read_state_dict(tmp_path / "a.pth")
    assert "weights_only" not in str(error.value)

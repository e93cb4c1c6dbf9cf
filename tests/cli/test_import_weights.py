from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pgen.cli.main import main
from pgen.data.weights import describe, load_weights
from pgen.models.appearance import TwoLevelAppearanceGenerator
from tests.data.examples import nothing_left_in


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def published(golden) -> dict[str, Tensor]:  # type: ignore[no-untyped-def]
    """The small generator of the golden vectors, under the authors' names."""
    data = golden("appearance_generator")
    return {
        name.removeprefix("state_dict/"): torch.from_numpy(data[name])
        for name in data.files
        if name.startswith("state_dict/")
    }


def import_weights(*arguments: object) -> int:
    return main(["import-weights", *map(str, arguments)])


def test_sizes_and_values_come_over(
    here: Path, published: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({f"module.{name}": value for name, value in published.items()}, "net.pth")
    assert import_weights("net.pth", "-o", "out.safetensors") == 0
    assert "wrote out.safetensors" in capsys.readouterr().err
    weights = load_weights("out.safetensors")
    assert (weights.frame, weights.semantic) == ((256, 256), None)
    model = weights.appearance
    assert isinstance(model, TwoLevelAppearanceGenerator)
    assert (model.config.widths, model.config.local_widths) == ((4, 8, 16, 32, 32, 32), (2, 4))
    assert sum(p.numel() for p in model.parameters()) == sum(value.numel() for value in published.values())
    torch.testing.assert_close(
        model.coarse.to_image.weight.data.contiguous(), published["model_global.decoder.net.6.weight"].float()
    )
    assert describe("out.safetensors")["info"]["origin"] == "published appearance generator, imported from net.pth"


def test_existing_file_is_kept(here: Path, published: dict[str, Tensor], capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(published, "net.pth")
    Path("out.safetensors").write_text("mine")
    with nothing_left_in(here):
        assert import_weights("net.pth", "-o", "out.safetensors") == 2
    assert "out.safetensors exists already" in capsys.readouterr().err
    assert import_weights("net.pth", "-o", "out.safetensors", "--force") == 0


class Trap:
    """What would run, if the file were unpickled."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path("sprung"),)


def _without(state: dict, name: str) -> dict:
    return {key: value for key, value in state.items() if key != name}


TO_IMAGE = "model_global.decoder.net.6.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: Trap(), "net.pth: not a weights file that can be read safely"),
        (lambda state: {**state, "epoch": 3}, "net.pth: holds no plain state dict"),
        (lambda state: {"model.0.weight": torch.zeros(64, 12, 4, 4)}, "net.pth: 'model.0.weight' is not a parameter"),
        (lambda state: {}, "net.pth: it is not the published appearance generator"),
        (
            lambda state: _without(state, TO_IMAGE),
            "net.pth: it lacks the parameter that becomes coarse.to_image.weight",
        ),
        (
            lambda state: {**state, TO_IMAGE: torch.zeros(3, 17, 3, 3)},
            "net.pth: the parameter that becomes coarse.to_image.weight has the shape (3, 17, 3, 3), not (3, 16, 3, 3)",
        ),
        (
            lambda state: {**state, TO_IMAGE: torch.full((3, 16, 3, 3), torch.nan)},
            f"net.pth: damaged ({TO_IMAGE} holds numbers that are not finite)",
        ),
        (
            lambda state: {**state, "model_global.decoder.net.9.net.1.weight": torch.zeros(1)},
            "net.pth: it has a parameter too many",
        ),
    ],
)
def test_refused(
    here: Path, published: dict[str, Tensor], capsys: pytest.CaptureFixture[str], change, message: str
) -> None:  # type: ignore[no-untyped-def]
    torch.save(change(published), "net.pth")
    with nothing_left_in(here):
        assert import_weights("net.pth", "-o", "out.safetensors") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_refused_files(here: Path, published: dict[str, Tensor], capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(published, "net.pth")
    Path("cut.pth").write_bytes(Path("net.pth").read_bytes()[:-500])
    with nothing_left_in(here):
        assert import_weights("net.pth", "-o", "out.pth") == 2
        assert import_weights("none.pth", "-o", "out.safetensors") == 2
        assert import_weights("cut.pth", "-o", "out.safetensors") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("name it out.safetensors (--out)")
    assert lines[1] == "error: none.pth: there is no such file"
    assert lines[2].startswith("error: cut.pth: not a weights file")

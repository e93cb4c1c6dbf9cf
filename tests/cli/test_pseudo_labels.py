"""``pgen prepare --pseudo-labels`` and ``pgen inspect --pseudo-labels``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.cli.main import main
from pgen.data.formats.images import read_image
from pgen.data.store import Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(*arguments: object) -> int:
    synthetic = ("prepare", "--dataset", "synthetic", "--size", 32, "--workers", 1, "-o", "a.h5")
    return main([str(argument) for argument in (*synthetic, *arguments)])


def test_prepared_and_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare("--people", 12, "--poses", 2, "--test-people", 2, "--pseudo-labels", 3) == 0
    out, err = capsys.readouterr()
    assert "3 of each training photo" in out
    assert err == ""
    found = Store("a.h5").pseudo_labels()
    assert found is not None
    assert found.matches.shape == (24, 3)

    assert main(["inspect", "a.h5", "--pseudo-labels", "--sheet", "s.png", "--count", "4"]) == 0
    out = capsys.readouterr().out
    for fact in ("20 of 24", "nearest"):
        assert fact in out
    sheet = read_image("s.png")
    assert sheet.shape[0] > 4 * 32
    assert sheet.shape[1] > 4 * 32

    name = Store("a.h5").names[0]
    assert main(["inspect", f"a.h5:{name}", "--pseudo-labels", "--sheet", "one.png"]) == 0
    out = capsys.readouterr().out
    for match in found.matches[0]:
        assert Store("a.h5").names[match] in out
    assert read_image("one.png").shape[0] < sheet.shape[0]
    colours = np.unique(read_image("one.png").reshape(-1, 3), axis=0)
    assert len(colours) > 5


def test_none_to_show(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare("--people", 2, "--poses", 1) == 0
    capsys.readouterr()
    assert main(["inspect", "a.h5", "--pseudo-labels", "--sheet", "s.png"]) == 2
    assert "error: a.h5: no pseudo labels; prepare" in capsys.readouterr().err
    assert not Path("s.png").exists()


def test_one_person_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare("--people", 1, "--poses", 2, "--pseudo-labels", 2) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: p00000_v0.png: the data set shows nobody else")
    assert error.endswith("a.h5 was written without pseudo labels\n")
    assert error.count("\n") == 1
    assert len(Store("a.h5")) == 2

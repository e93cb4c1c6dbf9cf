from __future__ import annotations

import pytest

from pgen.cli.main import main
from pgen.training.config import list_names


def test_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in list_names("preset"))


def test_fields_of_a_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "synthetic-64", "--recipe", "paper"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "synthetic-64" in lines[0]
    assert "paper" in lines[0]
    [line] = [line for line in lines if "appearance.schedule.beta1" in line]
    assert "0.5" in line
    assert "Adam" in line


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "synthetic-63"]) == 2
    assert "did you mean synthetic-64?" in capsys.readouterr().err

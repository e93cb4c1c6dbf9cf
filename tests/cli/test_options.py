from __future__ import annotations

import ast
from pathlib import Path

import pytest
import typer

from pgen.cli.folders import default_store
from pgen.cli.main import build
from pgen.cli.options import flag_of, parse_size
from pgen.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"), [("256", (256, 256)), ("256x176", (256, 176)), ("128X64", (128, 64)), ("16×4096", (16, 4096))]
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text, "--size") == size


@pytest.mark.parametrize("text", ["", "x", "256x", "1x2x3", "-256", "1e3", "٢٥٦", "15", "256x4097", "9" * 5000])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match=r"^--frame "):
        parse_size(text, "--frame")


def test_default_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_store("people") == Path("datasets/people.h5")
    assert (tmp_path / "datasets").is_dir()
    assert default_store("people") == Path("datasets/people.h5")


def test_default_store_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").write_text("")
    with pytest.raises(InputError, match="name a file"):
        default_store("people")


def test_every_remedy_has_a_flag() -> None:
    """What `InputError.option` names below the command line can be given on it."""
    commands = typer.main.get_command(build()).commands.values()  # type: ignore[attr-defined]
    flags = {flag for command in commands for one in command.params for flag in (*one.opts, *one.secondary_opts)}
    package = Path(__file__).parents[2] / "pgen"
    named = {
        constant.value
        for path in package.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "option"
        for constant in ast.walk(keyword.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }
    assert "overwrite" in named
    assert {option for option in named if flag_of(option) not in flags} <= {"task"}  # each is a command of its own

from __future__ import annotations

from pathlib import Path

import pytest

from pgen.cli.options import default_store, parse_size
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
    with pytest.raises(InputError, match="name a file with --out"):
        default_store("people")

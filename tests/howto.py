"""The pages that say how to add something: what a reader of theirs would type, for the tests that do what they say."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGE = Path(__file__).parent.parent / "pgen"


def read_howto(room: str, heading: str) -> str:
    """The section ``heading`` of the room's README."""
    text = (PACKAGE / room / "README.md").read_text("utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^#+ [A-Z]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"pgen/{room}/README.md has no section {heading!r}"
    return found[1]


def list_blocks(section: str, language: str = "python") -> list[str]:
    """The blocks of a language of a section, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def add_module(source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that a block would be, whose first line is a comment with its path: imported under that name."""
    path = re.match(r"# (pgen/\S+)\.py\n", source)
    assert path, "a new file begins with its path"
    name = path[1].replace("/", ".")
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(source, f"{path[1]}.py", "exec"), module.__dict__)
    package, _, last = name.rpartition(".")
    monkeypatch.setattr(import_module(package), last, module, raising=False)
    return module


def add_entry(entry: str, registry: dict[str, Any], module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a line ``"name": value,`` into a registry of ``module``; its name.

    Lines before it are imports.
    """
    *imports, line = entry.strip().splitlines()
    names = dict(module.__dict__)
    exec("\n".join(imports), names)
    [(name, value)] = eval(f"{{{line}}}", names).items()
    monkeypatch.setitem(registry, name, value)
    return name

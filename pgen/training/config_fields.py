"""All fields of a configuration, with what is said of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from pgen.training import config as configs


class FieldInfo(NamedTuple):
    """A field of a configuration."""

    path: str  #: dotted, as settings name it
    type: str
    default: Any
    doc: str


def iter_fields(config: Any, path: str = "") -> Iterator[FieldInfo]:
    """All fields of a configuration, group by group, with the ``#:`` comments of their dataclasses.

    Terms of the objective have the comments of the recipe "paper", or of one that knows them.
    """
    docs = dict(re.findall(r"^    (\w+): .*?#: (.+)$", inspect.getsource(type(config)), re.MULTILINE))
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            yield from iter_fields(value, f"{path}{entry.name}.")
        elif isinstance(value, dict):
            for term, weight in value.items():
                yield FieldInfo(f"{path}{entry.name}.{term}", "float", weight, _find_comment(term))
        else:
            yield FieldInfo(f"{path}{entry.name}", str(entry.type), value, docs.get(entry.name, ""))


def _find_comment(term: str) -> str:
    recipes = "".join(
        (configs.FILES / "recipes" / f"{name}.toml").read_text("utf-8") for name in configs.list_names("recipe")
    )
    found = re.search(rf"^{term} = .*?  # (.+)$", recipes, re.MULTILINE)
    return found[1] if found else ""

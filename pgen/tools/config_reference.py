"""Write ``pgen/training/CONFIG.md``: every field of the configuration of trainings, from the dataclasses."""

from __future__ import annotations

import json
from pathlib import Path

from pgen.training.config import Preset
from pgen.training.config_fields import FieldInfo, iter_fields

PATH = Path(__file__).parent.parent / "training" / "CONFIG.md"

_HEAD = """# Configuration of the trainings

Every field with its default, as `--set GROUP.FIELD=VALUE` and `settings=["GROUP.FIELD=VALUE"]` take it. Presets and
recipes set them first ([which there are](README.md#presets-and-recipes)); `pgen presets NAME` prints what they come to.
Fields marked as *addition* go beyond the paper; their defaults are off.

*Written by `python -m pgen.tools.config_reference`, not by hand.*
"""


def write_reference() -> str:
    """The page, as Markdown: a table a group; a group of the same fields as an earlier one refers to it."""
    groups: dict[str, list[FieldInfo]] = {}
    for info in iter_fields(Preset()):
        groups.setdefault(info.path.rpartition(".")[0] or "preset", []).append(info)
    page = _HEAD
    names: dict[str, str] = {}  # by the rows of their tables
    for name in sorted(groups):
        cells = ((info.path.rpartition(".")[2], json.dumps(info.default), info.doc) for info in groups[name])
        rows = "\n".join(f"| `{field}` | `{default}` | {meaning} |" for field, default, meaning in cells)
        first = names.setdefault(rows, name)
        table = f"| Field | Default | Meaning |\n|---|---|---|\n{rows}"
        as_before = f"As [`{first}`](#{first.replace('.', '')})."
        page += f"\n## `{name}`\n\n{table if first == name else as_before}\n"
    return page


if __name__ == "__main__":
    PATH.write_text(write_reference(), encoding="utf-8")

"""What pgen/body/README.md says about adding an edit, done."""

from __future__ import annotations

import numpy as np
import pytest

from pgen.body.edits import registry
from pgen.body.edits.registry import EDITS, edit_parsing
from pgen.body.labels import Label
from tests.body.layouts import dressed
from tests.body.poses import STANDING
from tests.howto import add_entry, add_module, list_blocks, read_howto


def test_an_edit_is_a_file_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    source, entry = list_blocks(read_howto("body", "How to add an edit"))
    module = add_module(source, monkeypatch)
    module.Edit = registry.Edit  # type: ignore[attr-defined]
    name = add_entry(entry, EDITS, module, monkeypatch)
    parsing = dressed(STANDING, 0.5, Label.PANTS, 2)
    once = edit_parsing(parsing, STANDING, {name: EDITS[name].choices[0]})[0]
    assert (once != parsing).any()
    np.testing.assert_array_equal(edit_parsing(once, STANDING, {name: "on"})[0], once)

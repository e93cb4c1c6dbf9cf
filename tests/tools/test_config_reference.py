from __future__ import annotations

from pgen.tools.config_reference import PATH, write_reference


def test_the_reference_is_up_to_date() -> None:
    assert PATH.read_text("utf-8") == write_reference(), "run python -m pgen.tools.config_reference"


def test_every_field_has_a_meaning() -> None:
    assert [line for line in write_reference().splitlines() if line.endswith("|  |")] == []

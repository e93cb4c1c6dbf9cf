from __future__ import annotations

from pathlib import Path

import pytest

from pgen.data.formats.pair_lists import group_linked, read_pairs
from pgen.errors import InputError


@pytest.mark.parametrize("text", ["from,to\na,b\nc,d\n", "\ufefffrom, to\r\na, b\r\n\r\nc,d"])
def test_source_stands_before_target(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    assert read_pairs([path])[0] == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "row 1: a list of pairs begins with the header from,to"),
        ("from,to\na,b\nc\n", "row 3: not of the form SOURCE,TARGET"),
        ("from,to\na,\n", "row 2: not of the form"),
        ("from,to\na,b,c\n", "row 2: not of the form"),
        ('from,to\n"' + "a" * 200_000 + '",b\n', "row 2: field larger"),
    ],
)
def test_errors_name_the_row(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"p\.csv, {message}"):
        read_pairs([path])[0]


def test_groups_are_linked_through_others() -> None:
    found = group_linked([("b", "a"), ("d", "c"), ("c", "e"), ("e", "d"), ("f", "f")])
    assert found == {"a": "a", "b": "a", "c": "c", "d": "c", "e": "c", "f": "f"}
    assert len(set(group_linked((str(i), str(i + 1)) for i in range(5000)).values())) == 1

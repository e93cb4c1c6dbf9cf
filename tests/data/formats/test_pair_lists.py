from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgen.data.formats.pair_lists import read_names, read_pairs
from pgen.errors import InputError

NAMES = st.text(st.characters(categories=("L", "N"), include_characters="_-. /"), min_size=1).filter(
    lambda name: name == name.strip()
)


def written(folder: Path, text: str, name: str = "pairs.txt") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


def test_csv(tmp_path: Path) -> None:
    for name in ("p.csv", "p.txt"):
        for header in ("from, to", '"from","to"', "From,To"):
            assert read_pairs([written(tmp_path, f"{header}\r\na,b\r\n", name)]) == ([("a", "b")], ())


def test_text_without_header_has_the_target_first(tmp_path: Path) -> None:
    path = written(tmp_path, "t1.jpg,s1.jpg\r\n\nt2.jpg, s2.jpg\n")
    pairs, notes = read_pairs([path])
    assert pairs == [("s1.jpg", "t1.jpg"), ("s2.jpg", "t2.jpg")]
    assert notes == (f"{path} has no header, so it is read as PIDM's lists are: the target before the source",)


def test_parallel_lists(tmp_path: Path) -> None:
    sources, targets = written(tmp_path, "a\r\nb\r\n", "s.txt"), written(tmp_path, "c\nd", "t.txt")
    assert read_pairs([sources, targets]) == ([("a", "c"), ("b", "d")], ())
    assert read_names(sources) == ["a", "b"]


@settings(max_examples=60)
@given(pairs=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5), end=st.sampled_from(["\n", "\r\n"]))
def test_every_form_gives_the_pairs_back(tmp_path_factory: pytest.TempPathFactory, pairs: list, end: str) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    header = written(folder, "from,to" + end + "".join(f"{a},{b}{end}" for a, b in pairs), "p.csv")
    assert read_pairs([header])[0] == pairs
    if pairs:
        lists = [written(folder, end.join(names), f"{i}.txt") for i, names in enumerate(zip(*pairs, strict=True))]
        assert read_pairs(lists)[0] == pairs
        assert read_pairs([written(folder, "".join(f"{b},{a}{end}" for a, b in pairs))])[0] == pairs


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a\nb\n"], r"0\.txt, row 1: not of the form TARGET,SOURCE; of two parallel lists give both"),
        (["a,b\na,b,c\n"], r"0\.txt, row 2: not of the form TARGET,SOURCE$"),
        (["a,\n"], r"row 1: not of the form"),
        (["a\nb\n", "a\n"], r"0\.txt has 2 names and .*1\.txt 1; parallel lists have as many"),
        (["a,b\n", "a\n"], r"0\.txt has a comma in each row"),
        (["a", "b", "c"], "pairs are one file, or two"),
        ([""], "is empty"),
        (["a\0", "b"], r"0\.txt is not a list of names"),
    ],
)
def test_errors(tmp_path: Path, texts: list[str], message: str) -> None:
    paths = [written(tmp_path, text, f"{index}.txt") for index, text in enumerate(texts)]
    with pytest.raises(InputError, match=message):
        read_pairs(paths)


def test_csv_without_header_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begins with the header from,to"):
        read_pairs([written(tmp_path, "a,b\n", "p.csv")])


@pytest.mark.parametrize("text", ["from,to\n", "from,to\n\n , \n"])
def test_a_list_without_pairs_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(InputError, match=r"pairs\.csv holds no pair"):
        read_pairs([tmp_path / "pairs.csv"])

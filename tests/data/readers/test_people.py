from __future__ import annotations

from pathlib import Path

import pytest

from pgen.data.names import PhotoNames
from pgen.data.readers.folder import find_folder
from pgen.data.readers.people import choose_tested, find_people
from pgen.errors import InputError
from pgen.preparation import prepare
from tests.data.examples import write_folder

NAMES = PhotoNames(["ann/1.jpg", "ann/2.jpg", "bob_1.jpg", "bob_2.jpg", "cat_1.jpg"], "the folder")


def test_by_folder_pattern_and_table(tmp_path: Path) -> None:
    assert list(find_people("folder", NAMES)[0].values()) == ["ann/", "ann/", "bob_1.jpg", "bob_2.jpg", "cat_1.jpg"]
    assert list(find_people(r"^(\w+?)[_/]", NAMES)[0].values()) == ["ann", "ann", "bob", "bob", "cat"]
    table = tmp_path / "who.csv"
    table.write_text("photo,person\nann/1.jpg,x\n\nbob_1,x\nbob_1.jpg,x\nnobody.jpg,y\n")
    people, notes = find_people(table, NAMES)
    assert list(people.values()) == ["x", "ann/2.jpg", "x", "bob_2.jpg", "cat_1.jpg"]
    assert notes == (f"{table}: 1 of its names are no photos in the folder, such as nobody.jpg",)


@pytest.mark.parametrize(
    ("spec", "content", "message"),
    [
        ("(", None, "is no pattern"),
        ("3", None, "says no people: give"),
        ("(a)(n)", None, "says no people"),
        (r"^(\w+)_", None, "says no person in the name ann/1.jpg"),
        ("who.csv", "name,who\n", "header photo,person"),
        ("who.csv", "photo,person\nann/1.jpg\n", "row 2: not of the form"),
        ("who.csv", "photo,person\nbob_1,x\nbob_1.jpg,y\n", "row 3: bob_1.jpg shows x by a row above"),
        ("who.csv", "photo,person\nx.jpg,x\n", "none of the names is a photo in the folder"),
        ("gone.csv", None, "gone.csv"),
    ],
)
def test_what_says_no_people(
    tmp_path: Path, spec: str, content: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(spec).write_text(content)
    with pytest.raises(InputError, match=message):
        find_people(spec, NAMES)


def test_numbers_and_long_patterns_of_people_are_told_or_taken(tmp_path: Path) -> None:
    write_folder(tmp_path / "set")
    with pytest.raises(InputError, match="5 says no people: give") as caught:
        prepare("folder", tmp_path / "a.h5", tmp_path / "set", people=5)
    assert caught.value.option == "people"
    pattern = rf"^(.+)\.png(?:{'x' * 300})?$"
    assert prepare("folder", tmp_path / "b.h5", tmp_path / "set", people=pattern, workers=1).kept == 3


def test_a_share_of_the_people_is_for_testing() -> None:
    people = {f"{k}.jpg": str(k // 2) for k in range(20)}
    found = choose_tested(people, 0.3, 1)
    assert found.splits is not None
    tested = {people[name] for name, split in found.splits.items() if split == "test"}
    assert len(tested) == 3
    assert sum(split == "test" for split in found.splits.values()) == 6
    assert found.splits != choose_tested(people, 0.3, 2).splits
    for share in (0, 1, float("nan")):
        with pytest.raises(InputError, match="a share for testing"):
            choose_tested(people, share, 0)
    with pytest.raises(InputError, match="one person"):
        choose_tested({"a": "x", "b": "x"}, 0.5, 0)


def test_a_folder_is_split_so_unless_a_list_says_it(tmp_path: Path) -> None:
    root = write_folder(tmp_path)
    with pytest.raises(InputError, match=r"pairs.csv says which photos are for testing"):
        find_folder(root, test_share=0.4)
    (root / "pairs.csv").unlink()
    photos = find_folder(root, people=r"^(.)", test_share=0.4).photos
    assert [photo.person for photo in photos] == ["a", "b", "c"]
    assert sorted(photo.split for photo in photos) == ["test", "train", "train"]

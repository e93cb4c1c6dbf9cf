from __future__ import annotations

from pathlib import Path

import pytest

from pgen.data.example import PAIR_WITHOUT_PHOTO, Drop
from pgen.data.readers.folder import find_folder
from pgen.errors import InputError
from tests.data.folder_tree import SHOTS, write_set


def test_splits_of_a_folder(tmp_path: Path) -> None:
    """All photos of people who are in pairs are for testing; lists, if there are any, decide."""
    write_set(tmp_path)
    names = [shot.nested for shot in SHOTS]
    (tmp_path / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
    photos = {photo.name: photo for photo in find_folder(tmp_path).photos}
    same = [name for name in names if photos[name].person == photos[names[0]].person]
    assert [name for name in names if photos[name].split == "test"] == same
    (tmp_path / "pairs.csv").unlink()
    (tmp_path / "train.lst").write_text("\n".join(names[2:4]))
    (tmp_path / "test.lst").write_text("\n".join([*names[:2], names[5]]))
    found = find_folder(tmp_path)
    assert {photo.name: photo.split for photo in found.photos} == {
        **dict.fromkeys(names[2:4], "train"), **dict.fromkeys([*names[:2], names[5]], "test"),
    }  # fmt: skip
    assert found.notes == (f"{len(SHOTS) - 5} photos that are neither for training nor for testing are left aside",)
    (tmp_path / "test.lst").unlink()
    (tmp_path / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
    assert {photo.name for photo in find_folder(tmp_path).photos if photo.split == "test"} == set(names[:2])
    (tmp_path / "pairs.csv").unlink()
    (tmp_path / "test.lst").write_text(names[5])
    (tmp_path / "train.lst").write_text(names[4])  # the other photo of a person for testing
    assert [(drop.name, drop.reason) for drop in find_folder(tmp_path).drops] == [
        (names[4], "person also among those for testing")
    ]


def test_pairs_without_a_photo_are_left_out(tmp_path: Path) -> None:
    """Whose other photo is there for testing all the same; an error if no pair is left."""
    write_set(tmp_path)
    names = [shot.nested for shot in SHOTS]
    pairs = [names[:2], (names[2], "MEN/gone.jpg"), ("gone1", "gone2")]
    (tmp_path / "pairs.csv").write_text("from,to\n" + "".join(f"{source},{target}\n" for source, target in pairs))
    found = find_folder(tmp_path)
    assert found.pairs == [tuple(names[:2])]
    assert found.missing == (
        Drop(f"{names[2]} -> MEN/gone.jpg", PAIR_WITHOUT_PHOTO, "MEN/gone.jpg"),
        Drop("gone1 -> gone2", PAIR_WITHOUT_PHOTO, "gone1 and gone2"),
    )
    assert [photo.split for photo in found.photos if photo.name == names[2]] == ["test"]
    assert found.drops == ()
    (tmp_path / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1][:-5]}t.jpg\n")
    with pytest.raises(InputError, match=rf"pairs\.csv: of none of 1 pairs .*did you mean {names[1]}"):
        find_folder(tmp_path)

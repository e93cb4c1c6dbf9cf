from __future__ import annotations

import pytest

from pgen.data.names import PhotoNames, strip_name
from pgen.errors import InputError


def test_bare() -> None:
    assert [strip_name(name) for name in ("a.jpg", "a.jpg.npy", "x/a.b.PNG", "a.b")] == ["a", "a", "x/a.b", "a.b"]


def test_names_in_lists() -> None:
    names = PhotoNames(["x/a.jpg", "x/b.jpg", "y/b.jpg", "c.jpg", "c.png"], "photos")
    assert names.find("x/a.jpg") == names.find("x/a") == names.find("a.jpg") == names.find("a.png") == "x/a.jpg"
    assert names.find("y/b.jpeg") == "y/b.jpg"
    assert names.find("c.png") == "c.png"
    assert names.find("d.jpg") is None
    with pytest.raises(InputError, match=r"photos: 'b\.jpg' may mean x/b\.jpg or y/b\.jpg; write it with its folder"):
        names.find("b.jpg")
    with pytest.raises(InputError, match=r"'c' may mean c\.jpg or c\.png"):
        names.find("c")


def test_folders_tell_names_apart() -> None:
    """Of a part of a data set, the only photo of a name need not be the one that a list means."""
    names = PhotoNames(["x/a.jpg", "b.jpg"], "photos")
    assert names.find("y/a.jpg") is names.find("y/a") is None
    assert names.find("img/x/a.png") == "x/a.jpg"
    assert names.find("img/y/b.jpg") == "b.jpg"
    assert names.match(["y/a.npy", "y/b"], "maps") == {"b.jpg": "y/b"}


def test_annotations_by_name() -> None:
    names = PhotoNames(["x/a.jpg", "x/b.jpg", "y/c.jpg", "y/d.jpg"], "photos")
    found = names.match(["x/a.jpg", "b", "y/c", "z/e"], "maps")
    assert found == {"x/a.jpg": "x/a.jpg", "x/b.jpg": "b", "y/c.jpg": "y/c"}


def test_another_folder_is_another_photo() -> None:
    names = PhotoNames(["p1/1.jpg", "p2/1.jpg"], "photos")
    assert names.match(["p1/1.jpg", "p3/1.jpg"], "rows") == {"p1/1.jpg": "p1/1.jpg"}


@pytest.mark.parametrize(
    ("photos", "others", "message"),
    [
        (["x/a.jpg", "y/a.jpg"], ["a"], r"maps: a may belong to x/a\.jpg or y/a\.jpg; give it the photo's whole name"),
        (["a.jpg", "a.png"], ["a"], r"a may belong to a\.jpg or a\.png"),
        (["a.jpg"], ["x/a", "y/a"], r"x/a and y/a both belong to a\.jpg; keep one of them"),
    ],
)
def test_collisions(photos: list[str], others: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PhotoNames(photos, "photos").match(others, "maps")


def test_keys_must_differ() -> None:
    names = PhotoNames(["a_1", "b_1"], "photos", key=lambda name: name.replace("_", ""))
    assert names.find("a1_") == "a_1"
    assert names.match(["b1"], "rows") == {"b_1": "b1"}
    with pytest.raises(InputError, match="rows: b1 and b_1 both belong to b_1"):
        names.match(["b1", "b_1"], "rows")
    with pytest.raises(InputError, match="photos: a_1 and a1 have the same letters and digits"):
        PhotoNames(["a_1", "a1"], "photos", key=lambda name: name.replace("_", ""))

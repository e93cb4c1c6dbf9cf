"""What a tab's files are called, and which are removed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.body.labels import Label
from pgen.data.formats.annotation_files import find_carried_file, name_carried_file, read_carried, write_carried
from pgen.data.formats.parsing import write_parsing
from pgen.studio.orders import order_generate
from pgen.studio.photos import keep_labels, read_photo
from pgen.studio.requests import Answer, PhotoFiles
from pgen.studio.workspace import Photo, Workspace

SIZE = (8, 6)
CARRIED = np.eye(*SIZE, dtype=bool)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "tab")


def add_photo(workspace: Workspace, parsing: str = "photo.png") -> str:
    """A photo with a map and something that is carried."""
    image = workspace.write("photo.jpg", b"photo")
    file = workspace.reserve(parsing, "_parsing")
    write_parsing(file, np.zeros(SIZE, np.uint8))
    write_carried(name_carried_file(file), CARRIED)
    photo = Photo(PhotoFiles(image, None, file), {image, file, name_carried_file(file)}, size=SIZE)
    return workspace.add_photo(photo)


def test_what_is_carried_is_kept_however_often_the_map_is_painted(workspace: Workspace) -> None:
    for _ in range(2):  # the maps of the second photo have a number
        photo = workspace.photo(add_photo(workspace))
        for label in (Label.HAIR, Label.UPPER, Label.PANTS):
            keep_labels(workspace, photo, np.full(SIZE, label, np.uint8), False)
            assert photo.files.parsing is not None
            carried = find_carried_file(photo.files.parsing)
            assert carried is not None
            np.testing.assert_array_equal(read_carried(carried), CARRIED)
            assert workspace.find(carried.name) == carried


def test_a_photo_that_is_closed_leaves_nothing_but_what_is_in_use(workspace: Workspace) -> None:
    id_, other = add_photo(workspace), add_photo(workspace)
    for photo in (id_, other):
        keep_labels(workspace, workspace.photo(photo), np.ones(SIZE, np.uint8), False)
    used = workspace.photo(other).files
    assert used.parsing is not None
    workspace.close_photo(id_)
    workspace.close_photo(other, used.files)
    assert set(workspace.folder.iterdir()) == {used.image, used.parsing, name_carried_file(used.parsing)}
    assert workspace.reserve("photo.jpg").name == "photo-3.jpg"  # the worker may remember the first


def test_a_photo_that_is_closed_while_it_is_read_leaves_nothing(workspace: Workspace) -> None:
    id_ = add_photo(workspace)
    files = workspace.photo(id_).files
    order = read_photo(workspace, id_, files)
    workspace.close_photo(id_, files.files)
    (workspace.folder / "shown.jpg").touch()
    order.finish({"size": SIZE[::-1], "files": {"shown": "shown.jpg"}})
    assert list(workspace.folder.iterdir()) == []


def test_long_names_are_cut_before_their_ending(workspace: Workspace) -> None:
    long = f"{'x' * 90}.png"
    names = [workspace.reserve(long, f"__{pose}").name for pose in ("walk", "arms-up", "arms-up", "y" * 60)]
    assert [name.strip("x") for name in names] == [
        "__walk.png", "__arms-up.png", "__arms-up-2.png", f"__{'y' * 60}.png"
    ]  # fmt: skip
    assert all(len(name) <= 66 for name in names[:3])


def test_a_result_that_is_removed_while_its_job_goes_on_stays_so(workspace: Workspace) -> None:
    order = order_generate(
        workspace, {"photo": add_photo(workspace), "targets": ["walk", "side"]}, lambda request: "make"
    )

    def answer(count: int) -> Answer:
        results: list[Answer] = [{"picture": f"photo__{pose}.png", "panels": []} for pose in ("walk", "side")]
        return {"results": results[:count], "gif": None}

    order.finish(answer(1))
    assert workspace.commands == {"photo__walk.png": "make"}
    workspace.remove(["photo__walk.png"])
    order.finish(told := answer(2))
    assert [result["picture"] for result in told["results"]] == ["photo__side.png"]
    assert workspace.commands == {"photo__side.png": "make"}
    assert workspace.reserve("photo.png", "__walk").name == "photo__walk-2.png"

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgen.data.example import Drop, Example
from pgen.data.readers.folder import find_folder
from pgen.data.readers.given import GivenFiles
from pgen.data.readers.keypoint_sources import find_poses, load_pose
from pgen.errors import InputError
from tests.data.examples import SIZE, STANDING, read_photos, write_folder
from tests.data.trees import write_coco, write_csv, write_openpose, write_text

NAMES = ("x/a.png", "x/b.png", "c.png")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set without keypoints."""
    write_folder(tmp_path, NAMES)
    (tmp_path / "keypoints.csv").unlink()
    return tmp_path


def poses(root: Path, *sources: Path) -> dict[str, np.ndarray]:
    items = list(read_photos(find_folder(root, GivenFiles(keypoints=sources))))
    assert all(isinstance(item, Example) for item in items), items
    return {item.name: item.pose for item in items if isinstance(item, Example)}


def check(found: dict[str, np.ndarray], expected: np.ndarray = STANDING) -> None:
    assert set(found) == set(NAMES)
    for pose in found.values():
        np.testing.assert_allclose(pose, expected, atol=1e-3)


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
@pytest.mark.parametrize("body_25", [False, True])
@pytest.mark.parametrize("divide_by", [None, SIZE])
def test_folder_of_openpose_files(root: Path, key: str, body_25: bool, divide_by: tuple[int, int] | None) -> None:
    """Beside the largest person a small one; normalised coordinates are parts of the photo."""
    for name in NAMES:
        path = root / "keypoints" / f"{name.removesuffix('.png')}_keypoints.json"
        write_openpose(path, [STANDING / 3, STANDING], key, body_25, divide_by)
    check(poses(root))


def test_canvas_of_another_size(root: Path) -> None:
    for name in NAMES:
        write_openpose(root / "keypoints" / f"{name}.json", [STANDING * 2 + 0.5], canvas=(256, 256))
    check(poses(root))
    write_openpose(root / "keypoints" / "c.png.json", [STANDING], canvas=(128, 300))
    drop = {item.name: item for item in read_photos(find_folder(root))}["c.png"]
    assert isinstance(drop, Drop)
    assert (drop.reason, drop.detail) == ("keypoints of another frame", "they are for 128x300, the photo is 128x128")


def test_parts_of_a_given_frame(root: Path) -> None:
    for name in NAMES:
        write_openpose(root / "keypoints" / f"{name}.json", [(STANDING + 0.5) / 2 - 0.5], divide_by=(64, 64))
    for item in read_photos(find_folder(root, GivenFiles(frame=(64, 64)))):
        assert isinstance(item, Example)
        np.testing.assert_allclose(item.pose, STANDING, atol=1e-3)


def test_folder_of_text_files(root: Path) -> None:
    for name in NAMES:
        write_text(root / "poses" / f"{name.removesuffix('.png')}.txt", STANDING)
    check(poses(root, root / "poses"))


def test_coco_for_all_photos(root: Path) -> None:
    write_coco(root / "coco.json", dict.fromkeys(NAMES, STANDING), SIZE)
    expected = STANDING.copy()
    expected[1] = (STANDING[2] + STANDING[5]) / 2
    check(poses(root, root / "coco.json"), expected)


def test_several_tables(root: Path) -> None:
    write_csv(root / "one.csv", dict.fromkeys(NAMES[:2], STANDING))
    write_csv(root / "two.csv", dict.fromkeys(NAMES[1:], STANDING))
    check(poses(root, root / "one.csv", root / "two.csv"))
    write_csv(root / "two.csv", dict.fromkeys(NAMES[1:], STANDING + 1))
    with pytest.raises(InputError, match=r"two\.csv: x/b\.png has another pose in a file before; keep one of them"):
        find_poses([root / "one.csv", root / "two.csv"])


def test_files_that_cannot_be_read_are_dropped(root: Path) -> None:
    for name in NAMES:
        write_text(root / "keypoints" / f"{name}.txt", STANDING)
    (root / "keypoints" / "c.png.txt").write_text("1 2\n")
    (root / "keypoints" / "x" / "a.png.txt").unlink()
    write_csv(root / "table.csv", dict.fromkeys(NAMES, STANDING))
    items = {item.name: item for item in read_photos(find_folder(root, GivenFiles(keypoints=[root / "keypoints"])))}
    drops = {name: (item.reason, item.detail) for name, item in items.items() if isinstance(item, Drop)}
    assert drops == {
        "c.png": ("keypoints cannot be read", f"{root}/keypoints/c.png.txt has 1 rows; x y of 18 joints were expected"),
        "x/a.png": ("no row in the keypoints", ""),
    }


def test_errors(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "poses"
    folder.mkdir()
    with pytest.raises(InputError, match="poses has no keypoints"):
        find_poses([folder])
    write_text(folder / "a.txt", STANDING)
    with pytest.raises(InputError, match=r"a\.txt does not say which photo its pose belongs to; give a table"):
        find_poses([folder / "a.txt"])
    write_openpose(folder / "a.json", [STANDING])
    with pytest.raises(InputError, match=r"a\.json and .*a\.txt are named alike; keep one of them"):
        find_poses([folder])
    (folder / "a.json").unlink()
    write_csv(folder / "all.csv", {"a.jpg": STANDING})
    with pytest.raises(InputError, match=r"has a file of its own for each photo, but also all\.csv"):
        find_poses([folder])
    (folder / "all.csv").unlink()
    write_coco(folder / "two.json", {"a.jpg": STANDING, "b.jpg": STANDING}, SIZE)
    with pytest.raises(InputError, match=r"two\.json has poses of 2 photos; a file for one photo was expected"):
        load_pose(find_poses([folder])["two"], SIZE)
    Image.new("RGB", (4, 4)).save(folder / "p.png")
    with pytest.raises(InputError, match=r"p\.png is a photo, not a pose"):
        find_poses([folder / "p.png"])

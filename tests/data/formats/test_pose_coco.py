from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from pgen.body.joints import Joint
from pgen.data.formats.keypoints import read_pose, read_poses
from pgen.errors import InputError
from tests.data.examples import STANDING, any_pose
from tests.data.trees import coco_numbers, write_coco


def written(folder: Path, content: object) -> Path:
    (folder / "coco.json").write_text(json.dumps(content))
    return folder / "coco.json"


def with_neck(pose: np.ndarray) -> np.ndarray:
    expected = pose.copy()
    expected[Joint.NECK] = (pose[Joint.R_SHOULDER] + pose[Joint.L_SHOULDER]) / 2
    return expected


@settings(max_examples=60)
@given(pose=any_pose())
def test_any_pose_comes_back_with_the_neck_between_the_shoulders(
    tmp_path_factory: pytest.TempPathFactory, pose: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("coco") / "a.json"
    if np.isnan(np.delete(pose, Joint.NECK, 0)).all():
        pose[0] = 3
    write_coco(path, {"x/a.jpg": pose}, (200, 100))
    found = read_poses(path)
    assert list(found) == ["x/a.jpg"]
    assert found["x/a.jpg"].frame == (200, 100)
    np.testing.assert_allclose(found["x/a.jpg"].poses[0], with_neck(pose), atol=1e-3)


def test_left_and_right(tmp_path: Path) -> None:
    numbers = [float(n) for i in range(17) for n in (i, 100 + i, 2)]
    pose = read_poses(written(tmp_path, {"keypoints": numbers}))[""].poses[0]
    order = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
    assert [x for joint, x in enumerate(pose[:, 0]) if joint != Joint.NECK] == [i for i in order if i is not None]
    np.testing.assert_array_equal(pose[Joint.NECK], (5.5, 105.5))


def test_shapes_of_the_file(tmp_path: Path) -> None:
    numbers, small = coco_numbers(STANDING), coco_numbers(STANDING / 2)
    results = [{"image_id": "a.jpg", "keypoints": one, "score": 0.9} for one in (small, numbers)]
    found = read_poses(written(tmp_path, results))["a.jpg"]
    assert (len(found.poses), found.frame) == (2, None)
    np.testing.assert_allclose(found.choose().pose, with_neck(STANDING))
    assert read_pose(tmp_path / "coco.json").name == "a.jpg"
    boxes = {"images": [{"id": 7, "file_name": "b.jpg"}], "annotations": [{"image_id": 7, "bbox": [0, 0, 1, 1]}]}
    boxes["annotations"].append({"image_id": 7, "keypoints": numbers})
    assert len(read_poses(written(tmp_path, boxes))["b.jpg"].poses) == 1


def test_entries_by_name(tmp_path: Path) -> None:
    write_coco(tmp_path / "a.json", {"x/a.jpg": STANDING, "b.jpg": STANDING + 1}, (128, 128))
    loaded = read_pose(f"{tmp_path}/a.json:x/a.jpg")
    assert (loaded.name, loaded.frame) == ("x/a.jpg", (128, 128))
    np.testing.assert_allclose(loaded.pose, with_neck(STANDING))
    assert read_pose(tmp_path / "a.json", default_name="a.jpg").name == "x/a.jpg"
    with pytest.raises(InputError, match=r"a\.json has 2 poses; name one of them"):
        read_pose(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": 1}, 'has no list "people"'),
        ({"annotations": {}}, "annotations is not a list"),
        ({"annotations": []}, "nobody with keypoints"),
        ({"annotations": [3]}, "annotation 0 is not an object"),
        (
            {"annotations": [{"keypoints": [1, 2]}]},
            r"annotation 0 has 2 numbers .* of 17, 26, 133 or 136 joints were expected",
        ),
        ({"keypoints": "x"}, "has no list for keypoints"),
        ({"keypoints": ["x"] * 51}, "something else than pixel coordinates"),
        ({"keypoints": [1e9] * 51}, "something else than pixel coordinates"),
        ({"images": 3, "annotations": []}, "images is not a list"),
        ({"images": [{"id": 1}], "annotations": []}, "image 0: no file_name or no id"),
        ({"annotations": [{"image_id": [1], "keypoints": [0] * 51}]}, "image_id is neither a number nor a name"),
        (
            {"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2, "keypoints": [0] * 51}]},
            "annotation 0: there is no image with the id '2'",
        ),
    ],
)
def test_errors(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=f"coco.json.*{message}"):
        read_poses(written(tmp_path, content))

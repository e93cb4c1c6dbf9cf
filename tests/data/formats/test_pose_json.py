from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pgen.data.formats.keypoints import read_pose, read_poses
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.formats.pose_people import PosesOfPhoto
from pgen.errors import InputError
from tests.data.examples import STANDING, any_pose
from tests.data.trees import write_openpose


def read_pose_json(path: Path, size: tuple[int, int] | None = None) -> PosesOfPhoto:
    return read_poses(path, size)[""]


def flat(pose: np.ndarray) -> list[float]:
    joints = [[0.0, 0.0, 0.0] if np.isnan(x) else [float(x), float(y), 0.5] for x, y in pose]
    return [number for joint in joints for number in joint]


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "pose.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_openpose(tmp_path: Path, key: str) -> None:
    pose = STANDING.copy()
    pose[3] = np.nan
    found = read_pose_json(written(tmp_path, {"version": 1.3, "people": [{key: flat(pose)}]}))
    np.testing.assert_array_equal(found.poses[0], pose)
    assert found.frame is None


def test_body_25_leaves_out_hip_middle_and_feet(tmp_path: Path) -> None:
    joints = np.array([(index + 1, 100 + index) for index in range(25)], float)
    pose = read_pose_json(written(tmp_path, {"people": [{"pose_keypoints_2d": flat(joints)}]})).poses[0]
    np.testing.assert_array_equal(pose[:, 1] - 100, [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18])


def test_several_people(tmp_path: Path) -> None:
    poses = (STANDING / 2, STANDING * 1.5, np.full((18, 2), np.nan))
    people = [{"pose_keypoints_2d": flat(pose)} for pose in poses]
    found = read_pose_json(written(tmp_path, {"people": people}))
    assert len(found.poses) == 3
    assert found.choose().pose.max() == poses[1].max()


def test_canvas_and_normalised_coordinates(tmp_path: Path) -> None:
    content = {
        "people": [{"pose_keypoints_2d": flat(STANDING / (128, 256))}],
        "canvas_width": 128,
        "canvas_height": 256,
    }
    found = read_pose_json(written(tmp_path, [content]))
    assert found.frame == (256, 128)
    np.testing.assert_allclose(found.poses[0], STANDING, rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", 'no list "people"'),
        ({"people": {}}, 'no list "people"'),
        ({"people": []}, "has no people"),
        ({"people": [{}]}, "person 0 has no list pose_keypoints_2d"),
        ({"people": [{"pose_keypoints_2d": None}, None]}, "has no people with joints"),
        ({"people": [{"pose_keypoints_2d": "none"}]}, "person 0 has no list pose_keypoints_2d"),
        ({"people": [{"pose_keypoints_2d": [1, 2, 3]}]}, "person 0 has 3 numbers; .*18 or 25 joints"),
        ({"people": [{"pose_keypoints_2d": ["1"] * 54}]}, "person 0: .*something else than pixel"),
        ({"people": [{"pose_keypoints_2d": [float("nan")] * 54}]}, "something else than pixel"),
        ({"people": [{"pose_keypoints_2d": flat(STANDING)}], "canvas_width": 4}, "not the size of a photo"),
        ({"people": [], "canvas_width": 0.5, "canvas_height": -1}, "not the size of a photo"),
        ({"people": [], "canvas_width": True, "canvas_height": 128}, "not the size of a photo"),
    ],
)
def test_errors_name_file_and_person(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_pose_json(written(tmp_path, content))
    assert "pose.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(pose=any_pose(low=2), frame=st.none() | st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, pose: np.ndarray, frame: tuple[int, int] | None) -> None:
    assume(np.isfinite(pose).all(axis=1).any())
    path = write_pose_json(tmp_path_factory.mktemp("json") / "pose.json", pose, frame)
    found = read_pose_json(path)
    np.testing.assert_allclose(found.poses[0], pose, atol=6e-4)
    assert found.frame == frame


def test_a_known_joint_in_the_corner_stays_known(tmp_path: Path) -> None:
    pose = STANDING.copy()
    pose[4] = 0
    write_pose_json(tmp_path / "a.json", pose)
    np.testing.assert_array_equal(read_pose_json(tmp_path / "a.json").poses[0][4], (0, 0))


@settings(max_examples=60)
@given(
    pose=any_pose(low=2),
    key=st.sampled_from(["pose_keypoints_2d", "pose_keypoints"]),
    body_25=st.booleans(),
    normalised=st.booleans(),
    told=st.booleans(),
)
def test_every_form_gives_the_pose_back(
    tmp_path_factory: pytest.TempPathFactory, pose: np.ndarray, key: str, body_25: bool, normalised: bool, told: bool
) -> None:
    assume(np.isfinite(pose).all(axis=1).any())
    size = (400, 310)
    if body_25 and normalised:
        body_25 = False  # the feet that the writer makes up are in pixels
    path = tmp_path_factory.mktemp("json") / "pose.json"
    write_openpose(path, [pose], key, body_25, size if normalised else None, size if told else None)
    if np.isfinite(pose).all(axis=1).sum() == 1 and normalised:
        return  # a lone joint within 0 and 1 may be in pixels
    found = read_pose_json(path, size)
    np.testing.assert_allclose(found.poses[0], pose, atol=1e-3)
    assert found.frame == (size if told else None)


def test_parts_of_a_photo_of_unknown_size(tmp_path: Path) -> None:
    write_openpose(tmp_path / "a.json", [STANDING], divide_by=(128, 128))
    with pytest.raises(InputError, match=r"within 0 and 1.*parts of a photo of unknown size.*canvas_width"):
        read_pose(tmp_path / "a.json")
    np.testing.assert_allclose(read_pose_json(tmp_path / "a.json", (128, 128)).poses[0], STANDING, rtol=1e-5)

"""A single photo is checked as those of data sets are, and what is doubtful about it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pgen.body.joints import ARMS, LEGS, Joint
from pgen.data.annotators.interface import NobodyFoundError
from pgen.data.formats.keypoints import read_pose
from pgen.errors import InputError
from pgen.inference.inputs import read_person, read_target
from pgen.inference.predictor import Predictor
from pgen.inference.targets import read_targets
from pgen.runtime.progress import show_nothing
from tests.data.annotators.fakes import fake_annotators
from tests.data.examples import STANDING, example
from tests.data.trees import coco_numbers, in_scheme, write_openpose

A = example(0)
PHOTO = np.full((384, 270, 3), 99, np.uint8)
HERE = STANDING * 2.4  # where the person in it stands
BODY = np.zeros((384, 270), np.uint8)
BODY[25:350, 90:210] = 3


def give(pose: np.ndarray, confidence: float | np.ndarray = 0.9) -> dict[str, Any]:
    """OpenPose's person of a pose."""
    rows = np.column_stack([pose, np.broadcast_to(confidence, 18)])
    return {"pose_keypoints_2d": np.nan_to_num(rows).ravel().tolist()}


def write(path: Path, people: list[Any], canvas: tuple[int, int] | None = None) -> Path:
    size = {} if canvas is None else {"canvas_height": canvas[0], "canvas_width": canvas[1]}
    path.write_text(json.dumps({"people": people} | size))
    return path


# Keypoints of another frame, labels of another scheme, nobody's joints.


def test_keypoints_of_a_smaller_copy_of_the_photo_are_refused_with_its_frame() -> None:
    small = (HERE + 0.5) * 256 / 384 - 0.5
    with pytest.raises(InputError, match=r"nobody in the photo has these joints, but .* a frame of 256x180") as error:
        read_person(PHOTO, small, annotators=fake_annotators([HERE], BODY))
    assert error.value.option == "frame"
    person = read_person(PHOTO, small, annotators=fake_annotators([HERE], BODY), frame=(256, 180))
    np.testing.assert_allclose(person.pose, HERE, atol=1)


@pytest.mark.parametrize(
    ("pose", "message", "option"),
    [
        (HERE[:, ::-1], "unless x and y change places", "pose"),
        (HERE * 0.6 + (90, 20), "1.7 times as large; they refer to another frame, or a part of the photo", "frame"),
        (HERE * 3, "lie outside of the photo", "frame"),
    ],
)
def test_joints_that_nobody_has_are_refused(pose: np.ndarray, message: str, option: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_person(PHOTO, pose, annotators=fake_annotators([HERE], BODY))
    assert error.value.option == option


def test_where_nobody_is_found_it_is_told() -> None:
    person = read_person(PHOTO, HERE, annotators=fake_annotators([], BODY))
    assert any("nobody was found in the photo" in warning for warning in person.warnings)


def test_labels_of_another_scheme_are_refused_with_its_name() -> None:
    lip = in_scheme(A.parsing, "lip20").copy()
    lip[10:30, 55:73] = 13  # the face
    with pytest.raises(InputError, match=r"label ids .* perhaps .*lip20") as error:
        read_person(A.image, STANDING, lip)
    assert error.value.option == "parsing_scheme"
    assert read_person(A.image, STANDING, lip, parsing_scheme="lip20").parsing.any()


def test_a_map_of_somebody_else_is_refused() -> None:
    elsewhere = np.zeros((128, 128), np.uint8)
    elsewhere[:, 100:] = 3
    with pytest.raises(InputError, match=r"of the joints lie on the body of .*pose and map of the same person"):
        read_person(A.image, STANDING, elsewhere)


# Confidence, and whom it chooses.


def test_joints_of_little_confidence_are_left_out_with_a_word(tmp_path: Path) -> None:
    sure = np.full(18, 0.9)
    sure[[Joint.R_WRIST, Joint.L_WRIST]] = 0.03
    target = read_target(write(tmp_path / "a.json", [give(STANDING, sure)]))
    assert np.isnan(target.pose[[Joint.R_WRIST, Joint.L_WRIST]]).all()
    assert np.isfinite(target.pose).all(axis=1).sum() == 16
    assert target.doubts == ("a.json: r_wrist, l_wrist are left out: of less confidence than 0.1",)
    kept = read_pose(tmp_path / "a.json", min_confidence=0.01)
    assert np.isfinite(kept.pose).all()
    assert "uncertain" in kept.doubts[0]


def test_a_pose_without_a_sure_joint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no joint has a confidence over 0.05") as error:
        read_pose(write(tmp_path / "a.json", [give(STANDING, 0.05)]))
    assert error.value.option == "min_confidence"


def test_who_is_sure_is_taken_and_not_a_ghost_with_a_larger_box(tmp_path: Path) -> None:
    ghost = np.full((18, 2), np.nan)
    ghost[:3] = (2, 2), (500, 500), (2, 500)
    path = write(tmp_path / "a.json", [give(ghost, np.where(np.isnan(ghost[:, 0]), 0, 0.06)), give(STANDING)])
    loaded = read_pose(path)
    np.testing.assert_allclose(loaded.pose, STANDING)
    assert loaded.notes == ("a.json: 2 people, number 1 is taken, who is large and sure (others: 0)",)
    coco = [{"image_id": "a.jpg", "keypoints": [5, 5, 0.04] * 3 + [900, 900, 0.04] * 14}]
    coco.append({"image_id": "a.jpg", "keypoints": coco_numbers(STANDING)})
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    np.testing.assert_allclose(read_pose(tmp_path / "coco.json").pose[Joint.R_KNEE], STANDING[Joint.R_KNEE])


def test_a_null_person_is_skipped(tmp_path: Path) -> None:
    np.testing.assert_allclose(read_pose(write(tmp_path / "a.json", [None, give(STANDING)])).pose, STANDING)
    with pytest.raises(NobodyFoundError):
        read_pose(write(tmp_path / "b.json", [None]))


# Units of coordinates.


@pytest.mark.parametrize("below", [0, 0.16])
def test_parts_of_the_photo_are_pixels_of_its_canvas(tmp_path: Path, below: float) -> None:
    pose = STANDING.copy()
    pose[Joint.R_ANKLE, 1] += below * 128  # beyond the border
    write_openpose(tmp_path / "a.json", [pose], divide_by=(128, 128), canvas=(128, 128))
    loaded = read_pose(tmp_path / "a.json")
    np.testing.assert_allclose(loaded.pose, pose, atol=1e-3)
    assert "read as parts of the photo of 128x128, between 0 and 1" in loaded.notes[0]


def test_coordinates_around_zero_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [give(STANDING / 64 - 1)], (128, 128))
    loaded = read_pose(tmp_path / "a.json")
    np.testing.assert_allclose(loaded.pose, STANDING, atol=1e-3)
    assert "between -1 and 1" in loaded.notes[0]


def test_parts_are_those_of_the_photo_that_the_pose_belongs_to(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [give(HERE / (270, 384))])
    with pytest.raises(InputError, match="parts of a photo of unknown size"):
        read_target(tmp_path / "a.json")
    person = read_person(PHOTO, tmp_path / "a.json", BODY)
    np.testing.assert_allclose(person.pose, HERE, atol=0.01)


def test_a_small_body_in_pixels_is_no_share_of_the_photo(tmp_path: Path) -> None:
    tiny = STANDING / 128 * (3, 6)
    np.testing.assert_allclose(read_pose(write(tmp_path / "a.json", [give(tiny)], (64, 64))).pose, tiny, atol=1e-4)


# What a result cannot show.


def test_missing_limbs_and_joints_outside_of_the_result_are_told(model: Predictor) -> None:
    person = model.person(A.image, A.pose, A.parsing, crop=False)
    legless = STANDING.copy()
    legless[[joint for _, *limb in LEGS for joint in limb]] = np.nan
    told = model.generate(person, legless).warnings
    assert any("r_knee, r_ankle, l_knee, l_ankle are missing" in warning for warning in told)
    armless = STANDING.copy()
    armless[[joint for _, *limb in ARMS for joint in limb]] = np.nan
    assert any("r_elbow, r_wrist, l_elbow, l_wrist are missing" in w for w in model.generate(person, armless).warnings)
    low = model.generate(person, STANDING + np.array((0, 30)), retarget="none").warnings
    assert any("r_ankle, l_ankle lie outside of the result" in warning for warning in low)
    assert model.generate(person, STANDING, retarget="none").warnings == ()


def test_a_limb_that_the_source_lacks_too_is_not_told(model: Predictor) -> None:
    legless = STANDING.copy()
    legless[[joint for _, *limb in LEGS for joint in limb]] = np.nan
    person = model.person(A.image, legless, A.parsing, crop=False)
    assert not any("missing" in warning for warning in model.generate(person, legless).warnings)


def test_a_pose_in_one_point_is_refused(model: Predictor) -> None:
    person = model.person(A.image, A.pose, A.parsing, crop=False)
    with pytest.raises(InputError, match="joints lie in one point") as error:
        model.generate(person, np.full((18, 2), 9000.0))
    assert error.value.option == "pose"


# Motions in pose files.


def write_frames(folder: Path, count: int = 5) -> Path:
    folder.mkdir()
    for number in range(count):
        write(folder / f"clip_{number:012}_keypoints.json", [give(STANDING + number)], (160, 160))
    return folder


def test_a_folder_of_openpose_is_a_motion(tmp_path: Path) -> None:
    nobody = fake_annotators([])
    sequence = read_targets([write_frames(tmp_path / "motion")], nobody, 48, show_nothing)
    assert sequence.is_motion
    assert len(sequence.poses) == 5
    assert sequence.poses[0].frame == (160, 160)
    few = read_targets([tmp_path / "motion"], nobody, 3, show_nothing)
    assert len(few.poses) == 3
    assert sum(few.seconds) == pytest.approx(sum(sequence.seconds))


def test_a_list_of_frames_is_a_motion_of_one_person(tmp_path: Path) -> None:
    other = STANDING + np.array((300, 0))
    frames = [{"people": [give(STANDING), give(other * 1.0, 0.5)]}, {"people": [give(other, 0.99), give(STANDING + 1)]}]
    (tmp_path / "frames.json").write_text(json.dumps([*frames, {"people": []}, *frames]))
    sequence = read_targets([tmp_path / "frames.json"], fake_annotators([]), 48, show_nothing)
    assert len(sequence.poses) == 5  # the gap is filled
    assert all(np.nanmax(pose.pose[:, 0]) < 100 for pose in sequence.poses)


@pytest.mark.parametrize("count", [17, 26, 133, 136])
def test_the_first_17_of_many_joints(tmp_path: Path, count: int) -> None:
    numbers = coco_numbers(STANDING)
    rows = np.array(numbers).reshape(17, 3)
    more = [3.0, 3.0, 0.7] * (count - 17)
    (tmp_path / "alphapose.json").write_text(json.dumps([{"image_id": "a.jpg", "keypoints": numbers + more}]))
    joints = [*rows[:, :2].tolist(), *[[3.0, 3.0]] * (count - 17)]
    instance = {"keypoints": joints, "keypoint_scores": [0.9] * count}
    (tmp_path / "mmpose.json").write_text(json.dumps({"instances": [instance]}))
    for name in ("alphapose.json", "mmpose.json"):
        pose = read_pose(tmp_path / name).pose
        for joint in (Joint.NOSE, Joint.R_KNEE, Joint.L_WRIST, Joint.L_ANKLE):
            np.testing.assert_allclose(pose[joint], STANDING[joint])


def test_a_photo_of_one_pixel_is_refused_or_taken(tmp_path: Path) -> None:
    Image.fromarray(A.image[:1, :1]).save(tmp_path / "a.png")
    with pytest.raises(InputError):
        read_person(tmp_path / "a.png", STANDING, np.ones((1, 1), int))

from __future__ import annotations

import numpy as np
import pytest

from pgen.data.readers.frames import FILE_REMEDY, check_frame, guess_frame, parsing_into_photo, pose_into_photo
from pgen.errors import InputError
from tests.data.examples import STANDING

PEOPLE = [STANDING + np.float32(index - 6) for index in range(12)]


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    return [(height, width)] * len(PEOPLE)


def test_right_frames_pass() -> None:
    check_frame(PEOPLE, sizes(128, 128), "k.csv")
    check_frame(PEOPLE, sizes(128, 100), "k.csv")
    check_frame(PEOPLE[:3], [(900, 900)] * 3, "k.csv")  # too few to tell
    check_frame([], [], "k.csv")


def test_some_joints_outside_pass() -> None:
    poses = [pose.copy() for pose in PEOPLE]
    poses[0][4] = 500
    check_frame(poses, sizes(128, 128), "k.csv")


@pytest.mark.parametrize(
    ("poses", "size", "message"),
    [
        ([pose * 2 for pose in PEOPLE], (128, 64), "100% .* outside of 128x64; .* perhaps 256x256"),
        ([pose * 2 - (40, 0) for pose in PEOPLE], (128, 64), "outside of 128x64; .* perhaps 256x176"),
        ([pose * 2 - (40, 0) for pose in PEOPLE], (256, 256), "by about 40 pixels to the left .* perhaps 256x176"),
        ([pose * 2 for pose in PEOPLE], (256, 176), "by about 40 pixels to the right .* perhaps 256x256"),
        ([pose * 40 for pose in PEOPLE], (256, 256), "outside of 256x256; .*as HEIGHTxWIDTH"),
        (PEOPLE, (1101, 750), "upper left quarter of 1101x750; .*, as HEIGHTxWIDTH"),
        ([pose[:, ::-1] for pose in PEOPLE], (128, 90), "unless x and y change places; .*name:keypoints_x:"),
        ([pose[:, ::-1] for pose in PEOPLE], (128, 128), "100% of the bodies lie on their side; if"),
        ([pose * np.nan for pose in PEOPLE], (128, 128), "every joint of every pose is missing"),
    ],
)
def test_wrong_frames_are_refused(poses: list[np.ndarray], size: tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=f"k.csv: .*{message}"):
        check_frame(poses, sizes(*size), "k.csv")


def test_a_wrong_frame_given_by_hand_is_refused() -> None:
    with pytest.raises(InputError, match="outside of 128x64"):
        check_frame([pose * 2 for pose in PEOPLE], sizes(128, 64), "k.csv")


def test_into_photo() -> None:
    np.testing.assert_array_equal(pose_into_photo(STANDING, (128, 128), (128, 128)), STANDING)
    np.testing.assert_allclose(pose_into_photo(STANDING, (128, 64), (256, 128)), (STANDING + 0.5) * 2 - 0.5)
    # The field's 176 columns lie in the middle of its padded 256.
    np.testing.assert_allclose(pose_into_photo(STANDING, (256, 176), (256, 256)), STANDING + np.array((40, 0)))
    np.testing.assert_allclose(pose_into_photo(STANDING, (256, 256), (256, 176)), STANDING - np.array((40, 0)))


def test_parsing_into_photo_goes_as_poses_do() -> None:
    rng = np.random.default_rng(0)
    narrow = rng.integers(0, 10, (256, 176)).astype(np.uint8)
    wide = parsing_into_photo(narrow, (256, 256))
    np.testing.assert_array_equal(wide, np.pad(narrow, ((0, 0), (40, 40))))
    np.testing.assert_array_equal(parsing_into_photo(wide, (256, 176)), narrow)
    np.testing.assert_array_equal(parsing_into_photo(narrow, (512, 352)), narrow.repeat(2, 0).repeat(2, 1))
    large = parsing_into_photo(wide, (1101, 750))
    for x, y in ((88.0, 20.0), (60.0, 200.0), (150.0, 128.0)):
        column, row = np.rint(pose_into_photo(np.array([[x, y]]), (256, 256), (1101, 750))[0]).astype(int)
        assert large[row, column] == wide[int(y), int(x)]


def test_guessed_frames() -> None:
    padded = [pose * 2 for pose in PEOPLE]
    assert guess_frame(padded) == (256, 256)
    assert guess_frame([pose - (40, 0) for pose in padded]) == (256, 176)
    assert guess_frame([pose - (20, 0) for pose in padded]) is None
    assert guess_frame([pose_into_photo(pose.astype(np.float32), (256, 256), (1101, 750)) for pose in padded]) == (
        1101,
        750,
    )
    assert guess_frame([PEOPLE[0] * np.nan]) is guess_frame([]) is None


def test_remedy_suits_the_file() -> None:
    with pytest.raises(InputError, match="x stands before y in such files"):
        check_frame([pose[:, ::-1] for pose in PEOPLE], sizes(128, 128), "keypoints", swap_remedy=FILE_REMEDY)

from __future__ import annotations

import numpy as np
import pytest

from pgen.data.frames import check_frame, into_photo
from pgen.errors import InputError
from tests.data.examples import STANDING

PEOPLE = [STANDING + np.float32(index - 6) for index in range(12)]


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    return [(height, width)] * len(PEOPLE)


def test_right_frames_pass() -> None:
    check_frame(PEOPLE, sizes(128, 128), "k.csv")
    check_frame(PEOPLE, sizes(128, 100), "k.csv")
    check_frame(PEOPLE, sizes(1101, 750), "k.csv", frame=(128, 128))
    check_frame(PEOPLE[:3], [(900, 900)] * 3, "k.csv")  # too few to tell
    check_frame([], [], "k.csv")


def test_some_joints_outside_pass() -> None:
    poses = [pose.copy() for pose in PEOPLE]
    poses[0][4] = 500
    check_frame(poses, sizes(128, 128), "k.csv")


@pytest.mark.parametrize(
    ("poses", "size", "message"),
    [
        ([pose * 2 for pose in PEOPLE], (128, 64), "100% .* outside of 128x64; .* --frame 256x176"),
        ([pose * 1.9 + (40, 0) for pose in PEOPLE], (128, 64), "outside of 128x64; .* --frame 256x256"),
        ([pose * 40 for pose in PEOPLE], (256, 256), "outside of 256x256; .*as HEIGHTxWIDTH"),
        (PEOPLE, (1101, 750), "upper left quarter of 1101x750; .*, perhaps --frame 256x176"),
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
        check_frame([pose * 2 for pose in PEOPLE], sizes(256, 256), "k.csv", frame=(128, 64))


def test_into_photo() -> None:
    np.testing.assert_array_equal(into_photo(STANDING, (128, 128), (128, 128)), STANDING)
    np.testing.assert_allclose(into_photo(STANDING, (128, 64), (256, 128)), (STANDING + 0.5) * 2 - 0.5)
    # The field's 176 columns lie in the middle of its padded 256.
    np.testing.assert_allclose(into_photo(STANDING, (256, 176), (256, 256)), STANDING + np.array((40, 0)))
    np.testing.assert_allclose(into_photo(STANDING, (256, 256), (256, 176)), STANDING - np.array((40, 0)))

from __future__ import annotations

import numpy as np
import pytest

from pgen.errors import InputError
from pgen.evaluation.measure import common_size, crop_to_size
from pgen.evaluation.photos import Photo


@pytest.mark.parametrize(
    ("result", "true", "size"),
    [
        ((64, 48), (64, 48), (64, 48)),
        ((256, 176), (256, 256), (256, 176)),
        ((256, 256), (256, 176), (256, 176)),
        ((512, 352), (512, 512), (512, 352)),
    ],
)
def test_deepfashion_s_frames_are_reconciled(result: tuple, true: tuple, size: tuple) -> None:
    assert common_size((*result, 3), (*true, 3)) == size


@pytest.mark.parametrize("result", [(128, 128), (256, 255), (128, 176), (256, 192)])
def test_any_other_size_is_refused(result: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"wrong size: {result[0]}x{result[1]}, and the target has 256x256"):
        common_size((*result, 3), (256, 256, 3))


def test_the_middle_columns_are_kept() -> None:
    columns = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (256, 256, 3))
    pose = np.full((18, 2), (100, 50), np.float32)
    photo = crop_to_size(Photo(columns, pose, columns[..., 0]), (256, 176))
    result = crop_to_size(Photo(columns[:, 40:216]), (256, 176))
    np.testing.assert_array_equal(photo.image, result.image)
    assert photo.parsing is not None
    assert photo.pose is not None
    assert photo.parsing[0, 0] == 40
    assert photo.pose[0].tolist() == [60, 50]
    photo = crop_to_size(Photo(columns[:, 40:216], pose), (256, 176))
    result = crop_to_size(Photo(columns, parsing=columns[..., 0]), (256, 176))
    np.testing.assert_array_equal(photo.image, result.image)
    assert result.parsing is not None
    assert result.parsing.shape == (256, 176)
    assert photo.pose is not None
    assert photo.pose[0].tolist() == [100, 50]

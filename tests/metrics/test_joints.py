from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pgen.body.joints import Joint
from pgen.metrics.base import Batch
from pgen.metrics.joints import JointError, JointMetric, Pckh, head_sizes, joint_errors, pckh_counts


def find_rows(kind: type[JointMetric], found: Tensor, true: Tensor, height: int = 128) -> Tensor:
    metric = kind.__new__(kind)
    metric.detector = lambda images, asked: found  # type: ignore[assignment]
    images = torch.zeros(len(true), 3, height, 96, dtype=torch.uint8)
    return metric.rows(Batch(images, images, true))


def person() -> Tensor:
    """A head 20 pixels wide and 6 high, a torso 60 long, one wrist; all else missing."""
    pose = torch.full((1, 18, 2), torch.nan)
    for joint, place in {
        Joint.NOSE: (50, 26), Joint.R_EYE: (45, 20), Joint.L_EYE: (55, 20), Joint.R_EAR: (40, 22),
        Joint.L_EAR: (60, 22), Joint.R_SHOULDER: (35, 50), Joint.L_SHOULDER: (65, 50),
        Joint.R_HIP: (35, 110), Joint.L_HIP: (65, 110),
        Joint.R_WRIST: (20, 90),
    }.items():  # fmt: skip
        pose[0, joint] = torch.tensor(place, dtype=torch.float32)
    return pose


def test_head_size_is_the_longer_side_of_the_box() -> None:
    pose = person()
    assert head_sizes(pose).item() == 20
    pose[0, [Joint.R_EYE, Joint.L_EYE, Joint.L_EAR]] = torch.nan  # from the side: nose and one ear
    assert head_sizes(pose).item() == 10
    pose[0, Joint.R_EAR] = torch.nan
    assert head_sizes(pose).isnan().all()
    pose[0, Joint.L_EYE] = pose[0, Joint.NOSE]
    assert head_sizes(pose).isnan().all()


@pytest.mark.parametrize(
    ("moved", "met"),
    [((10, 0), 10), ((0, 10), 10), ((6, 8), 10), ((10.1, 0), 9), ((7.1, 7.1), 9), ((0, 0), 10)],
)
def test_half_a_head_is_the_limit(moved: tuple[float, float], met: int) -> None:
    found = person()
    found[0, Joint.R_WRIST] += torch.tensor(moved)
    assert pckh_counts(found, person()).tolist() == [[met, 10]]


def test_undetected_is_wrong_and_what_is_not_annotated_does_not_count() -> None:
    found, true = person(), person()
    found[0, Joint.NOSE] = torch.nan
    found[0, Joint.L_KNEE] = torch.tensor([60.0, 150.0])
    assert pckh_counts(found, true).tolist() == [[9, 10]]
    assert pckh_counts(torch.full_like(true, torch.nan), true).tolist() == [[0, 10]]


def test_without_a_head_nobody_counts() -> None:
    true = torch.cat([person(), person()])
    true[0, [0, 14, 15, 16, 17]] = torch.nan
    assert pckh_counts(torch.cat([person(), person()]), true).tolist() == [[0, 0], [10, 10]]


def test_alpha() -> None:
    found = person()
    found[0, Joint.R_WRIST, 0] += 4
    assert pckh_counts(found, person(), alpha=0.2).tolist() == [[10, 10]]
    assert pckh_counts(found, person(), alpha=0.19).tolist() == [[9, 10]]


def test_errors_are_in_torso_lengths() -> None:
    found, true = person(), person()
    found[0, Joint.R_WRIST] += torch.tensor([18.0, 24.0])
    found[0, Joint.NOSE] = torch.nan
    errors = joint_errors(found, true)[0]
    assert errors[Joint.R_WRIST].item() == pytest.approx(0.5)
    assert errors[[Joint.NOSE, Joint.L_KNEE]].isnan().all()
    assert find_rows(JointError, found, true).tolist() == [[pytest.approx(0.5), 9]]


def test_without_a_torso_there_is_no_length() -> None:
    true = person()
    true[0, Joint.L_HIP] = torch.nan
    assert find_rows(JointError, person(), true).tolist() == [[0, 0]]


def test_what_lies_beyond_the_picture_does_not_count() -> None:
    found = person()
    found[0, Joint.L_HIP] = torch.nan
    assert find_rows(Pckh, found, person()).tolist() == [[9, 10]]
    assert find_rows(Pckh, found, person(), height=100).tolist() == [[8, 8]]

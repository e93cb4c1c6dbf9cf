"""Heads that are turned."""

from __future__ import annotations

import pytest
import torch

from pgen.body.joints import FLIP_JOINTS, Joint
from pgen.body.transfer import measure_head_turns
from tests.body.poses import STANDING


def head(**places: tuple[float, float]) -> torch.Tensor:
    """A pose (1, 18, 2) whose head has these joints alone."""
    pose = torch.from_numpy(STANDING).clone().float()
    pose[[Joint.NOSE, Joint.R_EYE, Joint.L_EYE, Joint.R_EAR, Joint.L_EAR]] = torch.nan
    for name, place in places.items():
        pose[Joint[name.upper()]] = torch.tensor(place)
    return pose[None]


EYES = {"r_eye": (9.0, 8.0), "l_eye": (12.0, 8.0)}


@pytest.mark.parametrize(
    ("joints", "turn"),
    [
        ({"nose": (10.0, 10.0), "r_ear": (5.0, 9.0), "l_ear": (15.0, 9.0), **EYES}, 0.0),
        ({"nose": (13.0, 10.0), "r_ear": (5.0, 9.0), "l_ear": (15.0, 9.0)}, 0.6),
        ({"nose": (30.0, 10.0), "r_ear": (5.0, 9.0), "l_ear": (15.0, 9.0)}, 1.0),
        ({"nose": (13.0, 10.0), "r_ear": (5.0, 9.0), **EYES}, 0.75),
        ({"nose": (13.0, 10.0), "r_ear": (5.0, 9.0), "r_eye": (9.0, 8.0)}, 1.0),
        ({"nose": (13.0, 10.0), "l_ear": (5.0, 9.0), "l_eye": (9.0, 8.0)}, -1.0),
        ({"nose": (13.0, 10.0), **EYES}, None),
        ({"r_ear": (5.0, 9.0), "l_ear": (15.0, 9.0)}, None),
        ({}, None),
    ],
)
def test_turns_by_hand(joints: dict[str, tuple[float, float]], turn: float | None) -> None:
    pose = head(**joints)
    found = measure_head_turns(pose).item()
    assert found != found if turn is None else found == pytest.approx(turn)
    mirrored = pose[:, list(FLIP_JOINTS)] * torch.tensor([-1.0, 1.0])
    seen = measure_head_turns(mirrored).item()
    assert seen != seen if turn is None else seen == pytest.approx(-turn)
    size_and_place = measure_head_turns(3 * pose + 7).item()
    assert size_and_place == pytest.approx(found, abs=1e-5, nan_ok=True)

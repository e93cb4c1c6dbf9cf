from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.body.joints import TORSO_JOINTS, Joint, known_joints
from pgen.data.named_poses import find_named_pose, load_named_poses


def test_there_are_a_dozen_whole_ones() -> None:
    poses = load_named_poses()
    assert len(poses) >= 12
    for name, loaded in poses.items():
        there = known_joints(loaded.pose)
        assert there[list(TORSO_JOINTS)].all(), name
        assert there[[Joint.R_ANKLE, Joint.L_ANKLE, Joint.R_WRIST, Joint.L_WRIST]].all(), name
        assert loaded.frame is not None
        assert (loaded.pose[there] >= 0).all()
        assert (loaded.pose[there] < loaded.frame[::-1]).all()


def test_they_are_what_their_names_say() -> None:
    poses = {name: loaded.pose for name, loaded in load_named_poses().items()}
    assert (poses["arms-up"][[Joint.R_WRIST, Joint.L_WRIST], 1] < poses["arms-up"][Joint.NOSE, 1]).all()
    assert poses["stand"][Joint.L_SHOULDER, 0] > poses["stand"][Joint.R_SHOULDER, 0]
    assert poses["back"][Joint.L_SHOULDER, 0] < poses["back"][Joint.R_SHOULDER, 0]
    assert np.isnan(poses["back"][Joint.NOSE]).all()


def test_files_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_named_pose("walk") is not None
    assert find_named_pose("no such") is None
    Path("walk").mkdir()
    assert find_named_pose("walk") is None


def test_changing_one_does_not_change_the_next() -> None:
    first = find_named_pose("walk")
    assert first is not None
    first.pose[:] = 0
    again = find_named_pose("walk")
    assert again is not None
    assert again.pose.any()

"""The real thing; without the extra these tests are skipped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pgen
from pgen.body.joints import HEAD_JOINTS, Joint, known_joints
from pgen.data.annotators.landmarks import Landmarks
from pgen.data.annotators.mediapipe_pose import MediapipePose
from pgen.data.readers.synthetic import synthetic_example
from pgen.synthetic.dataset import synthetic_shot

pytest.importorskip("mediapipe")

SEED = 77


@pytest.fixture(scope="module")
def annotator() -> Iterator[MediapipePose]:
    """Loaded where no connection can be made."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the network was touched")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield MediapipePose()


def torso(pose: np.ndarray) -> float:
    hips, shoulders = [Joint.R_HIP, Joint.L_HIP], [Joint.R_SHOULDER, Joint.L_SHOULDER]
    return float(np.linalg.norm(pose[hips].mean(0) - pose[shoulders].mean(0)))


def test_joints_silhouette_and_sides_of_synthetic_people(annotator: MediapipePose) -> None:
    errors, shares, swaps = [], [], 0
    views = [index for index in range(24) if abs(np.sin(synthetic_shot(SEED, index, 0).body_pose.yaw)) < 0.6][:8]
    for index in views:
        truth = synthetic_example(SEED, index, 0)
        (found, *_) = annotator.people(truth.image)
        both = known_joints(truth.pose) & known_joints(found.pose)
        errors.append(np.linalg.norm(found.pose - truth.pose, axis=1)[both].mean() / torso(truth.pose))
        shown, body = found.silhouette > 0.5, truth.parsing > 0
        shares.append((shown & body).sum() / (shown | body).sum())
        across = (found.pose - truth.pose)[[Joint.R_SHOULDER, Joint.L_SHOULDER], 0]
        swaps += int(np.abs(across).mean() > 0.2 * torso(truth.pose))
    assert np.mean(errors) < 0.06
    assert np.mean(shares) > 0.9
    assert swaps == 0


def test_two_looks_at_a_time_find_what_one_after_the_other_do(annotator: MediapipePose) -> None:
    image, threads, found = synthetic_example(SEED, 0, 0).image, torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(annotator.people(image))
    finally:
        torch.set_num_threads(threads)
    assert len(annotator._networks) == 2
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.pose, other.pose)
        np.testing.assert_array_equal(one.silhouette, other.silhouette)
        assert one.doubts == other.doubts


def test_two_people_the_larger_first_in_a_large_photo(annotator: MediapipePose) -> None:
    truth = synthetic_example(SEED, next(i for i in range(50) if synthetic_shot(SEED, i, 0).framing.view == "full"), 0)
    ground = np.full((400, 700, 3), 225, np.uint8)
    large = truth.image[:, 40:216]
    ground[100:356, 60:236] = large
    ground[180:308, 480:568] = large[::2, ::2]
    people = annotator.people(ground)
    assert len(people) == 2
    assert people[0].pose[Joint.NECK, 0] < 300 < people[1].pose[Joint.NECK, 0]
    assert people[0].silhouette is not None
    assert people[0].silhouette.shape == (400, 700)


@pytest.mark.parametrize(("upright", "count"), [(True, 2), (False, 1)])
def test_nobody_beside_others_is_upside_down(
    annotator: MediapipePose, monkeypatch: pytest.MonkeyPatch, upright: bool, count: int
) -> None:
    def find(left: int, turned: bool) -> Landmarks:
        points = np.tile((left + 25.0, 40.0), (33, 1))
        points[[11, 13, 15]] += (10, 0)
        points[23:] += (0, -50 if turned else 50)
        silhouette = np.zeros((128, 128), np.float32)
        silhouette[20:110, left : left + 50] = 1
        return Landmarks(points, np.ones((33, 3)), np.ones(33), silhouette)

    finds = iter([find(0, False), find(70, not upright), None])
    monkeypatch.setattr(annotator, "_search", lambda image, windows, repeated: next(finds))
    monkeypatch.setattr(annotator, "_look_closely", lambda image, first: (first, False))
    assert len(annotator.people(np.zeros((128, 128, 3), np.uint8))) == count


def test_nobody_in_an_empty_picture(annotator: MediapipePose) -> None:
    assert annotator.people(np.full((200, 300, 3), 128, np.uint8)) == []


def test_from_behind_the_face_is_missing(annotator: MediapipePose) -> None:
    behind = [i for i in range(60) if np.cos(synthetic_shot(SEED, i, 0).body_pose.yaw) < -0.98][:3]
    for index in behind:
        (found, *_) = annotator.people(synthetic_example(SEED, index, 0).image)
        assert not known_joints(found.pose)[[joint for joint in HEAD_JOINTS if "EAR" not in joint.name]].any()


def test_loading_says_nothing(annotator: MediapipePose, capfd: pytest.CaptureFixture[str]) -> None:
    MediapipePose()
    assert capfd.readouterr() == ("", "")


WITHOUT_NETWORK = """
import socket, sys
from pgen.cli.main import main

try:
    socket.create_connection(("192.0.2.1", 9), timeout=5)
except OSError as error:
    print(error.strerror)
sys.exit(main(["annotate", "photo.png"]))
"""


def test_a_photo_is_annotated_where_there_is_no_network(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--net"]  # a network of its own, with nothing in it
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a process go without network (unshare --map-root-user --net)")
    Image.fromarray(synthetic_example(SEED, 0, 0).image).save(tmp_path / "photo.png")
    environment = {**os.environ, "PYTHONPATH": str(Path(pgen.__file__).parents[1])}
    command = [*alone, sys.executable, "-c", WITHOUT_NETWORK]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.startswith("Network is unreachable"), ended
    assert ended.returncode == 0, ended
    assert {path.name for path in tmp_path.iterdir()} > {"photo.png", "photo.json"}

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.data.dataset import PersonDataset
from pgen.data.example import Example
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.errors import InputError
from pgen.pseudo_labels.varied_search import find_facing_directions, find_matches, place_canonical_points
from tests.models.people import boxes, standing

torch.set_num_threads(1)

SIZE = (64, 64)


def sampler(path: Path, examples: list[Example]) -> PersonDataset:
    with StoreWriter(path, SIZE, source="tests", options={}) as writer:
        for item in examples:
            writer.add(item)
    with Store(path) as store:
        return PersonDataset(store)


@pytest.fixture(scope="module")
def people() -> list[Example]:
    """30 synthetic people, twice each."""
    return [synthetic_example(3, k // 2, k % 2, SIZE) for k in range(60)]


@pytest.fixture(scope="module")
def found(people: list[Example], tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return find_matches(sampler(tmp_path_factory.mktemp("a") / "a.h5", people), block=32)


def box_person(index: int, person: str, stepped: int = 0, upper: int = 14) -> Example:
    """The person of boxes, whose legs are ``stepped`` pixels aside; ``upper`` is the row where the sleeves end."""
    labels, pose = boxes(SIZE)[0].numpy().astype(np.uint8), standing(SIZE)[0].numpy().copy()
    sleeves = labels[:upper]
    sleeves[(sleeves == Label.R_ARM) | (sleeves == Label.L_ARM)] = Label.UPPER
    labels[46:] = np.roll(labels[46:], stepped, axis=1)
    pose[[Joint.R_KNEE, Joint.L_KNEE, Joint.R_ANKLE, Joint.L_ANKLE], 0] += stepped
    return Example(f"{index}.png", np.zeros((*SIZE, 3), np.uint8), labels, pose, person, "train")


def test_shape_and_order(found: np.ndarray) -> None:
    assert found.shape == (60, 6)
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.max() < 60


def test_never_the_same_person(found: np.ndarray) -> None:
    assert not (found // 2 == (np.arange(60) // 2)[:, None]).any()


def pose_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square distance of the joints known in both, about the hips, in torso lengths; written plainly."""

    def normal(pose: np.ndarray) -> np.ndarray:
        hips = (pose[Joint.R_HIP] + pose[Joint.L_HIP]) / 2
        sides = [pose[Joint.R_HIP] - pose[Joint.R_SHOULDER], pose[Joint.L_HIP] - pose[Joint.L_SHOULDER]]
        return (pose - hips) / np.sqrt(np.mean([np.square(side).sum() for side in sides]))

    return float(np.sqrt(np.nanmean(np.square(normal(a) - normal(b)).sum(1))))


def test_never_nearly_the_same_pose(people: list[Example], found: np.ndarray) -> None:
    for k, matches in enumerate(found):
        assert min(pose_distance(people[k].pose, people[m].pose) for m in matches) >= 0.2 - 1e-3


def test_garments_match_more_often_than_by_chance(people: list[Example], found: np.ndarray) -> None:
    for attribute in ("sleeves", "lower"):
        worn = np.array([person.attributes[attribute] for person in people])
        chance = np.mean([np.mean(worn == other) for other in worn])
        share = (worn[found] == worn[:, None]).mean()
        assert share > chance + 0.2 * (1 - chance)


def test_turned_matches_are_seen_from_another_side(people: list[Example], found: np.ndarray) -> None:
    side = find_facing_directions(torch.from_numpy(np.stack([person.pose for person in people]))).numpy()
    assert set(side) > {0}
    assert (side[found[:, 4:]] != side[:, None]).all()


def test_the_same_seed_gives_the_same(people: list[Example], found: np.ndarray, tmp_path: Path) -> None:
    data = sampler(tmp_path / "a.h5", people)
    assert np.array_equal(find_matches(data), found)  # and the size of the blocks does not matter
    assert not np.array_equal(find_matches(data, seed=1), found)


def test_finds_the_planted_twin(tmp_path: Path) -> None:
    """Sleeves to the elbow, in two poses, among people with longer and shorter ones in both poses."""
    examples = []
    for person, upper in enumerate((14, 18, 22, 26, 33)):
        for pose, stepped in enumerate((0, 9)):
            examples.append(box_person(len(examples), f"p{person}_{pose}", stepped, upper))
    data = sampler(tmp_path / "a.h5", examples)
    # Whenever the twin is in the half of the data that is searched, it is the one: more often than any other.
    found = np.concatenate([find_matches(data, 6, 0, seed=seed) for seed in range(4)], 1)
    for k in range(len(examples)):
        twin = k ^ 1
        assert twin in found[k]
        assert (found[k] == twin).sum() == np.bincount(found[k]).max()
        assert (found[k] % 2 != k % 2).all()  # never in its own pose


def test_falls_back_rather_than_break_its_promises(tmp_path: Path) -> None:
    """Nobody is turned, nobody far away: still never oneself."""
    data = sampler(tmp_path / "a.h5", [box_person(k, f"p{k % 3}", stepped=9 * (k % 2)) for k in range(6)])
    found = find_matches(data, 2, 2)
    persons = np.arange(6) % 3
    assert (persons[found] != persons[:, None]).all()
    assert (found % 2 != (np.arange(6) % 2)[:, None]).all()


@pytest.mark.parametrize("persons", [("a", "a"), ("a", "b")])
def test_a_view_that_has_nobody_is_refused(tmp_path: Path, persons: tuple[str, str]) -> None:
    """One person only; or two in the same pose."""
    stepped = 9 if persons[0] == persons[1] else 0
    data = sampler(tmp_path / "a.h5", [box_person(0, persons[0]), box_person(1, persons[1], stepped)])
    with pytest.raises(InputError, match=r"0\.png: the data set shows nobody else in another pose"):
        find_matches(data)


def test_facing() -> None:
    front = standing()
    side = front.clone()
    side[0, Joint.L_SHOULDER, 0] = side[0, Joint.R_SHOULDER, 0] + 1
    back = front.clone()
    back[..., 0] = 63 - back[..., 0]
    assert find_facing_directions(torch.cat([front, back, side])).tolist() == [0, 1, 2]


def test_points_follow_the_body() -> None:
    """Scaled, turned and moved poses look at their maps in the same places; missing joints hide their part only."""
    pose = standing()
    points, there, weights = place_canonical_points(pose)
    assert points.shape == (1, len(weights), 2)
    assert there.all()
    angle = torch.tensor(0.4)
    turn = torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
    moved, _, _ = place_canonical_points(1.5 * pose @ turn.T + 7)
    torch.testing.assert_close(moved, 1.5 * points @ turn.T + 7, atol=1e-3, rtol=1e-4)
    pose[0, Joint.R_WRIST] = torch.nan
    without, there, _ = place_canonical_points(pose)
    assert without.isfinite().all()
    assert int((~there).sum()) == 50
    torch.testing.assert_close(without[there], points[there])

"""The search against the whole table of distances, and the clothes that its matches wear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.data.dataset import PersonDataset
from pgen.data.example import Example
from pgen.data.store import Store, StoreWriter
from pgen.errors import InputError
from pgen.pseudo_labels import nearest_search as search
from pgen.pseudo_labels import varied_search
from pgen.pseudo_labels.match_rules import MatchRules, measure_clothes
from pgen.pseudo_labels.nearest_search import NearestMaps, find_nearest_maps
from pgen.pseudo_labels.part_distance import PartDistances
from pgen.pseudo_labels.part_patches import estimate_distances
from pgen.pseudo_labels.varied_search import find_matches
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.person import Bottom, Person, Top
from pgen.synthetic.render import render
from tests.models.people import boxes, standing

torch.set_num_threads(1)

SIZE = (64, 64)


@pytest.fixture(scope="module")
def people() -> list[Example]:
    """40 people in four sets of clothes, twice each."""
    made = []
    for k in range(40):
        person = dressed(synthetic_person(7, k), k)
        for view in range(2):
            shown = render(person, synthetic_shot(7, k, view), SIZE)
            made.append(
                Example(f"{k}_{view}.png", shown.image, shown.parsing, shown.pose, f"p{k}", "train", shown.attributes)
            )
    return made


def dressed(person: Person, k: int) -> Person:
    top: Top = replace(person.top, sleeve=(0.5, 1.95)[k % 2], hem=0.15)
    bottom: Bottom = replace(person.bottom, kind=("trousers", "skirt")[k // 2 % 2], length=(2.0, 0.55)[k // 2 % 2])
    return replace(person, top=top, bottom=bottom)


def arguments(people: list[Example]) -> tuple[torch.Tensor, torch.Tensor, list[str], list[str]]:
    labels = torch.from_numpy(np.stack([person.parsing for person in people]))
    poses = torch.from_numpy(np.stack([person.pose for person in people]))
    return labels, poses, [person.person for person in people], [person.name for person in people]


@pytest.fixture(scope="module")
def found(people: list[Example]) -> NearestMaps:
    return find_nearest_maps(*arguments(people), count=4)


@pytest.fixture(scope="module")
def whole(people: list[Example]) -> torch.Tensor:
    """Distances of all pairs (N, N)."""
    labels, poses, _, _ = arguments(people)
    every = torch.arange(len(people))
    a, b = (side.flatten() for side in torch.meshgrid(every, every, indexing="ij"))
    return PartDistances(labels, poses)(a, b).view(len(people), -1)


def table(whole: torch.Tensor, people: list[Example], same_clothes: float | None) -> NDArray[np.float32]:
    """Distances of all pairs (N, N), infinite where they may not be matched."""
    labels, poses, persons, names = arguments(people)
    rows = slice(0, len(people))
    allowed, _ = MatchRules(labels, poses, persons, names, same_clothes, search._LEAST_ALIKE).permit(rows)
    return whole.masked_fill(~allowed, torch.inf).numpy()


@pytest.mark.parametrize("same_clothes", [None, 0.08])
def test_finds_what_the_whole_table_says(
    people: list[Example], whole: torch.Tensor, same_clothes: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few candidates, that there is something to get wrong: of 118 others, 24 and 6 of them.
    monkeypatch.setattr(search, "_STEPS", ((24, 32), (6, 128), (4, 1 << 30)))
    best = table(whole, people, same_clothes)
    result = find_nearest_maps(*arguments(people), count=2, same_clothes=same_clothes)
    top = result.distances[:, 0]
    assert (top == best.min(1)).mean() >= 0.9
    assert (top <= 1.02 * best.min(1)).mean() >= 0.95
    assert np.array_equal(top, best[np.arange(len(best)), result.matches[:, 0]])
    assert (result.distances[:, 1] >= top).all()


def test_the_estimate_orders_candidates(people: list[Example], whole: torch.Tensor) -> None:
    labels, poses, _, _ = arguments(people)
    source, target, constant = estimate_distances(labels, poses)
    guess = (source @ target.T + constant).numpy()
    exact = table(whole, people, None)
    there = np.isfinite(exact)
    assert np.corrcoef(guess[there], exact[there])[0, 1] > 0.9
    # Of each row's best, nine in ten are among the first sixteen guesses.
    guess[~there] = np.inf
    rank = (guess < guess[np.arange(len(guess)), exact.argmin(1)][:, None]).sum(1)
    assert (rank < 16).mean() > 0.9


def test_shape_order_and_rules(people: list[Example], found: NearestMaps) -> None:
    assert found.matches.shape == found.distances.shape == (80, 4)
    assert found.matches.dtype == np.int64
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert (found.matches // 2 != np.arange(80)[:, None] // 2).all()
    assert all(len(set(row)) == 4 for row in found.matches.tolist())
    again = find_nearest_maps(*arguments(people), count=4)
    assert np.array_equal(again.matches, found.matches)


def test_the_same_clothes(people: list[Example], found: NearestMaps) -> None:
    """Long and short sleeves, trousers and skirts, wherever the map of the source shows them."""
    labels, poses, _, _ = arguments(people)
    least, most = (side.numpy() for side in (measure_clothes(labels, poses).least, measure_clothes(labels, poses).most))
    told = most - least < 0.1
    worn = np.array([[person.attributes["sleeves"], person.attributes["lower"]] for person in people])
    for column, measure in ((0, 0), (1, 2)):
        same = worn[found.matches[:, 0], column] == worn[:, column]
        assert told[:, measure].mean() > 0.7
        assert same[told[:, measure]].mean() >= 0.9


def test_without_clothes_the_distance_alone_decides(people: list[Example], found: NearestMaps) -> None:
    free = find_nearest_maps(*arguments(people), count=1, same_clothes=None)
    assert (free.distances[:, 0] <= found.distances[:, 0]).mean() > 0.95
    assert (free.distances[:, 0] < found.distances[:, 0]).any()


def test_progress_adds_up(people: list[Example]) -> None:
    steps: list[int] = []
    find_nearest_maps(*arguments(people), count=1, advance=steps.append)
    assert sum(steps) == 2 * len(people)


def test_too_few_others_are_repeated_and_none_is_an_error() -> None:
    labels = torch.cat([boxes(SIZE)] * 3).to(torch.uint8)
    poses = torch.cat([standing(SIZE)] * 3)
    poses[1, [Joint.R_KNEE, Joint.L_KNEE, Joint.R_ANKLE, Joint.L_ANKLE], 0] += 9
    poses[2, [Joint.R_WRIST, Joint.L_WRIST, Joint.R_ELBOW, Joint.L_ELBOW], 0] -= 12
    result = find_nearest_maps(labels, poses, ["a", "b", "a"], ["0", "1", "2"], count=3)
    assert result.matches[0].tolist() == [1, 1, 1]
    assert sorted(set(result.matches[1].tolist())) == [0, 2]
    with pytest.raises(InputError, match=r"^0\.png: the data set shows nobody else in another pose"):
        find_nearest_maps(labels[:2], poses[:2], ["a", "a"], ["0.png", "1.png"], count=1)


def sleeved(row: int, bottom: Label = Label.PANTS, hem: int = 46) -> torch.Tensor:
    """The person of boxes with sleeves to ``row``, and a lower garment to ``hem``."""
    labels = boxes(SIZE)
    arms = (labels == Label.R_ARM) | (labels == Label.L_ARM)
    arms[:, row:] = False
    labels[arms] = Label.UPPER
    legs = (labels == Label.R_LEG) | (labels == Label.L_LEG)
    legs[:, hem:] = False
    labels[legs | (labels == Label.PANTS)] = bottom
    return labels


def test_clothes_are_read_from_the_map() -> None:
    pose = standing(SIZE)
    shoulder, elbow, wrist = (float(pose[0, joint, 1]) for joint in (Joint.R_SHOULDER, Joint.R_ELBOW, Joint.R_WRIST))
    rows = [round(shoulder), round(elbow), round(wrist) + 3]
    read = [measure_clothes(sleeved(row), pose) for row in rows]
    for one, expected in zip(read, (0.0, 1.0, 2.0), strict=True):
        assert one.least[0, 0] == one.most[0, 0]
        assert one.least[0, 0].item() == pytest.approx(expected, abs=0.2)
    trousers, skirt = (measure_clothes(sleeved(30, label, 50), pose) for label in (Label.PANTS, Label.SKIRT))
    assert trousers.most[0, 2] == 0
    assert skirt.least[0, 2] == 2
    assert trousers.misfit(slice(0, 1))[0, 0] == 0


def test_what_the_map_does_not_show_is_left_open() -> None:
    """Cut below the elbows: bare skin tells short sleeves; cloth tells only that they reach so far."""
    pose = standing(SIZE)
    pose[0, [Joint.R_WRIST, Joint.L_WRIST, Joint.R_KNEE, Joint.L_KNEE, Joint.R_ANKLE, Joint.L_ANKLE]] = torch.nan
    long = measure_clothes(sleeved(60), pose)
    assert long.least[0, 0].item() == pytest.approx(1, abs=0.1)
    assert long.most[0, 0] == 2
    bare = measure_clothes(sleeved(14), pose)
    assert bare.most[0, 0].item() == pytest.approx(0, abs=0.2)
    nothing = measure_clothes(torch.zeros(1, *SIZE, dtype=torch.uint8), pose)
    assert nothing.least.tolist() == [[0, 0, 0]]
    assert nothing.most.tolist() == [[2, 2, 2]]


def test_matches_for_training_may_keep_to_the_clothes(
    people: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`find_matches` under the same rule: more of the same sleeves, still in another pose and of other people."""
    with StoreWriter(tmp_path / "a.h5", SIZE, source="tests") as writer:
        for person in people:
            writer.add(person)
    sampler = PersonDataset(Store(tmp_path / "a.h5"))
    monkeypatch.setattr(varied_search, "_LEAST_ALIKE", 8)  # of 80 maps, a quarter in the same clothes
    worn = np.array([person.attributes["sleeves"] + person.attributes["lower"] for person in people])
    shares = []
    for same_clothes in (None, 0.08):
        matches = find_matches(sampler, 4, 2, same_clothes=same_clothes)
        assert (matches // 2 != np.arange(80)[:, None] // 2).all()
        shares.append((worn[matches] == worn[:, None]).mean())
    assert shares[1] > shares[0]

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from pgen.body.batch import PersonBatch
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.models.semantic import predict_parsing
from pgen.pseudo_labels.varied_search import find_matches
from pgen.training.config import load_preset
from pgen.training.tasks import semantic as semantic_stage
from pgen.training.tasks.person_task import TaskData
from pgen.training.tasks.semantic import SemanticTask
from tests.training.people import PAIRS, SIZE, TINY

Samplers = tuple[PersonDataset, PersonDataset]


def staged(samplers: Samplers, *settings: str) -> SemanticTask:
    matches = torch.from_numpy(find_matches(samplers[0], 4, 2))
    config = load_preset("synthetic-64", (*TINY, *settings)).semantic
    return SemanticTask(config, TaskData(*samplers), PAIRS, matches)


def watched(
    stage: SemanticTask, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[tuple[PersonBatch, Transfer]], list[Tensor]]:
    """Of one batch of losses: what H_S is asked, and the maps it is to answer."""
    asked: list[tuple[PersonBatch, Transfer]] = []
    wanted: list[Tensor] = []

    def predict(model: object, source: PersonBatch, transfer: Transfer) -> Tensor:
        asked.append((source, transfer))
        return predict_parsing(model, source, transfer)  # type: ignore[arg-type]

    def loss(logits: Tensor, labels: Tensor, mask: Tensor, weights: Tensor | None) -> Tensor:
        wanted.append(labels)
        return logits.square().mean()

    monkeypatch.setattr(semantic_stage, "predict_parsing", predict)
    monkeypatch.setattr(semantic_stage, "parsing_cross_entropy", loss)
    stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))[0]["cross_entropy"].backward()
    return asked, wanted


def test_who_comes_back_comes_from_h_s_s_own_map(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A's map → H_S's for another pose → A's own again, which is the truth."""
    stage = staged(samplers, "semantic.back_translation_prob=1", "semantic.network.dropout=0")
    (((a, there), (b, back)), (wanted,)) = watched(stage, monkeypatch)
    with torch.no_grad():
        expected = predict_parsing(stage.model, a, Transfer(there.source, there.target, SIZE)).argmax(1)
    assert torch.equal(b.labels, expected)
    assert torch.equal(wanted, a.labels)
    for one, other in ((there.target, back.source), (there.source, back.target), (b.poses, there.target)):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_weights_cast_on_the_way_there_are_not_kept_for_the_way_back(samplers: Samplers) -> None:
    """They have no gradient: older versions of torch would train nothing then."""
    stage = staged(samplers, "semantic.back_translation_prob=1")
    passes: list[tuple[bool, bool, bool]] = []

    def note(*_: object) -> None:
        computes = torch.is_autocast_enabled("cpu"), torch.is_autocast_cache_enabled()
        passes.append((torch.is_grad_enabled(), *computes))

    stage.model.register_forward_pre_hook(note)
    batch = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    for is_bf16 in (True, False):
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            stage.losses(batch)
    assert passes == [(False, True, False), (True, True, True), (False, False, False), (True, False, True)]


def test_the_others_go_to_their_pseudo_labels(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ("back_translation_prob=0.5", "schedule.batch=8", "schedule.flip=false")
    stage = staged(samplers, *(f"semantic.{setting}" for setting in settings))
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    which = draw.has_random_pose
    assert which.any()
    assert not which.all()
    ((gone, _), (source, _)), (wanted,) = watched(stage, monkeypatch)
    assert len(gone.labels) == which.sum()
    assert torch.equal(wanted[which], gone.labels)
    own = draw.source[~which] == draw.target[~which]
    matched = (stage.matches[draw.source[~which]] == draw.target[~which, None]).any(1)
    assert (own | matched).all()
    assert not torch.equal(source.labels[which], gone.labels)


def test_who_comes_back_counts_as_their_own_map_does(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ("back_translation_prob=0.5", "schedule.batch=8", "estimated_weight=0.25")
    stage = staged(samplers, *(f"semantic.{setting}" for setting in settings))
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    source = replace(draw.photos["source"], is_estimated=torch.ones(8, dtype=torch.bool))
    target = replace(draw.photos["target"], is_estimated=torch.zeros(8, dtype=torch.bool))
    used: list[Tensor] = []

    def loss(logits: Tensor, labels: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
        used.append(weights)
        return logits.square().mean()

    monkeypatch.setattr(semantic_stage, "parsing_cross_entropy", loss)
    stage.losses(replace(draw, photos={"source": source, "target": target}))
    assert draw.has_random_pose.any()
    assert torch.equal(used[0], torch.where(draw.has_random_pose, 0.25, 1.0))


def test_nobody_comes_back_unless_asked(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = watched(staged(samplers, "semantic.back_translation_prob=0"), monkeypatch)
    assert len(asked) == 1


@pytest.mark.parametrize("share", ["self_pair_prob", "back_translation_prob"])
def test_shares_are_shares(share: str) -> None:
    with pytest.raises(Exception, match=f"{share} is from 0 to 1"):
        load_preset("synthetic-64", (f"semantic.{share}=1.5",))

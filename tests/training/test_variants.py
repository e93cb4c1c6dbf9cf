"""The four variants of H_A's training: which maps they look at, and where the gradients go."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pgen.data.dataset import PersonDataset
from pgen.losses.cross_entropy import IGNORED_LABEL, parsing_cross_entropy
from pgen.models.semantic import SemanticGenerator
from pgen.training.config import load_preset
from pgen.training.tasks.appearance import AppearanceTask, needs_parser, needs_semantic
from pgen.training.tasks.appearance_objective import Generated
from tests.training.people import VARIANTS, painting

Samplers = tuple[PersonDataset, PersonDataset]


def losses_of(stage: AppearanceTask) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))[0]


def gradients_of(network: nn.Module) -> Tensor:
    """All gradients of a network, one after the other; none of them may be missing."""
    found = [p.grad for p in network.parameters()]
    assert all(g is not None for g in found)
    return torch.cat([g.flatten() for g in found if g is not None])


def of_the_image(stage: AppearanceTask) -> Tensor:
    """Gradients of H_S of H_A's own losses."""
    losses = losses_of(stage)
    for own in ("parsing_cross_entropy", "parsing_soft_iou"):
        losses.pop(own)
    torch.stack(list(losses.values())).sum().backward()
    return gradients_of(stage.networks["semantic"])


def test_losses_of_the_image_reach_h_s_end_to_end_as_much_as_asked(samplers: Samplers) -> None:
    whole, half, none = (
        of_the_image(painting(samplers, *VARIANTS["e2e"], f"appearance.end_to_end.gradient_scale={share}"))
        for share in (1.0, 0.5, 0.0)
    )
    assert whole.isfinite().all()
    assert (whole != 0).float().mean() > 0.5
    torch.testing.assert_close(half, whole / 2, rtol=1e-2, atol=1e-4 * whole.abs().max().item())
    assert not none.any()


@pytest.mark.parametrize("loss", ["pose", "content", "style", "adversarial", "recon_l1", "parsed_map"])
def test_each_loss_of_the_image_reaches_h_s(samplers: Samplers, loss: str) -> None:
    keys = ("self_reconstruction=false", "weights.parsed_map=1")
    stage = painting(samplers, *VARIANTS["e2e"], *(f"appearance.{key}" for key in keys))
    losses_of(stage)[loss].backward()
    assert gradients_of(stage.networks["semantic"]).any()


def test_losses_of_the_image_reach_h_s_only_where_a_parser_doubts_it(
    samplers: Samplers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(share: float, *settings: str) -> Tensor:
        """Gradients if the parser sees another label in the left ``share`` of the picture."""

        def see(generated: Generated) -> Tensor:
            asked = generated.parsings.chunk(2)[0].detach()
            other = torch.arange(asked.shape[3]) < share * asked.shape[3]
            return torch.where(other, -asked, asked)

        monkeypatch.setattr(Generated, "parsed", property(see))
        return of_the_image(painting(samplers, *VARIANTS["e2e"], *settings))

    gate = "appearance.end_to_end.only_where_doubted=true"
    everywhere = found(0)
    assert everywhere.any()
    torch.testing.assert_close(found(1, gate), everywhere)
    assert not found(0, gate).any()
    assert found(0.5, gate).any()


@pytest.mark.parametrize(("variant", "gate"), [("ts-pred", "false"), ("e2e", "false"), ("e2e", "true")])
def test_pictures_are_to_be_parsed_as_the_maps_asked_for(samplers: Samplers, variant: str, gate: str) -> None:
    settings = ("weights.parsed_map=1", f"end_to_end.only_where_doubted={gate}")
    stage = painting(samplers, *VARIANTS[variant], *(f"appearance.{setting}" for setting in settings))
    losses_of(stage)["parsed_map"].backward()
    assert gradients_of(stage.model).any()
    assert stage.frozen.parser is not None
    assert all(p.grad is None for p in stage.frozen.parser.parameters())


@pytest.mark.parametrize("variant", ["baseline", "ts-gt", "ts-pred"])
def test_h_s_is_not_trained_by_the_others(samplers: Samplers, variant: str) -> None:
    stage = painting(samplers, *VARIANTS[variant])
    losses = losses_of(stage)
    assert set(stage.networks) == {"appearance"}
    assert "parsing_cross_entropy" not in losses
    torch.stack(list(losses.values())).sum().backward()
    assert gradients_of(stage.model).any()
    assert stage.frozen.semantic is not None
    assert all(p.grad is None for p in stage.frozen.semantic.parameters())


def test_end_to_end_h_s_is_a_copy_with_a_rate_of_its_own(samplers: Samplers) -> None:
    stage = painting(samplers, *VARIANTS["e2e"], "appearance.end_to_end.lr_factor=0.3")
    trained, start = stage.networks["semantic"], stage.frozen.semantic
    assert isinstance(start, SemanticGenerator)
    assert trained is not start
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), start.parameters(), strict=True))
    assert all(p.requires_grad for p in trained.parameters())
    assert (stage.lr_factors, dict(stage.frozen_networks)) == ({"semantic": 0.3}, {})
    torch.stack(list(losses_of(stage).values())).sum().backward()
    assert all(p.grad is None for p in start.parameters())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_h_s_keeps_its_own_loss_where_the_map_is_known(
    samplers: Samplers, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def watched(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        seen.append((labels, mask))
        return parsing_cross_entropy(logits, labels, mask)

    monkeypatch.setattr("pgen.training.tasks.appearance_objective.parsing_cross_entropy", watched)
    keys = (f"random_pose_prob={share}", "weights.parsing_cross_entropy=2", "schedule.flip=false", "schedule.batch=4")
    stage = painting(samplers, *VARIANTS["e2e"], *(f"appearance.{key}" for key in keys))
    draw = stage.sample(torch.Generator().manual_seed(1)).load(stage.train)
    assert draw.has_random_pose.any() == (share > 0)
    assert draw.has_random_pose.all() == (share == 1)
    loss = stage.losses(draw)[0]["parsing_cross_entropy"]
    ((labels, mask),) = seen
    for k, unknown in enumerate(draw.has_random_pose.tolist()):
        expected = stage.train.batch(draw.target).labels[k]
        assert torch.equal(labels[k], torch.full_like(expected, IGNORED_LABEL) if unknown else expected)
        assert mask[k].any() != unknown
    assert (loss > 0) == (share < 1)
    loss.backward()
    assert gradients_of(stage.networks["semantic"]).any() == (share < 1)


def test_the_frozen_h_s_s_map_is_used_for_poses_of_anyone_only(samplers: Samplers) -> None:
    stage = painting(samplers, *VARIANTS["ts-pred"], "appearance.random_pose_prob=0.5", "appearance.schedule.batch=8")
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    source, target = stage.train.batch(draw.source), stage.train.batch(draw.target)
    parsing, _ = stage._find_target_parsing(source, target, draw.has_random_pose)
    known = [torch.equal(a, b) for a, b in zip(parsing.argmax(1), target.labels, strict=True)]
    assert known == (~draw.has_random_pose).tolist()
    assert 0 < sum(known) < 8
    assert not parsing.requires_grad


def with_other_maps(samplers: Samplers) -> Samplers:
    """The same people with noise in the place of their parsing maps."""
    changed = []
    for sampler in samplers:
        other = copy.copy(sampler)
        assert sampler._stored is not None
        labels = sampler._stored.labels
        noise = torch.randint(10, labels.shape, generator=torch.Generator().manual_seed(0), dtype=labels.dtype)
        other._stored = replace(sampler._stored, labels=noise)
        changed.append(other)
    return changed[0], changed[1]


def outcome(stage: AppearanceTask, matches: Tensor) -> tuple[dict[str, float], dict[str, float]]:
    """Losses and scores, with given pseudo labels."""
    stage.matches = matches
    torch.manual_seed(0)
    losses, judged = stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))
    losses |= stage.discriminator_losses(judged)
    return {n: v.item() for n, v in losses.items()}, stage.validate(stage.networks.eval())


@pytest.mark.parametrize("variant", ["baseline", "ts-gt"])
def test_the_baseline_does_not_look_at_maps(samplers: Samplers, variant: str) -> None:
    settings = (*VARIANTS[variant], "appearance.schedule.zoom=0.2")
    stage = painting(samplers, *settings)
    same = outcome(painting(with_other_maps(samplers), *settings), stage.matches)
    losses, scores = outcome(stage, stage.matches)
    assert ((losses, scores) == same) == (variant == "baseline")
    assert ("miou" in scores) == (variant == "ts-gt")


class Refuses(SemanticGenerator):
    def forward(self, *_: object) -> Tensor:
        raise AssertionError("H_S was asked")


@pytest.mark.parametrize(
    ("variant", "setting", "asks"),
    [
        ("e2e", "weights.parsed_map=0", False),
        ("e2e", "end_to_end.only_where_doubted=true", True),
        ("ts-pred", "end_to_end.only_where_doubted=true", False),
        ("ts-pred", "weights.parsed_map=0.1", True),
        ("baseline", "weights.parsed_map=0.1", False),
    ],
)
def test_who_asks_a_parser(variant: str, setting: str, asks: bool) -> None:
    settings = (f"appearance.variant={variant}", f"appearance.{setting}")
    assert needs_parser(load_preset("synthetic-64", settings).appearance) == asks


@pytest.mark.parametrize("variant", VARIANTS)
def test_who_asks_h_s(samplers: Samplers, variant: str) -> None:
    stage = painting(samplers, *VARIANTS[variant])
    asks = variant in ("ts-pred", "e2e")
    assert needs_semantic(stage.config) == asks
    assert stage.frozen.semantic is not None
    stage.frozen.semantic.__class__ = Refuses
    if "semantic" in stage.networks:
        stage.networks["semantic"].__class__ = Refuses
    if asks:
        with pytest.raises(AssertionError, match="H_S was asked"):
            losses_of(stage)
        with pytest.raises(AssertionError, match="H_S was asked"):
            stage.validate(stage.networks)
        return
    losses_of(stage)
    scores = stage.validate(stage.networks)
    assert scores.get("miou") == (1.0 if variant == "ts-gt" else None)  # it is given the true map
    stage.frozen.semantic = None  # nor is it needed
    losses_of(stage)


def test_discriminators_and_generators_leave_each_other_alone(samplers: Samplers) -> None:
    stage = painting(samplers, *VARIANTS["e2e"])
    stage.discriminators.requires_grad_(False)
    losses, judged = stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))
    torch.stack(list(losses.values())).sum().backward()
    of_generators = [p.grad.clone() if p.grad is not None else None for p in stage.networks.parameters()]
    assert all(g is not None for g in of_generators)
    assert all(p.grad is None for p in stage.discriminators.parameters())
    stage.discriminators.requires_grad_(True)
    torch.stack(list(stage.discriminator_losses(judged).values())).sum().backward()
    for before, parameter in zip(of_generators, stage.networks.parameters(), strict=True):
        assert before is not None
        assert parameter.grad is not None
        assert torch.equal(before, parameter.grad)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in stage.discriminators.parameters())
    for name, (real, fake) in judged.items():
        assert not real.requires_grad, name
        assert not fake.requires_grad, name

"""Progressive growing: the global network alone, the local one fading in, then both."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.data.weights import load_weights
from pgen.models.appearance import (
    AppearanceConfig,
    AppearanceInput,
    OneLevelAppearanceGenerator,
    TwoLevelAppearanceGenerator,
    build_appearance_generator,
    paint,
)
from pgen.training.config import Growth
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance import AppearanceTask
from tests.models.people import views
from tests.training.people import painting

Samplers = tuple[PersonDataset, PersonDataset]
SETTINGS = (
    "appearance.network.local_widths=[2, 4]",
    "appearance.schedule.steps=6",
    *(f"appearance.growth.{setting}" for setting in ("coarse_steps=2", "fade_in_steps=2")),
    *(f"appearance.weights.{name}=0" for name in ("recon_l1", "face_recon", "warp_l1")),  # for speed
)


def quiet(step: int, values: dict[str, float]) -> None:
    pass


def states(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> str:
    """Which of the two networks has changed."""
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    parts = {"coarse" if name.startswith("coarse.") else "local" for name in changed}
    return " and ".join(sorted(parts))


def test_alpha_and_what_is_frozen_by_hand() -> None:
    growth = Growth(coarse_steps=3, fade_in_steps=4)
    assert [growth.alpha(step) for step in range(9)] == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert [step for step in range(9) if growth.is_coarse_frozen(step)] == [3, 4, 5, 6]
    assert [Growth(coarse_steps=2).alpha(step) for step in range(4)] == [0, 0, 1, 1]
    assert {Growth().alpha(0), Growth(fade_in_steps=1).alpha(0)} == {1}
    assert not any(Growth(coarse_steps=2).is_coarse_frozen(step) for step in range(4))


def test_growing_step_by_step(samplers: Samplers, tmp_path: Path) -> None:
    """In one go, and interrupted amid the fading; the weights tell how far the local network has come."""
    stage = painting(samplers, *SETTINGS)
    seen: list[tuple[float, dict[str, Tensor]]] = []
    begin = stage.on_step_start

    def watched(step: int, average: nn.ModuleDict) -> None:
        begin(step, average)
        seen.append((stage.model.fade_in, states(stage.model)))

    stage.on_step_start = watched  # type: ignore[method-assign]
    train(stage, RunConfig(tmp_path / "whole", {}), quiet)
    del seen[0]  # before the first step
    assert [fade_in for fade_in, _ in seen] == [0, 0, 0.5, 1, 1, 1]
    course = [state for _, state in seen] + [states(stage.model)]
    changes = [moved(before, after) for before, after in pairwise(course)]
    assert changes == ["coarse", "coarse", "local", "local", "coarse and local", "coarse and local"]

    for stop, fade_in, resume in ((3, 0.5, False), (6, 1.0, True)):
        stage = painting(samplers, *SETTINGS)
        train(stage, RunConfig(tmp_path / "parts", {}, max_steps=stop, resume=resume), quiet)
        assert moved(course[stop], states(stage.model)) == ""
        found = load_weights(tmp_path / "parts" / "last.safetensors").appearance
        assert isinstance(found, TwoLevelAppearanceGenerator)
        assert found.fade_in == fade_in
    one, other = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_weights_finished_amid_the_fading_say_so_whenever_written(samplers: Samplers, tmp_path: Path) -> None:
    settings = (*SETTINGS, "appearance.schedule.steps=3")
    path = train(painting(samplers, *settings), RunConfig(tmp_path, {}), quiet)
    for written_anew in (False, True):
        found = load_weights(path).appearance
        assert isinstance(found, TwoLevelAppearanceGenerator)
        assert found.fade_in == 0.5
        if not written_anew:  # as after a kill between the checkpoint and the weights
            path.unlink()
            train(painting(samplers, *settings), RunConfig(tmp_path, {}, resume=True), quiet)


def test_both_copies_of_the_network_fade_in(samplers: Samplers) -> None:
    stage = painting(samplers, *SETTINGS)
    average = nn.ModuleDict({"appearance": build_appearance_generator(stage.model.config)})
    for step, alpha in ((1, 0.0), (2, 0.5), (3, 1.0)):
        stage.on_step_start(step, average)
        assert stage.model.fade_in == average["appearance"].fade_in == alpha
    one_level = painting(samplers)
    one_level.on_step_start(0, average)
    assert all(p.requires_grad for p in one_level.model.parameters())


@pytest.mark.parametrize("fade_in", [0.5, 1.0])
def test_what_has_grown_does_not_grow_again(samplers: Samplers, fade_in: float) -> None:
    stage = painting(samplers, *SETTINGS)
    given = build_appearance_generator(stage.model.config)
    assert isinstance(given, TwoLevelAppearanceGenerator)
    given.fade_in = fade_in
    stage.start_from(given)
    stage.on_step_start(0, nn.ModuleDict({"appearance": build_appearance_generator(stage.model.config)}))
    assert stage.model.fade_in == (1 if fade_in == 1 else 0)


def one_level(stage: AppearanceTask, **changes: object) -> OneLevelAppearanceGenerator:
    """A finished one-level H_A of the sizes of the stage's global network."""
    torch.manual_seed(3)
    sizes = replace(stage.model.config, local_widths=(), **changes)  # type: ignore[arg-type]
    return OneLevelAppearanceGenerator(sizes)


@pytest.mark.parametrize("recipe", ["paper", "pgen"])
def test_grown_from_one_level_the_image_begins_as_the_global_network_s(samplers: Samplers, recipe: str) -> None:
    stage = painting(samplers, *SETTINGS, "appearance.growth.coarse_steps=1", recipe=recipe)
    given = one_level(stage)
    stage.start_from(given)
    assert isinstance(stage.model, TwoLevelAppearanceGenerator)
    assert all(torch.equal(a, b) for a, b in zip(given.parameters(), stage.model.coarse.parameters(), strict=True))
    stage.on_step_start(0, nn.ModuleDict({"appearance": build_appearance_generator(stage.model.config)}))
    global_network = OneLevelAppearanceGenerator(stage.model.coarse.config, upsample=True)
    global_network.load_state_dict(given.state_dict())
    source = views((64, 32))
    transfer = Transfer(source.poses, source.poses.flip(0), source.size)
    layout = source.one_hot().flip(0)
    asked: list[AppearanceInput] = []
    stage.model.register_forward_hook(lambda _, inputs, __: asked.extend(inputs))
    with torch.no_grad():
        image = paint(stage.model.eval(), source, transfer, layout)
        full, half = asked
        half.guide = full.guide  # what is blended with is of the image's size
        assert torch.equal(image, global_network.eval()(half))
    assert half.source.shape[2:] == (32, 16)
    assert (full.guide is None) == (recipe == "paper")


def test_a_two_level_network_goes_on_as_it_was(samplers: Samplers) -> None:
    stage = painting(samplers, *SETTINGS)
    torch.manual_seed(3)
    given = build_appearance_generator(stage.model.config)
    stage.start_from(given)
    assert all(torch.equal(a, b) for a, b in zip(given.parameters(), stage.model.parameters(), strict=True))


@pytest.mark.parametrize("settings", [SETTINGS, ()])
def test_starting_from_other_sizes_is_refused(samplers: Samplers, settings: tuple[str, ...]) -> None:
    stage = painting(samplers, *settings)
    for other in (one_level(stage, widths=(4, 8, 8, 16)), one_level(stage, blend=False)):
        with pytest.raises(RuntimeError, match="state_dict"):
            stage.start_from(other)
    if not settings:  # a two-level network has no place in a one-level one
        with pytest.raises(RuntimeError, match="state_dict"):
            stage.start_from(build_appearance_generator(AppearanceConfig((4, 8, 8, 8), (2, 4))))

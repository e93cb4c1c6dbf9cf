from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from importlib import resources
from itertools import product
from typing import Any

import pytest

from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.discriminators import DiscriminatorConfig, PatchDiscriminator
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.registry import build_network
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.training.config import (
    AppearanceTraining,
    AppearanceWeights,
    EndToEnd,
    PoseTraining,
    Preset,
    Schedule,
    SemanticTraining,
    find_recipe,
    load_preset,
    merge_config,
    preset_names,
    recipe_names,
)


def message(*settings: str, preset: str = "synthetic-64", recipe: str | None = None) -> str:
    with pytest.raises(InputError) as error:
        load_preset(preset, settings, recipe)
    assert "\n" not in str(error.value)
    return str(error.value)


def written(config: Any, values: dict[str, Any]) -> None:
    """Check that every value of a preset's file has arrived."""
    for key, value in values.items():
        found = getattr(config, key)
        if isinstance(value, dict):
            written(found, value)
        else:
            assert found == (tuple(value) if isinstance(value, list) else value)
            assert type(found) in (int, float, str, bool, tuple)


def read(kind: str, name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("pgen.training") / kind / f"{name}.toml").read_text("utf-8"))


def paths(values: dict[str, Any], path: str = "") -> set[str]:
    """Dotted names of all values."""
    found = (paths(v, f"{path}{k}.") if isinstance(v, dict) else {f"{path}{k}"} for k, v in values.items())
    return set().union(*found)


@pytest.mark.parametrize("name", preset_names())
def test_presets_and_recipes_say_what_is_used(name: str) -> None:
    sizes = read("presets", name)
    assert find_recipe(name) == sizes.pop("recipe")
    assert load_preset(name) == load_preset(name, recipe=find_recipe(name))
    for recipe in recipe_names():
        preset = load_preset(name, recipe=recipe)
        written(preset, sizes)
        written(preset, read("recipes", recipe))
        assert preset != Preset()
        assert not paths(sizes) & paths(read("recipes", recipe))  # sizes and schedules here, losses there


def test_the_paper_s_recipe_switches_off_all_of_pgen_s() -> None:
    """What a preset and the paper's recipe do not say is the default, which is the paper's."""
    paper, pgen = read("recipes", "paper"), read("recipes", "pgen")
    assert paths(paper) == paths(pgen)
    written(Preset(), paper)


def test_synthetic_128_is_what_the_bundled_weights_are_trained_with() -> None:
    schedule = Schedule(batch=8, beta2=0.99)
    preset = load_preset("synthetic-128")
    assert preset.pose == PoseTraining(
        PoseDetectorConfig("light", 32),
        replace(schedule, steps=2000, batch=16, rate=2e-3, beta1=0.9, decay=1.0, zoom=0.15),
    )
    assert preset.semantic == SemanticTraining(
        SemanticConfig((32, 64, 128, 128, 128), 3, 0.0, space_to_depth=2, warped_parsing=True, limb_maps=True),
        DiscriminatorConfig(11),
        replace(schedule, steps=11000, rate=1.5e-3, beta1=0.9, decay=0.7, ema=0.998, zoom=0.12),
        adversarial=0.0,
        nearest=4,
        turned=2,
        same_clothes=0.08,
        own=0.1,
        back=0.5,
        overlap=0.5,
    )
    assert preset.appearance == AppearanceTraining(
        "ts-pred",
        AppearanceConfig((16, 32, 64, 128, 128, 128), (), 4, 0.0, 4, 3, blend=True),
        DiscriminatorConfig(12, 24, norm="sample"),
        DiscriminatorConfig(3, 32, 2, norm="sample"),
        32,
        replace(schedule, steps=500, rate=1e-3, critic_rate=3e-4, zoom=0.1),
        weights=AppearanceWeights(0.3, 0.3, 700.0, 1.0, 100.0, 20.0, 20.0, 2.0),
        end_to_end=EndToEnd(0.02, 1.0, 0.5, 0.02),
        hold=True,
        own_view=True,
        style_by_area=True,
        perceptual_shrink=2,
        anyone=0.5,
    )


def test_synthetic_256_grows_from_synthetic_128() -> None:
    small, large = load_preset("synthetic-128"), load_preset("synthetic-256")
    assert replace(large.appearance.network, local_widths=()) == small.appearance.network
    assert large.appearance.growth.coarse == 0 < large.appearance.growth.fade < large.appearance.schedule.steps
    assert replace(large.semantic.network, space_to_depth=2) == small.semantic.network
    assert large.semantic.network.space_to_depth == 4  # the same grid


def test_deepfashion_is_the_paper() -> None:
    preset = load_preset("deepfashion-256")
    assert preset.appearance.network == AppearanceConfig()
    assert preset.semantic.network == SemanticConfig()
    assert preset.pose.network == PoseDetectorConfig("resnet", 64)
    assert preset.appearance.weights == AppearanceWeights()
    assert preset.appearance.critic == DiscriminatorConfig()
    for schedule in (preset.pose.schedule, preset.semantic.schedule, preset.appearance.schedule):
        assert (schedule.rate, schedule.beta1, schedule.beta2) == (2e-4, 0.5, 0.999)
    assert load_preset("market-128x64").appearance.network == AppearanceConfig(local_widths=())


def test_settings_go_on_top_of_the_recipe() -> None:
    preset = load_preset("synthetic-64", ["appearance.weights.paste=3"], "paper")
    assert preset.appearance.weights == AppearanceWeights(paste=3.0)
    assert load_preset("synthetic-64", ["appearance.weights.paste=3"]).appearance.weights.pixels == 20


def test_unknown_recipes_name_the_nearest() -> None:
    assert message(recipe="papr") == "--recipe papr: no such recipe; did you mean paper?"
    assert message(recipe="best") == "--recipe best: no such recipe; there are paper, pgen"


def test_every_field_is_explained_where_it_is_defined() -> None:
    def kinds(part: Any) -> Iterator[type]:
        yield type(part)
        for entry in fields(part):
            if is_dataclass(getattr(part, entry.name)):
                yield from kinds(getattr(part, entry.name))

    for kind in set(kinds(Preset())):
        lines = inspect.getsource(kind).splitlines()
        for entry in fields(kind):
            assert any(re.match(rf"    {entry.name}: .*  #: \S", line) for line in lines), f"{kind}.{entry.name}"


@pytest.mark.parametrize(("name", "recipe"), list(product(preset_names(), recipe_names())))
def test_presets_build_networks_that_fit_together(name: str, recipe: str) -> None:
    import torch

    preset = load_preset(name, recipe=recipe)
    with torch.device("meta"):
        build_network("pose", preset.pose.network)
        SemanticGenerator(preset.semantic.network)
        build_appearance_generator(preset.appearance.network)
        for critic, channels in (
            (preset.semantic.critic, 11),
            (preset.appearance.critic, 12),
            (preset.appearance.face_critic, 3),
        ):
            assert PatchDiscriminator(critic).net[0].in_channels == channels


def test_the_presets_that_come_with_it() -> None:
    synthetic = {f"synthetic-{size}" for size in (64, 128, 256)}
    assert set(preset_names()) == {"deepfashion-256", "market-128x64", *synthetic}
    assert recipe_names() == ["paper", "pgen"]


def test_every_field_is_one_that_can_be_set() -> None:
    """What a run writes down in its weights can be given back to it."""

    def all_of(config: Any, path: str = "") -> Iterator[str]:
        for entry in fields(config):
            value = getattr(config, entry.name)
            if is_dataclass(value):
                yield from all_of(value, f"{path}{entry.name}.")
                continue
            shown = {bool: str(value).lower(), tuple: str(list(value)) if isinstance(value, tuple) else ""}
            yield f"{path}{entry.name}={shown.get(type(value), str(value))}"

    settings = list(all_of(Preset()))
    for order in (settings, settings[::-1]):  # also of those that only fit together
        assert load_preset("synthetic-64", order) == Preset()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("semantic.schedule.steps=7", 7),
        ("semantic.schedule.rate=1e-5", 1e-5),
        ("semantic.schedule.rate=1", 1.0),
        ("semantic.schedule.flip=false", False),
        ("semantic.network.widths=[4, 8]", (4, 8)),
        ("appearance.network.local_widths=[]", ()),
        ("pose.network.kind=resnet", "resnet"),
        ('pose.network.kind="resnet"', "resnet"),
        (" semantic.schedule.batch = 2 ", 2),
    ],
)
def test_settings(setting: str, expected: object) -> None:
    value: Any = load_preset("synthetic-64", [setting])
    for name in setting.partition("=")[0].strip().split("."):
        value = getattr(value, name)
    assert value == expected
    assert type(value) is type(expected)


def test_settings_change_nothing_else_and_the_last_one_counts() -> None:
    plain = load_preset("synthetic-64")
    preset = load_preset("synthetic-64", ["pose.schedule.steps=7", "pose.schedule.steps=9", "semantic.adversarial=0"])
    assert preset.pose.schedule.steps == 9
    assert preset.pose.schedule.batch == plain.pose.schedule.batch
    assert (preset.pose.network, preset.appearance) == (plain.pose.network, plain.appearance)


def test_unknown_preset_names_those_there_are() -> None:
    assert message(preset="../secrets") == f"--preset ../secrets: no such preset; there are {', '.join(preset_names())}"


def test_unknown_keys_name_the_nearest() -> None:
    assert message("semantic.schedule.step=3") == (
        "--set semantic.schedule.step=3: unknown key semantic.schedule.step; did you mean semantic.schedule.steps?"
    )
    assert "did you mean appearance?" in message("apearance.anyone=1")
    assert message("zzz=3").endswith("there are pose, semantic, appearance, parser")
    with pytest.raises(
        InputError, match=r"preset mine: unknown key pose\.schedule\.epochs; there are pose\.schedule\.s"
    ):
        merge_config(Preset(), {"pose": {"schedule": {"epochs": 3}}}, "preset mine")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("semantic.schedule.steps=1.5", "semantic.schedule.steps takes int, not 1.5"),
        ("semantic.schedule.steps=many", "semantic.schedule.steps takes int, not 'many'"),
        ("semantic.schedule.steps=true", "semantic.schedule.steps takes int, not True"),
        ("semantic.schedule.flip=1", "semantic.schedule.flip takes bool, not 1"),
        ("semantic.schedule.rate=false", "semantic.schedule.rate takes float, not False"),
        ("pose.network.kind=3", "pose.network.kind takes str, not 3"),
        ("semantic.network.widths=8", "semantic.network.widths takes a list of whole numbers, not 8"),
        ("semantic.network.widths=[8, 1.5]", "takes a list of whole numbers"),
        ("semantic.schedule.steps.x=3", "semantic.schedule.steps takes int, not {'x': 3}"),
        ("semantic.schedule=3", "is a group; set one of its keys, such as semantic.schedule.steps"),
        ("semantic.schedule.steps", "write it as key=value"),
        ("=3", "not a key and a value"),
        ("a b=3", "not a key and a value"),
    ],
)
def test_settings_that_do_not_fit(setting: str, reason: str) -> None:
    text = message(setting)
    assert reason in text
    assert text.startswith(f"--set {setting}: ")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("pose.schedule.steps=0", "pose.schedule: steps is at least 1, not 0"),
        ("pose.schedule.batch=-1", "batch is at least 1"),
        ("pose.schedule.ema=1", "ema is from 0 to less than 1"),
        ("pose.schedule.zoom=-0.1", "zoom is from 0 to less than 1"),
        ("pose.schedule.rate=nan", "rate is 0 or more"),
        ("pose.schedule.decay=inf", "decay is 0 or more"),
        ("pose.schedule.log=0", "log is at least 1"),
        ("pose.schedule.validate=0", "validate is at least 1"),
        ("pose.schedule.checkpoint=-1", "checkpoint is 0 or more"),
        ("pose.schedule.accumulate=3", "batch is a multiple of accumulate, and 16 is none of 3"),
        ("pose.network.kind=hourglass", 'kind is "light" or "resnet"'),
        ("semantic.critic.norm=batch", 'norm is "instance" or "sample"'),
        ("appearance.network.local_widths=[8]", "local_widths two or none"),
        ("semantic.network.widths=[8]", "widths are two or more"),
        ("semantic.network.space_to_depth=3", "semantic.network: space_to_depth is 1, 2, 4 or 8, not 3"),
        ("semantic.own=1.5", "own is from 0 to 1"),
        ("appearance.network.local_widths=[8,8]", "local_widths end with the first of widths"),
        ("appearance.network.guide_channels=0 appearance.network.blend=true", "set guide_channels = 4"),
        ("appearance.variant=ts-prd", "variant is one of baseline, ts-gt, ts-pred, e2e, not ts-prd"),
        ("appearance.variant=baseline", "network.parsing = false and weights.paste = 0; --variant sets all three"),
        ("semantic.nearest=-1", "nearest and turned"),
    ],
)
def test_settings_beyond_their_limits(setting: str, reason: str) -> None:
    assert reason in message(*setting.split())


def test_a_schedule_by_hand_has_limits_too() -> None:
    with pytest.raises(ValueError, match="beta2"):
        Schedule(beta2=1.0)

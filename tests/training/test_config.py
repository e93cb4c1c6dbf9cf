from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import resources
from typing import Any

import pytest

from pgen.errors import InputError
from pgen.models.appearance import appearance_generator
from pgen.models.discriminators import PatchDiscriminator
from pgen.models.pose_detector import pose_detector
from pgen.models.semantic import SemanticGenerator
from pgen.training.config import Preset, Schedule, load_preset, merged, preset_names


def message(*settings: str, preset: str = "synthetic-64") -> str:
    with pytest.raises(InputError) as error:
        load_preset(preset, settings)
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


@pytest.mark.parametrize("name", preset_names())
def test_presets_say_what_is_used(name: str) -> None:
    text = (resources.files("pgen.training") / "presets" / f"{name}.toml").read_text("utf-8")
    preset = load_preset(name)
    written(preset, tomllib.loads(text))
    assert preset != Preset()


@pytest.mark.parametrize("name", preset_names())
def test_presets_build_networks_that_fit_together(name: str) -> None:
    import torch

    preset = load_preset(name)
    with torch.device("meta"):
        pose_detector(preset.pose.network)
        SemanticGenerator(preset.semantic.network)
        appearance_generator(preset.appearance.network)
        for critic, channels in (
            (preset.semantic.critic, 11),
            (preset.appearance.critic, 12),
            (preset.appearance.face_critic, 3),
        ):
            assert PatchDiscriminator(critic).net[0].in_channels == channels


def test_the_presets_that_come_with_it() -> None:
    assert {"synthetic-64", "synthetic-128"} <= set(preset_names())


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
    assert message("zzz=3").endswith("there are pose, semantic, appearance")
    with pytest.raises(
        InputError, match=r"preset mine: unknown key pose\.schedule\.epochs; there are pose\.schedule\.s"
    ):
        merged(Preset(), {"pose": {"schedule": {"epochs": 3}}}, "preset mine")


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
        ("pose.network.kind=hourglass", 'kind is "light" or "resnet"'),
        ("semantic.critic.norm=batch", 'norm is "instance" or "sample"'),
        ("appearance.network.local_widths=[8]", "local_widths two or none"),
        ("semantic.network.widths=[8]", "widths are two or more"),
        ("semantic.network.fold=3", "semantic.network: fold is 1, 2, 4 or 8, not 3"),
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

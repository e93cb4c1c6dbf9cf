from __future__ import annotations

import tomllib
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

    def check(config: Any, path: str) -> None:
        for entry in fields(config):
            value = getattr(config, entry.name)
            if is_dataclass(value):
                check(value, f"{path}{entry.name}.")
                continue
            shown = {bool: str(value).lower(), tuple: str(list(value)) if isinstance(value, tuple) else ""}
            text = shown.get(type(value), str(value))
            assert load_preset("synthetic-64", [f"{path}{entry.name}={text}"]) is not None

    check(Preset(), "")


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
    assert "did you mean appearance?" in message("apearance.predicted=1")
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
        ("pose.schedule.log=0", "log is at least 1"),
        ("pose.schedule.validate=0", "validate is at least 1"),
        ("pose.schedule.checkpoint=-1", "checkpoint is 0 or more"),
        ("pose.schedule.accumulate=3", "batch is a multiple of accumulate, and 16 is none of 3"),
        ("pose.network.kind=hourglass", 'kind is "light" or "resnet"'),
        ("semantic.critic.norm=batch", 'norm is "instance" or "sample"'),
        ("appearance.network.local_widths=[8]", "local_widths two or none"),
        ("semantic.network.widths=[8]", "widths are two or more"),
        ("semantic.nearest=-1", "nearest and turned"),
    ],
)
def test_settings_beyond_their_limits(setting: str, reason: str) -> None:
    assert reason in message(setting)


def test_a_schedule_by_hand_has_limits_too() -> None:
    with pytest.raises(ValueError, match="beta2"):
        Schedule(beta2=1.0)

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from itertools import product
from typing import Any

import pytest

from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.discriminators import DiscriminatorConfig, PatchDiscriminator
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.registry import MODELS, NetworkKind, build_network
from pgen.models.semantic import SemanticConfig, SemanticGenerator
from pgen.training.config import (
    ALIASES,
    AppearanceTraining,
    EndToEnd,
    PoseTraining,
    Preset,
    Schedule,
    SemanticTraining,
    default_weights,
    find_recipe,
    list_names,
    load_preset,
)
from pgen.training.config_fields import iter_fields
from pgen.training.tasks.appearance_objective import END_TO_END_TERMS, TERMS


def message(*settings: str, preset: str = "synthetic-64", recipe: str | None = None) -> str:
    with pytest.raises(InputError) as error:
        load_preset(preset, settings, recipe)
    assert "\n" not in str(error.value)
    return str(error.value)


def written(config: Any, values: dict[str, Any]) -> None:
    """Check that every value of a preset's file has arrived."""
    for key, value in values.items():
        found = getattr(config, key)
        if isinstance(found, dict):
            assert found == found | value
        elif isinstance(value, dict):
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


@pytest.mark.parametrize("name", list_names("preset"))
def test_presets_and_recipes_say_what_is_used(name: str) -> None:
    sizes = read("presets", name)
    assert find_recipe(name) == sizes.pop("recipe")
    assert load_preset(name) == load_preset(name, recipe=find_recipe(name))
    for recipe in list_names("recipe"):
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


@pytest.mark.parametrize("recipe", ["paper", "pgen"])
def test_end_to_end_h_s_keeps_a_loss_of_its_own(recipe: str) -> None:
    """Which is of samples whose target is a pseudo label: their maps are known."""
    config = load_preset("synthetic-64", ("appearance.variant=e2e",), recipe).appearance
    assert config.weights["parsing_cross_entropy"] > 0
    assert 0 < config.random_pose_prob < 1


def test_recipes_weigh_the_terms_that_there_are() -> None:
    assert default_weights().keys() == TERMS.keys() | END_TO_END_TERMS.keys()


def test_synthetic_128_is_what_the_bundled_weights_are_trained_with() -> None:
    schedule = Schedule(batch=8, beta2=0.99)
    preset = load_preset("synthetic-128")
    assert preset.pose == PoseTraining(
        PoseDetectorConfig("light", 32),
        replace(schedule, steps=2000, batch=16, lr=2e-3, beta1=0.9, lr_decay=1.0, zoom=0.15),
    )
    assert preset.semantic == SemanticTraining(
        SemanticConfig((32, 64, 128, 128, 128), 3, 0.0, space_to_depth=2, warped_parsing=True, limb_maps=True),
        DiscriminatorConfig(11),
        replace(schedule, steps=11000, lr=1.5e-3, beta1=0.9, lr_decay=0.7, ema=0.998, zoom=0.12),
        adversarial=0.0,
        nearest=4,
        other_facing=2,
        garment_tolerance=0.08,
        self_pair_prob=0.1,
        back_translation_prob=0.5,
        soft_iou=0.5,
    )
    assert preset.appearance == AppearanceTraining(
        "ts-pred",
        AppearanceConfig((16, 32, 64, 128, 128, 128), (), 4, 0.0, 4, 3, blend=True),
        DiscriminatorConfig(12, 24, norm="sample"),
        DiscriminatorConfig(3, 32, 2, norm="sample"),
        32,
        replace(schedule, steps=500, lr=1e-3, d_lr=3e-4, zoom=0.1),
        weights={
            **dict.fromkeys(("adversarial", "face_adversarial"), 0.3),
            **{"pose": 700.0, "content": 1.0, "style": 100.0},
            **{"recon_l1": 20.0, "face_recon": 20.0, "warp_l1": 2.0, "parsed_map": 0.0},
            **{"parsing_cross_entropy": 1.0, "parsing_soft_iou": 0.5},
        },
        end_to_end=EndToEnd(0.02, 0.02),
        color_correction=True,
        self_reconstruction=True,
        style_by_area=True,
        perceptual_downscale=2,
        random_pose_prob=0.5,
    )


def test_synthetic_256_grows_from_synthetic_128() -> None:
    small, large = load_preset("synthetic-128"), load_preset("synthetic-256")
    assert replace(large.appearance.network, local_widths=()) == small.appearance.network
    assert (
        large.appearance.growth.coarse_steps
        == 0
        < large.appearance.growth.fade_in_steps
        < large.appearance.schedule.steps
    )
    assert replace(large.semantic.network, space_to_depth=2) == small.semantic.network
    assert large.semantic.network.space_to_depth == 4  # the same grid


def test_deepfashion_is_the_paper() -> None:
    preset = load_preset("deepfashion-256")
    assert preset.appearance.network == AppearanceConfig()
    assert preset.semantic.network == SemanticConfig()
    assert preset.pose.network == PoseDetectorConfig("resnet", 64)
    assert preset.appearance.weights == default_weights()
    assert preset.appearance.discriminator == DiscriminatorConfig()
    for schedule in (preset.pose.schedule, preset.semantic.schedule, preset.appearance.schedule):
        assert (schedule.lr, schedule.beta1, schedule.beta2) == (2e-4, 0.5, 0.999)
    assert load_preset("market-128x64").appearance.network == AppearanceConfig(local_widths=())


def test_settings_go_on_top_of_the_recipe() -> None:
    preset = load_preset("synthetic-64", ["appearance.weights.warp_l1=3"], "paper")
    assert preset.appearance.weights == default_weights() | {"warp_l1": 3.0}
    assert load_preset("synthetic-64", ["appearance.weights.warp_l1=3"]).appearance.weights["recon_l1"] == 20


def test_unknown_recipes_name_the_nearest() -> None:
    assert message(recipe="papr") == "papr: no such recipe; did you mean paper?"
    assert message(recipe="best") == "best: no such recipe; there are paper, pgen"


def test_every_field_is_explained_where_it_is_defined() -> None:
    found = list(iter_fields(Preset()))
    assert [one.path for one in found if not one.doc] == []
    by_path = {one.path: one for one in found}
    assert by_path["semantic.schedule.lr"][1:] == ("float", 2e-4, "learning rate of the generator (Adam)")
    assert by_path["appearance.weights.pose"][1:] == ("float", 700.0, "MSE of the pose detector's heatmaps")


@pytest.mark.parametrize(("name", "recipe"), list(product(list_names("preset"), list_names("recipe"))))
def test_presets_build_networks_that_fit_together(name: str, recipe: str) -> None:
    import torch

    preset = load_preset(name, recipe=recipe)
    with torch.device("meta"):
        build_network("pose", preset.pose.network)
        SemanticGenerator(preset.semantic.network)
        build_appearance_generator(preset.appearance.network)
        for critic, channels in (
            (preset.semantic.discriminator, 11),
            (preset.appearance.discriminator, 12),
            (preset.appearance.face_discriminator, 3),
        ):
            assert PatchDiscriminator(critic).net[0].in_channels == channels


def test_the_presets_that_come_with_it() -> None:
    synthetic = {f"synthetic-{size}" for size in (64, 128, 256)}
    assert set(list_names("preset")) == {"deepfashion-256", "market-128x64", "photos-256", *synthetic}
    assert list_names("recipe") == ["paper", "pgen"]


def test_every_field_is_one_that_can_be_set() -> None:
    """What a run writes down in its weights can be given back to it."""

    def show(value: Any) -> str:
        return (
            str(value).lower() if isinstance(value, bool) else str(list(value) if isinstance(value, tuple) else value)
        )

    settings = [f"{one.path}={show(one.default)}" for one in iter_fields(Preset())]
    for order in (settings, settings[::-1]):  # also of those that only fit together
        assert load_preset("synthetic-64", order) == Preset()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("semantic.schedule.steps=7", 7),
        ("semantic.schedule.lr=1e-5", 1e-5),
        ("semantic.schedule.lr=1", 1.0),
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
    assert message(preset="../secrets") == f"../secrets: no such preset; there are {', '.join(list_names('preset'))}"


def test_unknown_keys_name_the_nearest() -> None:
    assert message("semantic.schedule.step=3") == (
        "semantic.schedule.step=3: unknown key semantic.schedule.step; did you mean semantic.schedule.steps?"
    )
    assert "did you mean appearance?" in message("apearance.random_pose_prob=1")
    assert message("zzz=3").endswith("there are frame, pose, semantic, appearance, parser")
    assert "did you mean appearance.weights.style?" in message("appearance.weights.stlye=1")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("semantic.schedule.steps=1.5", "semantic.schedule.steps takes int, not 1.5"),
        ("semantic.schedule.steps=many", "semantic.schedule.steps takes int, not 'many'"),
        ("semantic.schedule.steps=true", "semantic.schedule.steps takes int, not True"),
        ("semantic.schedule.flip=1", "semantic.schedule.flip takes bool, not 1"),
        ("semantic.schedule.lr=false", "semantic.schedule.lr takes float, not False"),
        ("pose.network.kind=3", "kind is one of light, resnet, not 3"),
        ("semantic.network.widths=8", "semantic.network.widths takes a list of whole numbers, not 8"),
        ("semantic.network.widths=[8, 1.5]", "takes a list of whole numbers"),
        ("semantic.schedule.steps.x=3", "semantic.schedule.steps.x takes int"),
        ("semantic.schedule=3", "is a group; set one of its keys, such as semantic.schedule.steps"),
        ("semantic.schedule.steps", "write it as key=value"),
        ("=3", "not a key and a value"),
        ("a b=3", "not a key and a value"),
    ],
)
def test_settings_that_do_not_fit(setting: str, reason: str) -> None:
    text = message(setting)
    assert reason in text
    assert text.startswith(f"{setting}: ")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("pose.schedule.steps=0", "pose.schedule: steps is at least 1, not 0"),
        ("pose.schedule.batch=-1", "batch is at least 1"),
        ("pose.noise=-0.1", "noise is 0 or more"),
        ("parser.small_steps=-1", "small_steps is 0 or more"),
        ("parser.estimated_weight=nan", "estimated_weight is 0 or more"),
        ("semantic.soft_iou=-1", "soft_iou is 0 or more"),
        ("appearance.network.guide_channels=3", "guide_channels is 0 or 4"),
        ("pose.schedule.ema=1", "ema is from 0 to less than 1"),
        ("pose.schedule.zoom=-0.1", "zoom is from 0 to less than 1"),
        ("pose.schedule.lr=nan", "lr is 0 or more"),
        ("pose.schedule.lr_decay=inf", "lr_decay is from 0 to 1"),
        ("pose.schedule.log_every=0", "log_every is at least 1"),
        ("pose.schedule.validate_every=0", "validate_every is at least 1"),
        ("pose.schedule.checkpoint_seconds=-1", "checkpoint_seconds is 0 or more"),
        ("pose.schedule.accumulate=3", "batch is a multiple of accumulate, and 16 is none of 3"),
        ("pose.network.kind=hourglass", "kind is one of light, resnet, not hourglass"),
        ("semantic.discriminator.norm=batch", 'norm is "instance" or "sample"'),
        ("appearance.network.local_widths=[8]", "local_widths two or none"),
        ("semantic.network.widths=[8]", "widths are two or more"),
        ("semantic.network.space_to_depth=3", "semantic.network: space_to_depth is 1, 2, 4 or 8, not 3"),
        ("semantic.self_pair_prob=1.5", "self_pair_prob is from 0 to 1"),
        ("appearance.network.local_widths=[8,8]", "local_widths end with the first of widths"),
        ("appearance.network.guide_channels=0 appearance.network.blend=true", "set guide_channels = 4"),
        ("appearance.variant=ts-prd", "variant is one of baseline, ts-gt, ts-pred, e2e, not ts-prd"),
        ("semantic.nearest=-1", "nearest and other_facing"),
        ("semantic.garment_tolerance=nan", "garment_tolerance is 0 or more"),
        ("appearance.end_to_end.lr_factor=nan", "lr_factor is 0 or more"),
        ("appearance.end_to_end.gradient_scale=-1", "gradient_scale is 0 or more"),
        ("appearance.growth.fade_in_steps=-5", "fade_in_steps is 0 or more"),
        ("appearance.weights.style=-1", "weights.style is 0 or more, not -1"),
        ("appearance.weights.style=nan", "weights.style is 0 or more, not nan"),
        (" ".join(f"appearance.weights.{term}=0" for term in default_weights()), "weights are all 0"),
    ],
)
def test_settings_beyond_their_limits(setting: str, reason: str) -> None:
    assert reason in message(*setting.split())


def test_a_schedule_by_hand_has_limits_too() -> None:
    with pytest.raises(ValueError, match="beta2"):
        Schedule(beta2=1.0)


def test_names_of_before_are_accepted_with_a_hint() -> None:
    hints: list[str] = []
    old = ("appearance.hold=false", "semantic.critic.width=5", "pose.schedule.rate=3e-4", "appearance.weights.paste=4")
    old += ("appearance.end_to_end.layout=2", "semantic.network.fold=4")
    preset = load_preset("synthetic-128", old, warn=hints.append)
    assert not preset.appearance.color_correction
    assert preset.semantic.discriminator.width == 5
    assert preset.pose.schedule.lr == 3e-4
    assert preset.appearance.weights["warp_l1"] == 4
    assert preset.appearance.weights["parsing_cross_entropy"] == 2
    assert preset.semantic.network.space_to_depth == 4
    assert hints[0] == "appearance.hold is now appearance.color_correction"
    assert len(hints) == len(old)
    known = {one.path for one in iter_fields(Preset())}
    groups = {path.rpartition(".")[0] for path in known}
    assert all(any(path.endswith(new) for path in known | groups) for new in ALIASES.values())


def test_the_baseline_has_no_parsing_whatever_else_is_set() -> None:
    config = load_preset("synthetic-64", ["appearance.weights.warp_l1=5", "appearance.variant=baseline"]).appearance
    assert (config.network.parsing, config.weights["warp_l1"]) == (False, 0)


@dataclass(frozen=True)
class OtherConfig:
    """Of a network of another kind."""

    widths: tuple[int, ...] = (1, 2)
    heads: int = 4
    kind: str = "other"


def test_another_kind_of_network_has_fields_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset's sizes go on where the kind has them too; what the user gives must be there."""
    monkeypatch.setitem(MODELS["semantic"], "other", NetworkKind(OtherConfig, lambda config: None))
    kind = "semantic.network.kind=other"
    assert load_preset("synthetic-64", [kind, "semantic.network.heads=2"]).semantic.network == OtherConfig(
        (16, 32, 64, 64, 64), 2
    )
    assert "unknown key semantic.network.dropout" in message(kind, "semantic.network.dropout=0.1")


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        ("semantic.schedule.batch=1000000000", "at most 4,096, not 1,000,000,000: its photos take"),
        ("semantic.network.widths=[1000000, 8]", "from 1 to 2,048"),
        ("appearance.network.widths=[0, 8]", "from 1 to 2,048"),
        ("pose.network.width=0", "from 1 to 1,024"),
        ("appearance.network.dropout=1.5", "less than 1"),
        ("appearance.discriminator.layers=1000", "from 1 to 8"),
        ("parser.network.depths=[1, 1, 1000000]", "from 1 to 64"),
        ("semantic.nearest=100000", "at most 100"),
        ("appearance.style_stride=0", "from 1 to 64"),
        ("frame=[100000, 100000]", "at most 1,024"),
    ],
)
def test_absurd_sizes_are_refused_with_the_limit(setting: str, limit: str) -> None:
    with pytest.raises(InputError, match=limit) as error:
        load_preset("synthetic-64", [setting])
    assert error.value.option == "settings"

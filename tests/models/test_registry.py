from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pgen.models.appearance import AppearanceConfig, TwoLevelAppearanceGenerator
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.registry import (
    FIELD_ALIASES,
    MODELS,
    NetworkKind,
    build_network,
    default_config,
    describe_network,
    find_role,
    restore_network,
)
from pgen.models.semantic import SemanticConfig, SemanticGenerator

KINDS = [(role, kind) for role, kinds in MODELS.items() for kind in kinds]


@pytest.mark.parametrize(("role", "kind"), KINDS)
def test_a_network_is_restored_from_its_description(role: str, kind: str) -> None:
    config = default_config(role, kind)
    assert config.kind == kind
    assert find_role(config) == role
    with torch.device("meta"):
        network = build_network(role, config)
        again = restore_network(role, describe_network(network))
    assert type(again) is type(network)
    assert again.config == config
    assert again.state_dict().keys() == network.state_dict().keys()


@pytest.mark.parametrize("role", FIELD_ALIASES)
def test_aliases_lead_to_fields(role: str) -> None:
    names = {field.name for field in fields(default_config(role, next(iter(MODELS[role]))))}
    assert set(FIELD_ALIASES[role].values()) <= names
    assert not FIELD_ALIASES[role].keys() & names


def test_old_names_and_absent_kinds_are_understood() -> None:
    old = {"widths": [4, 8], "warped_levels": 0, "dropout": 0.0, "fold": 2, "guide": True, "limbs": False}
    network = restore_network("semantic", old)
    assert isinstance(network, SemanticGenerator)
    assert network.config == SemanticConfig((4, 8), 0, 0.0, space_to_depth=2, warped_parsing=True)


@pytest.mark.parametrize("local_widths", [(2, 4), ()])
def test_how_far_a_network_has_faded_in_is_its_state(local_widths: tuple[int, ...]) -> None:
    network = build_network("appearance", AppearanceConfig((4, 8), local_widths))
    if local_widths:
        assert network.fade_in == 1.0
        network.fade_in = 0.5
    values = describe_network(network) | ({} if local_widths else {"fade_in": 1.0})  # as old files have it
    again = restore_network("appearance", values)
    assert getattr(again, "fade_in", None) == (0.5 if isinstance(again, TwoLevelAppearanceGenerator) else None)


def test_unknown_kinds_and_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="light, resnet"):
        default_config("pose", "hourglass")
    with pytest.raises(TypeError):
        restore_network("pose", {"height": 3})
    with pytest.raises(ValueError, match="MODELS"):
        find_role(3)


def test_a_new_kind_is_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Config:
        width: int = 3
        kind: str = "mirror"

    class Mirror(nn.Module):
        def __init__(self, config: Config) -> None:
            super().__init__()
            self.config = config

        def forward(self, x: Tensor) -> Tensor:
            return x.flip(3)

    monkeypatch.setitem(MODELS["pose"], "mirror", NetworkKind(Config, Mirror))
    network: Any = restore_network("pose", {"kind": "mirror", "width": 5})
    assert isinstance(network, Mirror)
    assert network.config == Config(5)
    assert isinstance(restore_network("pose", {}).config, PoseDetectorConfig)

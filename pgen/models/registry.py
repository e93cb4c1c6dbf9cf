"""The networks that there are, by role and kind. A new one is a file of its own and an entry here.

A configuration is a frozen dataclass whose field ``kind`` names its entry; the first of a role is the default. A
builder makes a network, with its configuration as ``config``, of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from torch import nn

from pgen.models.appearance import AppearanceConfig, build_appearance_generator
from pgen.models.discriminators import DiscriminatorConfig, PatchDiscriminator
from pgen.models.parser import Parser, ParserConfig
from pgen.models.pose_detector import LightPoseDetector, PoseDetectorConfig, ResnetPoseDetector
from pgen.models.semantic import SemanticConfig, SemanticGenerator


class NetworkKind(NamedTuple):
    """What one kind of network is configured by, and built with."""

    config: type
    build: Callable[[Any], nn.Module]


MODELS: dict[str, dict[str, NetworkKind]] = {
    "semantic": {"deformable_unet": NetworkKind(SemanticConfig, SemanticGenerator)},
    "appearance": {"deformable_unet": NetworkKind(AppearanceConfig, build_appearance_generator)},
    "discriminator": {"patch": NetworkKind(DiscriminatorConfig, PatchDiscriminator)},
    "pose": {
        "light": NetworkKind(PoseDetectorConfig, LightPoseDetector),
        "resnet": NetworkKind(PoseDetectorConfig, ResnetPoseDetector),
    },
    "parser": {"lite0_unet": NetworkKind(ParserConfig, Parser)},
}

#: Names that fields had in files and settings before, by role, and their names of today.
FIELD_ALIASES: dict[str, dict[str, str]] = {
    "semantic": {"fold": "space_to_depth", "guide": "warped_parsing", "limbs": "limb_maps"},
}

#: Attributes that say in what state a network is, and go into files beside its configuration where it has them.
_STATE = ("fade_in",)


def build_network(role: str, config: Any) -> Any:
    """The network, an `nn.Module`, of a configuration. Raises ValueError if its role has no such kind."""
    return _find_kind(role, config.kind).build(config)


def default_config(role: str, kind: str) -> Any:
    """The configuration of a kind with all fields at their defaults. Raises ValueError if there is no such kind."""
    return _find_kind(role, kind).config(kind=kind)


def find_role(config: Any) -> str:
    """The role that a configuration is for. Raises ValueError if there is none."""
    for role, kinds in MODELS.items():
        if any(isinstance(config, kind.config) for kind in kinds.values()):
            return role
    raise ValueError(f"{type(config).__name__} is no configuration of a network; register it in MODELS")


def describe_network(network: nn.Module) -> dict[str, Any]:
    """Plain values that, with its role, `restore_network` builds the same network from, but for its weights."""
    return asdict(network.config) | {name: getattr(network, name) for name in _STATE if hasattr(network, name)}  # type: ignore[call-overload]


def restore_network(role: str, values: Mapping[str, Any]) -> nn.Module:
    """The network that `describe_network` described, perhaps under names of `FIELD_ALIASES`; without weights.

    Raises KeyError, TypeError or ValueError if no network is described so.
    """
    kind = values.get("kind", next(iter(MODELS[role])))
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in rename_fields(role, values).items()}
    state = {name: fields.pop(name) for name in _STATE if name in fields}
    network: nn.Module = build_network(role, _find_kind(role, kind).config(**fields))
    for name, value in state.items():
        if hasattr(network, name):
            setattr(network, name, value)
    return network


def rename_fields(role: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` of fields under their names of today."""
    aliases = FIELD_ALIASES.get(role, {})
    return {aliases.get(name, name): value for name, value in values.items()}


def _find_kind(role: str, kind: str) -> NetworkKind:
    kinds = MODELS[role]
    if kind not in kinds:
        raise ValueError(f"kind is one of {', '.join(kinds)}, not {kind}")
    return kinds[kind]

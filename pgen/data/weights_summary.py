"""What a weights file holds, for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from pgen.data.weights import describe, read_format_version
from pgen.errors import InputError
from pgen.models.registry import rename_fields, restore_network

Rows = list[tuple[str, object]]

#: What networks are called, and the training that makes each, in the order in which a file is called by what it holds.
_NETWORKS = {
    "appearance": ("H_A (appearance)", "train-joint"),
    "semantic": ("H_S (semantic)", "train-hs"),
    "parser": ("parser", "train-parser"),
    "pose": ("pose detector", "train-pose"),
}


def summarize_weights(path: Path, with_config: bool = False) -> Rows:
    """Rows of a table: frame, each network with its sizes, how they were trained, scores, and what they are means of.

    Args:
        with_config: also every setting of the training, one a row.

    Raises:
        InputError: it is no weights file, or a damaged one.
    """
    config = describe(path)
    rows: Rows = [("kind", f"pgen weights (format {read_format_version(path)})"), ("frame", _by(config["frame"]))]
    for role, fields in config["networks"].items():
        name = _NETWORKS.get(role, (role, ""))[0]
        rows += [(name, f"{_count_parameters(path, role, fields):,} parameters; {_list_fields(role, fields)}")]
    info = config["info"]
    own = next((role for role in _NETWORKS if role in config["networks"]), "")
    rows += _describe_training(info, own, "trained")
    if isinstance(info.get("semantic"), Mapping):  # H_S of another training
        rows += _describe_training(info["semantic"], "semantic", "H_S trained")
    if with_config:
        rows += [("", ""), *_flatten(info)]
    return rows


def _describe_training(info: Mapping[str, Any], role: str, title: str) -> Iterator[tuple[str, object]]:
    """How the network of ``role`` was trained, as far as ``info`` says it: anything may be in a file."""
    settings = _get_mapping(_get_mapping(info, "config"), role)
    if "origin" in info:
        yield "origin", info["origin"]
    words = [_NETWORKS.get(role, ("", ""))[1]]
    if isinstance(variant := settings.get("variant"), str):
        words[0] += f" ({variant})"
    if isinstance(step := info.get("step"), int):
        steps = _get_mapping(settings, "schedule").get("steps")
        words.append(f"{step:,} of {steps:,} steps" if isinstance(steps, int) else f"{step:,} steps")
    words += [f"{name} {info[name]}" for name in ("preset", "recipe", "seed") if name in info]
    if "step" in info or "preset" in info:
        yield title, ", ".join(filter(None, words))
    if "data" in info:
        shares = info["data"]
        yield "data", _list_values(shares) if isinstance(shares, Mapping) else shares
    if scores := _get_mapping(info, "scores"):
        yield title.replace("trained", "scores").strip(), _list_values(scores)
    if isinstance(info.get("mean"), list):
        yield title.replace("trained", "mean of").strip(), "; ".join(map(str, info["mean"]))
    if "pgen" in info:
        yield "written by", f"pgen {info['pgen']}"


def _count_parameters(path: Path, role: str, fields: Mapping[str, Any]) -> int:
    try:
        with torch.device("meta"):  # takes no memory
            network = restore_network(role, fields)
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: the sizes of {role} are damaged ({reason}); train or fetch it again") from None
    return sum(parameter.numel() for parameter in network.parameters())


def _list_fields(role: str, fields: Mapping[str, Any]) -> str:
    """Sizes as words: what is off is left out, and what is on is only named."""
    words = []
    for name, value in rename_fields(role, fields).items():
        title = name.replace("_", " ")
        if value is True:
            words.append(title)
        elif isinstance(value, list | tuple) and value:
            words.append(f"{title} {' '.join(map(str, value))}")
        elif value or name == "kind":
            words.append(str(value) if name == "kind" else f"{title} {value}")
    return ", ".join(words)


def _list_values(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.3g}" if type(value) is float else f"{name} {value}" for name, value in values.items()
    )


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """A row a setting: ``appearance.schedule.steps``."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _get_mapping(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _by(size: list[int]) -> str:
    return "x".join(map(str, size))

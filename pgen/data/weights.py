"""Weights files: the networks of one model in a safetensors file, with their sizes in its metadata.

Layout: tensors named ``NETWORK.PARAMETER`` (networks: ``semantic``, ``appearance``, ``pose``, ``parser``; of a parser's
trunk what training has changed); metadata ``format`` = "pgen-weights", ``version`` = "2" and ``config`` = JSON with
the frame, each network's sizes and how it was trained. In files of version 1 some sizes have other names
(`pgen.models.registry.FIELD_ALIASES`); they are read too.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pgen.data.inputs import check_no_device
from pgen.errors import InputError
from pgen.models.appearance import AppearanceGenerator
from pgen.models.parser import Parser
from pgen.models.pose_detector import PoseDetector
from pgen.models.registry import describe_network, restore_network
from pgen.models.semantic import SemanticGenerator
from pgen.runtime.atomic_write import atomic_write

FORMAT, VERSION = "pgen-weights", 2

#: The weights that come with the package, and the parser's.
BUNDLED, BUNDLED_PARSER = "synthetic-256.safetensors", "parser.safetensors"
#: EfficientNet-Lite0's first stages, which parsers share.
TRUNK = "lite0_trunk.safetensors"

#: Beyond these a file's sizes are damage or malice: building such a network would take all time or memory.
_LARGEST_SIZE, _MOST_LEVELS = 8192, 16

#: Longest side of a frame that networks work at, in pixels, and about how many bytes they take for each pixel of it.
LARGEST_FRAME, _BYTES_A_PIXEL = 1024, 1024


@dataclass
class Weights:
    """The networks of one file; those it does not hold are None. All in eval mode, float32, on the CPU."""

    frame: tuple[int, int]  #: (height, width) that the networks were trained at
    semantic: SemanticGenerator | None = None
    appearance: AppearanceGenerator | None = None
    pose: PoseDetector | None = None
    parser: Parser | None = None
    info: dict[str, Any] = field(default_factory=dict)  #: how they were trained


def save_weights(
    path: str | os.PathLike[str],
    frame: tuple[int, int],
    networks: Mapping[str, nn.Module],
    info: Mapping[str, Any] | None = None,
    half: bool = False,
    overwrite: bool = False,
) -> None:
    """Write ``networks`` ("semantic", "appearance", "pose", "parser") as one file; with ``half`` in float16."""
    config: dict[str, Any] = {"frame": list(frame), "networks": {}, "info": dict(info or {})}
    tensors = {}
    for name, network in networks.items():
        config["networks"][name] = describe_network(network)
        shared = _load_shared_state(name)
        for key, value in network.state_dict().items():
            value = value.detach().cpu().contiguous()
            if key not in shared or not torch.equal(value.float(), shared[key]):
                tensors[f"{name}.{key}"] = value.half() if half and value.is_floating_point() else value
    metadata = {"format": FORMAT, "version": str(VERSION), "config": json.dumps(config)}
    with atomic_write(path, overwrite) as temporary:
        temporary.write_bytes(save(tensors, metadata))  # save_file() would make it unreadable for other users


def read_format_version(path: str | os.PathLike[str]) -> int:
    """The version of the format of a weights file that `describe` reads."""
    with safe_open(path, "pt") as file:
        return int(file.metadata()["version"])


def describe(path: str | os.PathLike[str], option: str = "weights") -> dict[str, Any]:
    """The configuration of a weights file: {"frame", "networks", "info"}.

    Raises:
        InputError: it is none; ``option`` is the parameter that named it.
    """
    path = Path(path)
    check_no_device(path, "weights")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        reason = "there is no such file" if not path.exists() else f"it cannot be read ({error})"
        remedy = "give a .safetensors file written by pgen, the folder of a training, or the word bundled"
        raise InputError(f"{path}: {reason}; {remedy}", option=option) from None
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path}: not a weights file of pgen; the authors' published weights must be imported first", option=option
        )
    try:
        if int(version := metadata["version"]) > VERSION:
            raise InputError(f"{path}: written by a newer pgen (format {version[:20]}): update pgen", option=option)
        config: dict[str, Any] = json.loads(metadata["config"])
        sound = _is_sound(config)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        sound = False
    if not sound:
        raise InputError(f"{path}: its configuration is damaged: fetch or train the weights again", option=option)
    check_frame_size((config["frame"][0], config["frame"][1]), path, option)
    return config


def check_frame_size(frame: tuple[int, int], what: object, option: str) -> None:
    """Raises `InputError`, about ``option``, if ``what`` has a frame (height, width) that takes too much memory."""
    if max(frame) > LARGEST_FRAME:
        raise InputError(
            f"{what}: the frame of {frame[0]}x{frame[1]} is larger than {LARGEST_FRAME} pixels a side, and would take "
            f"some {frame[0] * frame[1] * _BYTES_A_PIXEL / 2**30:,.0f} GB; choose a smaller one",
            option=option,
        )


def check_frame_fits(network: Any, frame: tuple[int, int], what: object, option: str) -> None:
    """Raises `InputError`, about ``option``, if ``network``, a configuration, takes no frames (height, width) such as
    ``what`` has."""
    unit = getattr(network, "frame_unit", 1)
    if any(side % unit for side in frame):
        near = "x".join(str(max(1, round(side / unit)) * unit) for side in frame)
        raise InputError(
            f"{what}: sides of {frame[0]}x{frame[1]} are to be multiples of {unit} for this network; "
            f"prepare photos of {near}, or choose another frame or network",
            option=option,
        )


def _is_sound(config: Any) -> bool:
    """Whether ``config`` has the parts of a configuration, with sizes that a network may have."""

    def sound(size: Any) -> bool:
        if isinstance(size, list):
            return len(size) <= _MOST_LEVELS and all(type(entry) is int and sound(entry) for entry in size)
        return isinstance(size, str) or (isinstance(size, int | float) and 0 <= size <= _LARGEST_SIZE)

    frame, networks, info = config["frame"], config["networks"], config["info"]
    return (
        [type(side) for side in frame] == [int, int]
        and min(frame) > 0
        and isinstance(info, dict)
        and all(isinstance(sizes, dict) and all(map(sound, sizes.values())) for sizes in networks.values())
    )


def load_weights(path: str | os.PathLike[str], option: str = "weights") -> Weights:
    """Build the networks of a weights file.

    Raises:
        InputError: it is damaged or none of ours; ``option`` is the parameter that named it.
    """
    config = describe(path, option)
    try:
        weights = Weights(tuple(config["frame"]), info=config["info"])
        tensors = load_file(path)
        for name, sizes in config["networks"].items():
            setattr(weights, name, _build(name, sizes, tensors))
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror or _one_line(error)})", option=option) from None
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{path}: damaged ({_one_line(error)}): fetch or train the weights again", option=option
        ) from None
    return weights


def _build(name: str, sizes: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    with torch.device("meta"):  # takes no memory before the sizes have proved to be those of the tensors
        network = restore_network(name, sizes)
    prefix, expected = f"{name}.", network.state_dict()
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    if expected.keys() - state.keys():
        state = _load_shared_state(name) | state
    for key, value in state.items():
        if key in expected and expected[key].is_floating_point() != value.is_floating_point():
            raise ValueError(f"{prefix}{key} holds numbers of the type {value.dtype}")
    _check_finite(state, prefix)
    state = {k: v.to(expected[k].dtype, copy=True) if k in expected else v for k, v in state.items()}
    network.load_state_dict(state, assign=True)
    return network.eval().to(memory_format=torch.channels_last)


def _check_finite(state: Mapping[str, Tensor], prefix: str = "") -> None:
    """Raises ValueError for numbers that are none: they make black pictures, and no error."""
    for key, value in state.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{prefix}{key} holds numbers that are not finite")


def _load_shared_state(name: str) -> dict[str, Tensor]:
    """What files of the network ``name`` leave out where it is as it comes with the package."""
    return {f"trunk.{key}": value for key, value in load_trunk_state().items()} if name == "parser" else {}


def load_trunk_state() -> dict[str, Tensor]:
    """State of a parser's trunk as it is before any of its stages are trained, float32."""
    return {name: value.float() for name, value in read_state_dict(bundled_path(TRUNK)).items()}


def bundled_path(name: str) -> Path:
    """Path of a file that comes with the package."""
    return Path(str(resources.files("pgen.data"))) / "bundled" / name


def find_weights(
    weights: str | os.PathLike[str] | None = None, option: str = "weights", bundled: str = BUNDLED
) -> tuple[Path, str]:
    """Where ``weights`` are, and the words to say so: a file, the folder of a training run, or "bundled" (the default).

    Of a run that has not finished they are the newest. ``bundled`` is the file that "bundled" means. Raises
    `InputError`, about ``option``, for a folder that has none.
    """
    if weights is None or os.fspath(weights) == "bundled":
        return bundled_path(bundled), f"weights: the bundled {bundled.removesuffix('.safetensors')}"
    path = Path(weights)
    if not path.is_dir():
        return path, f"weights: {path}"
    for name, note in (("weights.safetensors", ""), ("last.safetensors", " (of a training that has not finished)")):
        if (path / name).is_file():
            return path / name, f"weights: {path / name}{note}"
    raise InputError(f"{path}: no weights of a training in this folder; give another one", option=option)


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """A plain state dict from .pth or .safetensors, loaded without executing anything in the file."""
    path = Path(path)
    check_no_device(path, "weights")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except Exception as error:  # torch.load raises many kinds on a hostile or truncated file
        raise InputError(f"{path}: not a weights file that can be read safely ({explain_load_error(error)})") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path}: holds no plain state dict (names → tensors)")
    try:
        _check_finite(state)
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}): get a whole copy of it") from None
    return state


def explain_load_error(error: Exception) -> str:
    """Why `torch.load` does not load a file, on one line, and without its advice to load it in an unsafe way."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "weights_only" in str(error) or isinstance(error, pickle.UnpicklingError):
        return "it holds more than tensors, or something else; what is more could run programs, and is not loaded"
    return _one_line(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

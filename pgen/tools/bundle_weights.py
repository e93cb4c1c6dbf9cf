"""Puts finished weights into the package, in float16.

Run ``python -m pgen.tools.bundle_weights NAME RUN/weights.safetensors``; several files, each with its share, as
``FILE:0.4 FILE:0.6``, for their mean; ``--semantic FILE...`` for H_S from other runs, likewise.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from pgen.data.weights import Weights, bundled_path, load_weights, save_weights
from pgen.errors import InputError

_NETWORKS = ("semantic", "appearance", "parser")


def bundle(name: str, sources: Sequence[str], semantic: Sequence[str] = ()) -> None:
    """Write the mean of ``sources``, files of weights, as the bundled weights ``name``: a parser, or H_S and H_A.

    Args:
        sources: each ``FILE`` or ``FILE:SHARE``; one file has the share 1, and shares make 1 together.
        semantic: files, likewise, whose H_S takes the place of theirs.

    Raises:
        InputError: the files hold other networks, differ in size, or the shares do not make 1.
    """
    loaded, shares = _load(sources)
    info = dict(loaded[-1].info)
    if isinstance(info.get("data"), str):
        info["data"] = Path(info["data"]).name  # where it was is nobody's business
    if len(sources) > 1 or semantic:
        info.pop("scores", None)  # they are of other weights
    if len(sources) > 1:
        info["mean"] = _list_shares(sources, loaded)
    found = {key: [getattr(weights, key) for weights in loaded] for key in _NETWORKS}
    networks = {key: _average(of_key, shares) for key, of_key in found.items() if None not in of_key}
    if semantic:
        others, parts = _load(semantic)
        usable = [other.semantic for other in others if other.semantic is not None and other.frame == loaded[-1].frame]
        if len(usable) < len(others):
            raise InputError(f"{' '.join(semantic)}: holds no H_S for frames of {loaded[-1].frame}")
        networks["semantic"] = _average(usable, parts)
        info["semantic"] = {key: others[0].info.get(key) for key in ("config", "step")}
        info["semantic"]["mean"] = _list_shares(semantic, others)
    if "parser" not in networks and not {"semantic", "appearance"} <= networks.keys():
        raise InputError(
            f"{' '.join(sources)}: bundled weights are a parser, or both H_S and H_A; give those of a finished "
            "train-parser or train-joint"
        )
    save_weights(bundled_path(f"{name}.safetensors"), loaded[-1].frame, networks, info, half=True, overwrite=True)


def _load(sources: Sequence[str]) -> tuple[list[Weights], list[float]]:
    paths, shares = zip(*map(_split_share, sources), strict=True)
    if abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"{' '.join(sources)}: the shares make {sum(shares):g}, not 1")
    return [load_weights(path) for path in paths], list(shares)


def _list_shares(sources: Sequence[str], loaded: Sequence[Weights]) -> list[str]:
    parts = zip(map(_split_share, sources), loaded, strict=True)
    return [f"{Path(path).name}, step {weights.info.get('step')}: {share:g}" for (path, share), weights in parts]


def _split_share(source: str) -> tuple[str, float]:
    path, colon, share = source.rpartition(":")
    try:
        return (path, float(share)) if colon else (source, 1.0)
    except ValueError:
        return source, 1.0


def _average(networks: Sequence[nn.Module], shares: Sequence[float]) -> nn.Module:
    """Network whose weights are the mean of those of ``networks``."""
    result = copy.deepcopy(networks[0])
    states = [network.state_dict() for network in networks]
    try:
        mean = {key: sum(s * state[key] for s, state in zip(shares, states, strict=True)) for key in states[0]}
        result.load_state_dict(mean)
    except (KeyError, RuntimeError):
        raise InputError("the files' networks differ in their sizes: a mean takes weights of one training") from None
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--semantic", nargs="+", default=())
    given = parser.parse_args()
    bundle(given.name, given.sources, given.semantic)

"""Puts finished weights into the package, in float16.

Run ``python -m pgen.tools.bundle_weights NAME RUN/weights.safetensors``; several files, each with its share, as
``FILE:0.4 FILE:0.6``, for their mean; ``--semantic FILE`` for H_S from another run.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from pgen.data.weights import bundled_path, load_weights, save_weights
from pgen.errors import InputError

_NETWORKS = ("semantic", "appearance", "parser")


def bundle(name: str, sources: Sequence[str], semantic: str | None = None) -> None:
    """Write the mean of ``sources``, files of weights, as the bundled weights ``name``: a parser, or H_S and H_A.

    Args:
        sources: each ``FILE`` or ``FILE:SHARE``; one file has the share 1, and shares make 1 together.
        semantic: a file whose H_S takes the place of theirs.

    Raises:
        InputError: the files hold other networks, differ in size, or the shares do not make 1.
    """
    paths, shares = zip(*map(_split_share, sources), strict=True)
    loaded = [load_weights(path) for path in paths]
    if abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"{' '.join(sources)}: the shares make {sum(shares):g}, not 1")
    info = dict(loaded[-1].info)
    if isinstance(info.get("data"), str):
        info["data"] = Path(info["data"]).name  # where it was is nobody's business
    if len(sources) > 1 or semantic is not None:
        info.pop("scores", None)  # they are of other weights
    if len(sources) > 1:
        steps = [weights.info.get("step") for weights in loaded]
        info["mean"] = [f"{Path(p).name}, step {n}: {s:g}" for p, n, s in zip(paths, steps, shares, strict=True)]
    found = {key: [getattr(weights, key) for weights in loaded] for key in _NETWORKS}
    networks = {key: _average(of_key, shares) for key, of_key in found.items() if None not in of_key}
    if semantic is not None:
        other = load_weights(semantic)
        if other.semantic is None or other.frame != loaded[-1].frame:
            raise InputError(f"{semantic}: holds no H_S for frames of {loaded[-1].frame}")
        networks["semantic"] = other.semantic
        info["semantic"] = {key: other.info.get(key) for key in ("config", "step", "scores")}
    if "parser" not in networks and not {"semantic", "appearance"} <= networks.keys():
        raise InputError(
            f"{' '.join(sources)}: bundled weights are a parser, or both H_S and H_A; give those of a finished "
            "train-parser or train-joint"
        )
    save_weights(bundled_path(f"{name}.safetensors"), loaded[-1].frame, networks, info, half=True, overwrite=True)


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
    parser.add_argument("--semantic")
    given = parser.parse_args()
    bundle(given.name, given.sources, given.semantic)

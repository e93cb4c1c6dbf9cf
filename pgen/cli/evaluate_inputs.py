"""What `pgen evaluate` was asked for: scores, pairs and systems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from pgen.cli.errors_to_exit_codes import log
from pgen.data.formats.pair_lists import read_pairs
from pgen.data.weights import BUNDLED, bundled_path, find_weights
from pgen.errors import InputError
from pgen.evaluation.matching import MatchedResults
from pgen.evaluation.methods import FilesMethod, Method, NetworksMethod, Pair, PredictedLabelPaste, find_baseline
from pgen.evaluation.photos import FolderPhotos, Photos, StorePhotos
from pgen.metrics.scores import Options, check_metrics
from pgen.metrics.ssim_protocols import ssim_protocol


def names_in(text: str, flag: str) -> list[str]:
    """The names in a list with commas. Raises `InputError` naming ``flag`` if there is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{flag} {text!r} names nothing; write names with commas between")
    return names


def read_options(metrics: Sequence[str], protocol: str, against: str, device: str, fetch: bool) -> Options:
    """The scores that are asked for; weights are not looked at. Raises `InputError` for unknown names."""
    check_metrics(metrics)
    protocols = tuple(ssim_protocol(name).name for name in names_in(protocol, "--protocol"))
    sets: list[Literal["test", "train"]] = []
    for name in names_in(against, "--against"):
        if name not in ("test", "train"):
            raise InputError(f"--against {name}: choose test, train, or test,train")
        sets.append("test" if name == "test" else "train")
    return Options(tuple(metrics), protocols, tuple(sets), fetch=fetch, device=device)


def wanted_pairs(lists: Sequence[Path], photos: StorePhotos | FolderPhotos) -> list[tuple[str, str]] | None:
    """The (source, target) names of the pairs that a list, or the store, names; None if nothing does."""
    if lists:
        found, notes = read_pairs(lists)
        for note in notes:
            log(note)
        return found
    return photos.pairs() if isinstance(photos, StorePhotos) else None


def pairs_to_score(
    matched: MatchedResults | None, wanted: Sequence[tuple[str, str]] | None, photos: Photos
) -> list[Pair]:
    """The pairs to be scored: those with results, else those of the list."""
    if matched is not None:
        return matched.pairs
    if wanted is None:
        raise InputError("which pairs? give --generated DIR, or a list with --pairs")
    return [Pair(photos.find(source) or source, photos.find(target) or target) for source, target in wanted]


def few_of_each(pairs: Sequence[Pair], photos: Photos, count: int, seed: int) -> list[Pair]:
    """``count`` pairs of each person, or all if there are no more, drawn at random and left in their order.

    Raises `InputError` if it is not known who is in a photo.
    """
    people: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        person = photos.person(pair.target)
        if person is None:
            raise InputError(f"--per-person: {photos.where} does not tell who is in a photo; give a store with --data")
        people.setdefault(person, []).append(index)
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(own)[:count] for own in people.values()]
    return [pairs[index] for index in np.sort(np.concatenate(drawn))] if drawn else []


def systems_to_score(
    matched: MatchedResults | None,
    generated: Path | None,
    weights: Sequence[str],
    baselines: Sequence[str],
    photos: Photos,
    maps: Sequence[str],
    device: str,
) -> list[Method]:
    """What is to be evaluated: networks with each kind of ``maps``, "predicted" and "true", that they can have.

    Raises `InputError` if it cannot be with what is given.
    """
    systems: list[Method] = []
    if matched is not None and generated is not None:
        systems.append(FilesMethod(generated.resolve().name, generated, matched.layout))
    needs_maps = bool(weights) or "label-paste" in baselines
    if needs_maps and not photos.has_parsing:
        raise InputError("--weights and label-paste need photos with parsing maps: give a prepared store with --data")
    names, paths = [], []
    for given in weights:
        name, equals, rest = given.rpartition("=")
        path = bundled_path(BUNDLED) if rest == "bundled" else Path(rest)
        path = path / "weights.safetensors" if path.is_dir() else path
        in_run = path.name == "weights.safetensors"
        names.append(name if equals else path.parent.name if in_run else Path(rest).stem)
        paths.append(path)
    if not (matched or weights or baselines):
        path, words = find_weights(None)
        log(words)
        names, paths = [path.parent.name if path.name == "weights.safetensors" else path.stem], [path]
        if not photos.has_parsing:
            raise InputError("give results to score with --generated, or a prepared store with --data")
    networks: list[NetworksMethod] = []
    for name, path in zip(names, paths, strict=True):
        kinds = {one.true_maps: one for one in (NetworksMethod(name, path, device, kind == "true") for kind in maps)}
        if len(kinds) == 2:
            kinds[True].name = f"{name} with true maps"
        networks += kinds.values()
    systems += networks
    for name in baselines:
        if name == PredictedLabelPaste.name:
            if not networks:
                raise InputError(f"--baseline {name}: give the --weights that predict the maps")
            systems.append(PredictedLabelPaste(next((one for one in networks if one.makes_maps), networks[0])))
        else:
            systems.append(find_baseline(name))
    doubled = {one.name for one in systems if [other.name for other in systems].count(one.name) > 1}
    if doubled:
        raise InputError(f"two systems are called {doubled.pop()}; name them: --weights NAME=PATH")
    return systems

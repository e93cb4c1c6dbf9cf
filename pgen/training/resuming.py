"""Going on with a run: with its own configuration, and told where anything is not as it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch

from pgen.data.store import Store
from pgen.data.weights import find_weights
from pgen.errors import InputError
from pgen.runtime.atomic_write import atomic_write
from pgen.runtime.busy_processors import is_thread_count_given
from pgen.training.config import Preset, read_settings
from pgen.training.settings import Given, flatten, replace_fields

CONFIG = "config.json"

T = TypeVar("T")

#: What of a store tells it from another one of the same name.
_IDENTITY = ("created", "source")

#: What makes two runs the same one.
_ASKED = ("config", "seed", "stores", "weights", "precision", "validation")

_SAME_SHARE = 1e-6  # by which shares of samples differ at most that are the same


def read_run(folder: Path) -> dict[str, Any]:
    """What ``config.json`` of the run in ``folder`` says. Raises `InputError` if there is no run, or it is damaged."""
    path = folder / CONFIG
    names = (CONFIG, "checkpoint.pt", "checkpoint-before.pt", "weights.safetensors")
    if not any((folder / name).exists() for name in names):
        raise InputError(f"{folder} holds no run to go on with; start it first, or name its folder", option="resume")
    try:
        found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); without it, start anew", option="resume") from None
    return found if isinstance(found, dict) else {}


def restore_config(
    run: Mapping[str, Any], settings: Iterable[str], warn: Callable[[str], None], where: Path
) -> Preset | None:
    """The configuration of ``run``, as `read_run` gives it, with ``settings`` on top; None if it does not say it.

    ``warn`` is told of what they change. Raises `InputError` as `load_preset` does.
    """
    own = run.get("config")
    if not isinstance(own, dict):
        return None
    known = {path for path, _ in flatten(asdict(Preset()))}
    given = {path: Given(value, f"{where}", "resume") for path, value in flatten(own)}
    kinds = {path.rpartition(".")[0] for path in given if path.endswith(".kind")}
    given = {
        path: value
        for path, value in given.items()  # fields that this version does not have any more say nothing
        if path in known or any(path.startswith(f"{kind}.") for kind in kinds) or ".weights." in path
    }
    changes = read_settings(settings, warn)
    for path, change in changes.items():
        was = given.get(path)
        if was is not None and was.value != change.value:
            warn(f"resuming with config.{path} = {json.dumps(change.value)} (it was {json.dumps(was.value)})")
    return replace_fields(Preset(), given | changes)


def describe_stores(data: Mapping[Path, float]) -> dict[str, list[Any]]:
    """For each file, its share of the samples, and what tells it from another file of that name."""
    described = {}
    for path, share in data.items():
        with Store(path) as store:
            identity = [str(store.provenance.get(key, "")) for key in _IDENTITY]
            described[str(path.absolute())] = [share, *identity, len(store)]
    return described


def restore_data(run: Mapping[str, Any]) -> list[str]:
    """The data sets of ``run``, as `parse_data` takes them; none if it does not say them."""
    stores = run.get("stores")
    if not isinstance(stores, dict):
        return []
    return [f"{path}:{its[0]}" if len(stores) > 1 else path for path, its in stores.items() if isinstance(its, list)]


def restore_weights(
    run: Mapping[str, Any], given: Mapping[str, Any], warn: Callable[[str], None]
) -> dict[str, str | None]:
    """The files of weights that are ``given``, or else those of ``run``; ``warn`` is told where both say another."""
    before = run.get("weights")
    own = before if isinstance(before, dict) else {}
    found: dict[str, str | None] = {}
    for option, path in given.items():
        was = own.get(option)
        found[option] = str(was) if path is None and was is not None else None if path is None else os.fspath(path)
        if own and found[option] != was:
            warn(f"resuming with {option} = {found[option]} (it was {was or 'not given'})")
    return found


def identify_weights(
    run: Mapping[str, Any],
    files: Mapping[str, str | os.PathLike[str] | None],
    used: Collection[str],
    warn: Callable[[str], None],
) -> dict[str, str]:
    """What tells ``files`` of weights, by options that are ``used``, from others of their names: SHA-256, by names.

    ``warn`` is told of those that were replaced since ``run`` began. Bundled ones, and what is no file, are left out.
    """
    before, now = run.get("weight_files"), dict[str, str]()
    own = before if isinstance(before, dict) else {}
    for option, name in files.items():
        if option not in used or name is None or os.fspath(name) == "bundled":
            continue
        path, _ = find_weights(name, option)
        if path.is_file():
            with path.open("rb") as file:
                now[str(name)] = hashlib.file_digest(file, "sha256").hexdigest()
            if own.get(str(name), now[str(name)]) != now[str(name)]:
                warn(f"{path} was replaced since the run began: it goes on with other weights")
    return now


def restore_option(run: Mapping[str, Any], option: str, given: T | None, default: T, warn: Callable[[str], None]) -> T:
    """What is ``given``, or else what ``run`` says, or the ``default``; ``warn`` is told where both say another."""
    own = run.get(option)
    if given is None:
        return default if own is None else own
    if own is not None and own != given:
        warn(f"resuming with {option} = {json.dumps(given)} (it was {json.dumps(own)})")
    return given


def restore_threads(run: Mapping[str, Any]) -> None:
    """As many threads as ``run`` had, unless the user says how many: with another number sums have other last bits."""
    count = run.get("threads")
    if isinstance(count, int) and count > 0 and not is_thread_count_given():
        torch.set_num_threads(count)


def warn_of_other_data(run: Mapping[str, Any], now: Mapping[str, Sequence[Any]], warn: Callable[[str], None]) -> None:
    """Say which of the data sets ``now`` are not those of ``run``, or were prepared anew since."""
    before = run.get("stores")
    if not isinstance(before, dict):
        return
    for path, its in now.items():
        if path not in before:
            warn(f"resuming with the data set {path}, which the run did not have (but {', '.join(before)})")
            continue
        was, *identity = before[path]
        if identity != list(its)[1:]:
            warn(f"{path} was replaced since the run began: it goes on with other photos")
        if abs(its[0] - was) > _SAME_SHARE:
            warn(f"resuming with {path} as {its[0]:g} of the samples (it was {was:g})")
    gone = [path for path in before if path not in now]
    for path in gone if len(now) > 1 or set(now) <= set(before) else []:  # else the new one was told in its place
        warn(f"resuming without the data set {path}")


def write_run(folder: Path, info: Mapping[str, Any]) -> None:
    """Write ``config.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / CONFIG, overwrite=True) as aside:
        aside.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")


def is_same_run(run: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether ``run`` is what was asked for with ``info``."""
    now = {"validation": True} | json.loads(json.dumps(info))
    before = {"task": now.get("task"), "validation": True} | dict(run)  # runs of before do not say these
    return all(before.get(key) == now.get(key) for key in ("task", *_ASKED))

"""Measuring pairs, in several processes: what the cache has already is not measured again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.methods import Method, Pair, Prediction
from pgen.evaluation.photos import Photo, Photos
from pgen.evaluation.sizes import common_size, crop_to_size
from pgen.metrics.compute import Batch, Rows
from pgen.metrics.registry import Suite, suite
from pgen.metrics.scores import Need, Options
from pgen.runtime.parallel_map import parallel_map

_TOGETHER = 16  # pairs in one piece of work

#: What is kept of each pair besides its measurements: height and width at which it was compared, and whether cut to it.
SIZE = "size"

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What a process has to know to measure pairs."""

    photos: Photos
    system: Method | None  #: None: the photos themselves are measured, as a reference
    options: Options
    given: frozenset[Need]
    cache: ScoreCache
    size: tuple[int, int] | None = None  #: to which reference images are cut


@dataclass
class Outcome:
    """What was found out about a pair."""

    problem: str | None = None  #: why it could not be scored
    keys: dict[str, str] = field(default_factory=dict)  #: where each measurement is kept
    rows: dict[str, Rows] = field(default_factory=dict)  #: those of single pairs
    fresh: dict[str, Rows] = field(default_factory=dict)  #: measurements that are yet to be kept, by key


def compute_outcomes(
    job: Job, pairs: Sequence[Pair], workers: int = 1, advance: Advance = lambda count: None
) -> Iterator[Outcome]:
    """What was found out about each of ``pairs``, in order; what is new has been added to the cache."""
    remaining = iter(pairs)
    pieces = iter(lambda: tuple(islice(remaining, _TOGETHER)), ())
    for outcomes in parallel_map(compute_rows, ((job, piece) for piece in pieces), workers):
        job.cache.put({key: row for outcome in outcomes for key, row in outcome.fresh.items()})
        for outcome in outcomes:
            outcome.fresh.clear()
            yield outcome
        advance(len(outcomes))


def compute_rows(job: Job, pairs: Sequence[Pair]) -> list[Outcome]:
    """What is not in the cache yet is measured; nothing is written."""
    chosen = suite(job.options, job.given)
    outcomes = [_begin(job, pair, chosen) for pair in pairs]
    known = job.cache.get([key for outcome in outcomes for key in outcome.keys.values()])
    batches: dict[tuple[int, int], list[tuple[Outcome, Photo, Prediction]]] = {}
    for pair, outcome in zip(pairs, outcomes, strict=True):
        if outcome.problem is None and not all(key in known for key in outcome.keys.values()):
            try:
                target, made = _compared(job, pair, outcome)
            except InputError as error:
                outcome.problem = _reason(error, pair)
                continue
            height, width = target.image.shape[:2]
            batches.setdefault((height, width), []).append((outcome, target, made))
    for members in batches.values():
        batch = _batch([target for _, target, _ in members], [made for _, _, made in members])
        for identity, measurement in chosen.measurements.items():
            lacking = [k for k, (outcome, _, _) in enumerate(members) if outcome.keys[identity] not in known]
            if lacking:
                rows = measurement.measure(_part(batch, lacking))
                for k, row in zip(lacking, rows, strict=True):
                    members[k][0].fresh[members[k][0].keys[identity]] = row
    single = {score.measurement for score in chosen.scores if score.kind == "pairs"} | {SIZE}
    for outcome in outcomes:
        if outcome.problem is None:
            for identity in single:
                key = outcome.keys[identity]
                outcome.rows[identity] = outcome.fresh[key] if key in outcome.fresh else known[key]
    return outcomes


def _begin(job: Job, pair: Pair, chosen: Suite) -> Outcome:
    """The keys of a pair, or why it has none."""
    try:
        parts = [job.photos.digest(pair.target)]
        if job.system is None:
            parts.append(f"reference {job.size}")
        else:
            parts.append(job.system.digest(pair))
            if job.system.needs_source:
                parts.append("" if pair.source is None else job.photos.digest(pair.source))
    except InputError as error:
        return Outcome(problem=_reason(error, pair))
    begin = hashlib.blake2b("\n".join(parts).encode(), digest_size=16)
    keys = {}
    for identity in (*chosen.measurements, SIZE):
        own = begin.copy()
        own.update(f"\n{identity}".encode())
        keys[identity] = own.hexdigest()
    return Outcome(keys=keys)


def _compared(job: Job, pair: Pair, outcome: Outcome) -> tuple[Photo, Prediction]:
    """The true photo and the result, in one size. Raises `InputError` if one cannot be had, or sizes do not fit."""
    target = job.photos.load(pair.target)
    if job.system is None:
        size = job.size or (target.image.shape[0], target.image.shape[1])
        target, made, cut = *crop_to_size(size, target, Prediction(target.image)), False
    else:
        needed = job.system.needs_source and pair.source is not None
        source = job.photos.load(pair.source) if needed and pair.source is not None else None
        made = job.system.make(pair, source, target)
        size = common_size(made.image.shape, target.image.shape)
        cut = made.image.shape != target.image.shape
        target, made = crop_to_size(size, target, made)
    outcome.fresh[outcome.keys[SIZE]] = np.array([*size, cut], np.float64)
    return target, made


def _batch(targets: Sequence[Photo], made: Sequence[Prediction]) -> Batch:
    """Results of one size and their targets as tensors; maps only if all of them have one."""

    def images(arrays: list[NDArray[np.uint8]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()

    def maps(arrays: list[NDArray[np.uint8] | None]) -> torch.Tensor | None:
        known = [one for one in arrays if one is not None]
        return torch.from_numpy(np.stack(known)) if len(known) == len(arrays) else None

    nowhere = np.full((18, 2), np.nan, np.float32)
    poses = np.stack([nowhere if target.pose is None else target.pose for target in targets])
    return Batch(
        images([one.image for one in made]),
        images([target.image for target in targets]),
        torch.from_numpy(poses),
        maps([target.parsing for target in targets]),
        maps([one.parsing for one in made]),
    )


def _part(batch: Batch, chosen: Sequence[int]) -> Batch:
    """The pairs at these indices."""
    at = list(chosen)
    if len(at) == len(batch.generated):
        return batch
    return Batch(
        batch.generated[at],
        batch.target[at],
        batch.poses[at],
        None if batch.parsing is None else batch.parsing[at],
        None if batch.made_parsing is None else batch.made_parsing[at],
    )


def _reason(error: InputError, pair: Pair) -> str:
    """Why a pair is not scored, in words that pairs with the same trouble share."""
    text = str(error)
    for name in (pair.file, pair.target, pair.source):
        if name:
            text = text.replace(name, "…")
    return text

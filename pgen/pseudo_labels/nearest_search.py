"""Pseudo labels at the scale of a whole data set: for every map its nearest others by the distance of the paper.

All pairs are compared by an estimate (``part_patches``), then the best candidates by the distance (``part_distance``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.pseudo_labels.match_rules import SAME_CLOTHES, MatchRules
from pgen.pseudo_labels.part_distance import PartDistances
from pgen.pseudo_labels.part_patches import Estimate, estimate_distances
from pgen.runtime.threads import thread_pool

#: Rows compared with all others at a time: the memory of a block is a few times 256·N numbers.
_BLOCK = 256
#: Rows whose candidates are compared by the distance at a time. Many, because pairs of one target share work.
_RERANKED = 1 << 15
#: Candidates that the distance is asked of, at least, and the rows of pixels that it is asked on: all of them at last.
_STEPS = ((128, 32), (16, 128), (4, 1 << 30))
#: So many maps at least are compared by the distance, however little alike the clothes.
_LEAST_ALIKE = 8


@dataclass(frozen=True)
class NearestMaps:
    """For each of N maps its K nearest: indices, int64 (N, K), and distances, float32 (N, K), ascending."""

    matches: NDArray[np.int64]
    distances: NDArray[np.float32]


def find_nearest_maps(
    labels: Tensor,
    poses: Tensor,
    persons: Sequence[str],
    names: Sequence[str],
    count: int,
    same_clothes: float | None = SAME_CLOTHES,
    advance: Callable[[int], None] = lambda done: None,
) -> NearestMaps:
    """The ``count`` nearest maps of each map, among other people's in other poses.

    Args:
        labels: (N, H, W) ids 0-9, uint8.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.
        persons, names: who it is, and the files' names for messages, N each.
        count: K; where fewer than K may be matched, the furthest is repeated.
        same_clothes: only maps whose sleeves and hems end where this one's do, within so much; at least eight are
            compared. None compares all: the distance alone.
        advance: called with numbers of maps as they are done, 2·N in all.

    Raises:
        InputError: a map has nobody else in another pose.
    """
    # Candidates that enter, and every how many-th row and column of pixels is compared, coarse to fine.
    steps: list[tuple[int, int]] = []
    for (least, rows_compared), spare in zip(_STEPS, (8 * count, 2 * count, count), strict=True):
        stride = max(1, labels.shape[1] // rows_compared)
        if not steps or stride < steps[-1][1]:
            steps.append((max(least, spare), stride))
    rules = MatchRules(labels, poses, persons, names, same_clothes, _LEAST_ALIKE)
    candidates = _find_candidates(estimate_distances(labels, poses), rules, steps[0][0], advance)
    distances = PartDistances(labels, poses)
    pairs_a_map = sum(entering for entering, _ in steps)
    done = reported = 0

    def count_pairs(pairs: int) -> None:
        nonlocal done, reported
        done += pairs
        advance(done // pairs_a_map - reported)
        reported = done // pairs_a_map

    best, theirs = [], []
    for rows in torch.arange(len(labels)).split(_RERANKED):
        chosen, found = candidates[rows], torch.empty(0)
        for entering, stride in steps:
            chosen = chosen[:, :entering]
            there = chosen >= 0
            found = torch.full(chosen.shape, torch.inf)
            pairs = rows[:, None].expand_as(chosen)[there], chosen[there]
            found[there] = distances(*pairs, stride, count_pairs)
            found, order = found.sort(dim=1, stable=True)
            chosen = chosen.gather(1, order)
        columns = torch.minimum(torch.arange(count), (chosen >= 0).sum(1, keepdim=True) - 1)
        best.append(chosen.gather(1, columns))
        theirs.append(found.gather(1, columns))
    advance(len(labels) - reported)  # some maps have fewer candidates than were allowed for
    return NearestMaps(torch.cat(best).numpy(), torch.cat(theirs).numpy())


def _find_candidates(estimated: Estimate, rules: MatchRules, number: int, advance: Callable[[int], None]) -> Tensor:
    """The best by the estimate of those that may be matched: (N, number), best first, −1 where there are no more."""
    (source, target, constant), count = estimated, len(rules.names)
    result = torch.full((count, number), -1)

    def search(start: int) -> int:
        rows = slice(start, min(start + _BLOCK, count))
        allowed, _ = rules.permit(rows)
        score = torch.addmm(constant, source[rows], target.T)
        score.masked_fill_(~allowed, torch.inf)
        value, best = score.topk(min(number, count), largest=False)
        result[rows, : best.shape[1]] = torch.where(value.isfinite(), best, -1)
        return len(best)

    with thread_pool() as pool:
        for done in pool.map(search, range(0, count, _BLOCK)):
            advance(done)
    return result

"""Pseudo labels at the scale of a whole data set: for every map its nearest others by the distance of the paper.

All pairs are compared by an estimate (``part_patches``), block by block of rows; then the best candidates by the
distance itself (``part_distance``), first on a coarse grid of pixels, the best of them on finer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pgen.pseudo_labels.match_rules import SAME_CLOTHES, SAME_POSE, MatchRules, facing_directions
from pgen.pseudo_labels.part_distance import PartDistances
from pgen.pseudo_labels.part_patches import estimate_distances
from pgen.runtime.threads import thread_pool

#: Rows compared with all others at a time: the memory of a block is a few times 256·N numbers.
_BLOCK = 256
#: Rows whose candidates are compared by the distance at a time. Many, because pairs of one target share work.
_RERANKED = 1 << 15
#: Candidates that the distance is asked of, at least, and the rows of pixels that it is asked on: all of them at last.
_STEPS = ((128, 32), (16, 128), (4, 1 << 30))
#: Likewise for one of several varied matches, which need not be the very nearest.
_VARIED_STEPS = ((24, 32), (4, 128))
#: So many maps at least are compared by the distance, however little alike the clothes; of varied matches more, for
#: those in another pose and from another side to be among them.
_LEAST_ALIKE, _LEAST_ALIKE_VARIED = 8, 64
#: Joints on average so many torso lengths apart: clearly another pose.
_MOVED = 0.5

#: Which maps (rows, N) are preferred, in a block of rows, of those that are allowed and have poses so far apart.
Preference = Callable[[slice, Tensor, Tensor], Tensor]


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
    same_pose: float = SAME_POSE,
    same_clothes: float | None = SAME_CLOTHES,
    advance: Callable[[int], None] = lambda done: None,
) -> NearestMaps:
    """The ``count`` nearest maps of each map, among other people's in other poses.

    Args:
        labels: (N, H, W) ids 0-9, uint8.
        poses: (N, 18, 2) in pixels, NaN where missing; shoulders and hips known.
        persons, names: who it is, and the files' names for messages, N each.
        count: K; where fewer than K may be matched, the furthest is repeated.
        same_pose: poses nearer than this, in torso lengths, are left out.
        same_clothes: only maps whose sleeves and hems end where this one's do, within so much; at least eight are
            compared. None compares all: the distance alone.
        advance: called with numbers of maps as they are done, 2·N in all.

    Raises:
        InputError: a map has nobody else in another pose.
    """
    rules = MatchRules(labels, poses, persons, same_pose)
    search = _Search(labels, poses, rules, names, same_clothes, _LEAST_ALIKE)
    return search.find(count, _steps(labels.shape[1], count), lambda rows, allowed, apart: allowed, advance)


def find_varied_maps(
    labels: Tensor,
    poses: Tensor,
    persons: Sequence[str],
    names: Sequence[str],
    nearest: int = 4,
    turned: int = 2,
    seed: int = 0,
    same_pose: float = SAME_POSE,
    same_clothes: float | None = None,
) -> NDArray[np.int64]:
    """Different pseudo labels of every map: indices (N, nearest + turned).

    Each of the ``nearest`` is the best of a random half of the maps, for variety, and every second one is in a clearly
    other pose; each of the ``turned`` is the best of a half among those seen from another side. Where nobody is in such
    a pose or seen from such a side, the nearest of all is taken. Other arguments are those of `find_nearest_maps`.

    Raises:
        InputError: a map has nobody else in another pose.
    """
    rules = MatchRules(labels, poses, persons, same_pose)
    search = _Search(labels, poses, rules, names, same_clothes, _LEAST_ALIKE_VARIED)
    sides = facing_directions(poses)
    halves = torch.rand(nearest + turned, len(labels), generator=torch.Generator().manual_seed(seed)) < 0.5
    steps = [(number, max(1, labels.shape[1] // rows)) for number, rows in _VARIED_STEPS]
    found = []
    for k, half in enumerate(halves):

        def prefer(rows: slice, allowed: Tensor, apart: Tensor, k: int = k, half: Tensor = half) -> Tensor:
            others = sides[rows, None] != sides[None] if k >= nearest else apart >= _MOVED if k % 2 else allowed
            return _first_of(allowed & others & half, allowed & others, allowed & half, allowed)

        found.append(search.find(1, steps, prefer).matches)
    return np.concatenate(found, axis=1)


def _first_of(*masks: Tensor) -> Tensor:
    """Each row (N,) of the first mask that has anything in it."""
    result = masks[-1]
    for mask in reversed(masks[:-1]):
        result = torch.where(mask.any(1, keepdim=True), mask, result)
    return result


class _Search:
    """The maps of one data set, prepared to be compared; see `find_nearest_maps`."""

    def __init__(
        self,
        labels: Tensor,
        poses: Tensor,
        rules: MatchRules,
        names: Sequence[str],
        same_clothes: float | None,
        least_alike: int,
    ) -> None:
        self.rules, self.names, self.same_clothes, self.least_alike = rules, names, same_clothes, least_alike
        self.estimated = estimate_distances(labels, poses)
        self.distances = PartDistances(labels, poses)

    def find(
        self,
        count: int,
        steps: Sequence[tuple[int, int]],
        prefer: Preference,
        advance: Callable[[int], None] = lambda done: None,
    ) -> NearestMaps:
        """The ``count`` best of those that ``prefer`` leaves.

        ``steps`` are (candidates that enter, every how many-th row and column of pixels is compared), coarse to fine.
        """
        number = len(self.names)
        candidates = self._candidates(steps[0][0], prefer, advance)
        progress = _Progress(number, number * sum(entering for entering, _ in steps), advance)
        best, theirs = [], []
        for rows in torch.arange(number).split(_RERANKED):
            chosen, found = candidates[rows], torch.empty(0)
            for entering, stride in steps:
                chosen = chosen[:, :entering]
                there = chosen >= 0
                found = torch.full(chosen.shape, torch.inf)
                pairs = rows[:, None].expand_as(chosen)[there], chosen[there]
                found[there] = self.distances(*pairs, stride, progress.add)
                found, order = found.sort(dim=1, stable=True)
                chosen = chosen.gather(1, order)
            columns = torch.minimum(torch.arange(count), (chosen >= 0).sum(1, keepdim=True) - 1)
            best.append(chosen.gather(1, columns))
            theirs.append(found.gather(1, columns))
        progress.end()
        return NearestMaps(torch.cat(best).numpy(), torch.cat(theirs).numpy())

    def _candidates(self, number: int, prefer: Preference, advance: Callable[[int], None]) -> Tensor:
        """The best by the estimate of those that may be matched: (N, number), best first, then −1."""
        count = len(self.names)
        result = torch.full((count, number), -1)

        def search(start: int) -> int:
            rows = slice(start, min(start + _BLOCK, count))
            permitted = self.rules.block(rows, self.names)
            allowed = permitted.allowed
            if self.same_clothes is not None:
                allowed = self.rules.same_clothes(rows, allowed, self.same_clothes, self.least_alike)
            allowed = prefer(rows, allowed, permitted.apart)
            score = torch.addmm(self.estimated.constant, self.estimated.source[rows], self.estimated.target.T)
            score.masked_fill_(~allowed, torch.inf)
            value, best = score.topk(min(number, count), largest=False)
            result[rows, : best.shape[1]] = torch.where(value.isfinite(), best, -1)
            return len(best)

        with thread_pool() as pool:
            if self.same_clothes is not None:
                _ = self.rules.clothes  # read before several threads ask for them
            for done in pool.map(search, range(0, count, _BLOCK)):
                advance(done)
        return result


class _Progress:
    """Reports pairs to ``advance`` as the ``maps`` that they amount to."""

    def __init__(self, maps: int, pairs: int, advance: Callable[[int], None]) -> None:
        self.maps, self.pairs, self.advance = maps, pairs, advance
        self.done = self.reported = 0

    def add(self, pairs: int) -> None:
        self.done += pairs
        now = self.maps * self.done // self.pairs
        self.advance(now - self.reported)
        self.reported = now

    def end(self) -> None:
        """Some maps have fewer candidates than were allowed for."""
        self.advance(self.maps - self.reported)


def _steps(height: int, count: int) -> list[tuple[int, int]]:
    """(candidates that enter, every how many-th row and column of pixels is compared), coarse to fine."""
    steps: list[tuple[int, int]] = []
    for (least, rows), spare in zip(_STEPS, (8 * count, 2 * count, count), strict=True):
        stride = max(1, height // rows)
        if not steps or stride < steps[-1][1]:
            steps.append((max(least, spare), stride))
    return steps

"""Scores as data and as text: every score with its protocol, its number of pairs and their hash, weights, versions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgen.errors import InputError
from pgen.evaluation.bootstrap import paired_difference
from pgen.evaluation.html_page import render_page
from pgen.evaluation.page import draw_examples, list_histograms
from pgen.evaluation.pair_table import make_pair_table
from pgen.evaluation.photos import Pair, Photos
from pgen.evaluation.score import MethodResult, Score, hash_pairs
from pgen.metrics.networks import FeatureMetric
from pgen.version import version

_FEW = 10  # people, with fewer of whom resampling tells little
_MANY = 2048  # images, as many as FID has features, with fewer of which it is clearly biased


@dataclass(frozen=True)
class Report:
    """The results of several methods on the same pairs, one after the other; prints as a table."""

    results: Sequence[MethodResult]
    photos: Photos
    pairs: Sequence[Pair]  #: all that were to be scored
    seed: int = 0

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[MethodResult]:
        return iter(self.results)

    def __getitem__(self, index: int) -> MethodResult:
        return self.results[index]

    def __str__(self) -> str:
        """A line a score, a column a method."""
        lines = [["", *(result.method.name for result in self)], *(list(column) for column in self.columns())]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def metrics(self) -> dict[str, Score]:
        """A score of each metric that any method has, in their order."""
        found: dict[str, Score] = {}
        for result in self:
            for score in result.scores:
                found.setdefault(score.name, score)
        return found

    def rows(self) -> list[list[str]]:
        """One row a method: its name and its scores, in the order of `metrics`."""
        rows = []
        for result in self:
            cells = {score.name: format_score(score) for score in result.scores}
            rows.append([result.method.name, *(cells.get(name, "–") for name in self.metrics())])
        return rows

    def columns(self) -> list[tuple[str, ...]]:
        """One row a metric: its name and each method's score."""
        return list(zip(self.metrics(), *(row[1:] for row in self.rows()), strict=True))

    def provenance(self) -> list[tuple[str, str, str, str]]:
        """Of each metric: its name, protocol, the number and hash of pairs, and weights and versions."""
        lines = []
        for name, score in self.metrics().items():
            metric = score.metric
            better = "higher is better" if metric.higher_is_better else "lower is better"
            text = f"{metric.protocol}; {better}" + (f"; {metric.note}" if metric.note else "")
            used = [f"{network} {digest[:12]}" for network, digest in metric.weights.items()]
            used += [f"{library} {number}" for library, number in metric.versions().items()]
            lines.append((name, text, self.pair_lists(), ", ".join(used)))
        return lines

    def pair_lists(self) -> str:
        """The number of pairs and the hash of their list, of all methods, which most often is one."""
        lists = dict.fromkeys(f"{len(result.pairs):,} pairs, list {hash_pairs(result.pairs)[:12]}" for result in self)
        return "; ".join(lists)

    def missing(self) -> dict[str, str]:
        """Why scores are missing, by the score's name, with those methods that alone lack it."""
        lacking: dict[tuple[str, str], list[str]] = {}
        for result in self:
            for name, why in result.missing.items():
                lacking.setdefault((name, why), []).append(result.method.name)
        return {
            name if len(methods) == len(self) else f"{name} ({', '.join(methods)})": why
            for (name, why), methods in lacking.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything about the scores, ready for JSON. Differences are from the first method."""
        return {"pgen": version(), "systems": [_result_to_dict(result, self[0], self.seed) for result in self]}

    def markdown(self, made_by: str = "pgen.evaluate") -> str:
        """A table for a README, with what its numbers mean and ``made_by``, the call or command that made it."""
        names = self._names_with_arrows()
        lines = [
            "| | " + " | ".join(names) + " |",
            "|---" * (len(names) + 1) + "|",
            *("| " + " | ".join(row) + " |" for row in self.rows()),
            "",
            f"{self.pair_lists()}. In brackets: 95 % bootstrap intervals. Made by `{made_by}`.",
            "",
            *(f"- **{name}**: {text} ({used})" for name, text, _, used in self.provenance()),
            *(f"- {name}: not computed: {why}" for name, why in self.missing().items()),
            *(f"- {line}" for line in self._list_remarks()),
        ]
        return "\n".join(lines) + "\n"

    def html(self, ranked_by: str | None = None) -> str:
        """A page: scores, differences, a table of all pairs to sort and filter, distributions, all in one file.

        Pairs are sorted at first by the score ``ranked_by``, else the first that single pairs have; those that are best
        and worst by it have pictures.
        """
        return render_page(
            "evaluation.html.j2",
            title="Evaluation",
            methods=[result.method for result in self],
            pair_lists=self.pair_lists(),
            photos=self.photos.where,
            scores=[(name, *cells[1:]) for name, cells in zip(self._names_with_arrows(), self.columns(), strict=True)],
            differences=self.differences(),
            remarks=self._list_remarks() + [f"{name} was not computed: {why}" for name, why in self.missing().items()],
            table=make_pair_table(self.results, self.photos, ranked_by),
            histograms=list_histograms(self.results, list(self.metrics())),
            provenance=self.provenance(),
        )

    def differences(self) -> list[tuple[str, ...]]:
        """One row a metric: by how much each further method differs from the first, where both have the same pairs."""
        found = [_result_to_dict(result, self[0], self.seed).get("difference_from", {}) for result in self]
        rows = []
        for name, score in self.metrics().items():
            cells = [
                "–" if one is None or None in one.values() else format_difference(score, **one)
                for one in (each.get("scores", {}).get(name) for each in found[1:])
            ]
            if any(cell != "–" for cell in cells):
                rows.append((name, *cells))
        return rows

    def draw_examples(self, count: int = 12) -> NDArray[np.uint8]:
        """A picture (H, W, 3) of ``count`` pairs with all results, which the seed alone chooses from those with scores.

        Raises `InputError` if no pair has scores of all methods.
        """
        scored = [set(result.pairs) for result in self]
        pairs = [pair for pair in self.pairs if all(pair in each for each in scored)]
        if not pairs:
            raise InputError("there is no pair that all methods have scores of, so no sheet of them", option="sheet")
        return draw_examples([result.method for result in self], self.photos, pairs, count, self.seed)

    def _list_remarks(self) -> list[str]:
        """What a reader of the scores has to know, of the methods that it is not true of all."""
        remarks: dict[str, list[str]] = {}
        for result in self:
            for line in list_remarks(result):
                remarks.setdefault(line, []).append(result.method.name)
        return [line if len(names) == len(self) else f"{', '.join(names)}: {line}" for line, names in remarks.items()]

    def _names_with_arrows(self) -> list[str]:
        return [f"{name} {'↑' if score.metric.higher_is_better else '↓'}" for name, score in self.metrics().items()]


def format_score(score: Score) -> str:
    """A score as it stands in tables: ``0.745 [0.723, 0.769]``, ``3.440 ± 0.102`` or ``12.3``."""
    value, low, high, sd = (
        f"{number:.{score.metric.decimals}f}" for number in (score.value, score.low, score.high, score.sd or 0)
    )
    if not math.isfinite(score.value):
        return "undefined"
    if score.sd is not None:
        return f"{value} ± {sd}"
    return f"{value} [{low}, {high}]" if math.isfinite(score.low) else value


def format_difference(score: Score, value: float, low: float, high: float) -> str:
    """A difference with its 95 % interval, and what it says: ``+0.012 [0.004, 0.020] better``."""
    digits = score.metric.decimals
    said = (
        "not certain"
        if not (low > 0 or high < 0)
        else "better"
        if (low > 0) == score.metric.higher_is_better
        else "worse"
    )
    return f"{value:+.{digits}f} [{low:.{digits}f}, {high:.{digits}f}] {said}"


def list_remarks(result: MethodResult) -> list[str]:
    """What a reader of a method's scores has to know about its pairs."""
    lines = [
        f"{len(names)} pairs not scored: {reason} ({', '.join(names[:3])}{', …' * (len(names) > 3)})"
        for reason, names in result.problems.items()
    ]
    if result.cut:
        lines.append(f"{result.cut} pairs are compared on the columns that result and true photo both have")
    if result.groups is not None and len(set(result.groups)) < _FEW:
        lines.append(f"the intervals rest on few people ({len(set(result.groups))}), so they are too narrow")
    if result.groups is None and any(math.isfinite(score.low) for score in result.scores):
        unknown = "it is not known who is in a photo, so pairs are drawn one by one for the intervals"
        lines.append(f"{unknown}, which are too narrow where a person is in several")
    sets = [one.name for one in result.scores if isinstance(one.metric, FeatureMetric) and one.metric.reference]
    if sets and len(result.pairs) < _MANY:
        lines.append(f"{', '.join(sets)}: too high with few images ({len(result.pairs)}); compare equal numbers alone")
    return lines + [
        f"{score.name} has no value for {score.undefined} of {len(result.pairs)} pairs"
        for score in result.scores
        if score.undefined
    ]


def _result_to_dict(result: MethodResult, first: MethodResult, seed: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": result.method.name,
        "about": dict(result.method.about),
        "pairs": len(result.pairs),
        "pairs_hash": hash_pairs(result.pairs),
        "not_scored": dict(result.problems),
        "cut_to_common_columns": result.cut,
        "scores": [_score_to_dict(score, result) for score in result.scores],
        "not_computed": dict(result.missing),
    }
    if result is not first and hash_pairs(result.pairs) == hash_pairs(first.pairs):
        scores = {score.name: score for score in result.scores}
        differences = {
            other.name: paired_difference(score.rows, other.rows, score.metric.score, result.groups, seed)
            for other in first.scores
            if (score := scores.get(other.name)) is not None and score.rows is not None and other.rows is not None
        }
        shown = {name: _to_json(vars(difference)) for name, difference in differences.items()}
        data["difference_from"] = {"system": first.method.name, "scores": shown}
    return data


def _score_to_dict(score: Score, result: MethodResult) -> dict[str, Any]:
    metric = score.metric
    return {
        "name": score.name,
        **_to_json({"value": score.value, "low": score.low, "high": score.high}),
        "sd": score.sd,
        "better": "higher" if metric.higher_is_better else "lower",
        "pairs": score.count,
        "undefined": score.undefined,
        "pairs_hash": hash_pairs(result.pairs),
        "protocol": metric.protocol,
        "note": metric.note,
        "weights": dict(metric.weights),
        "versions": metric.versions(),
    }


def _to_json(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """``numbers`` without those that JSON has not: NaN and infinite ones."""
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}

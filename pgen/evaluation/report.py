"""Scores as data and as text: every score with its protocol, its number of pairs and their hash, weights, versions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pgen.evaluation.run import ScoredResult, SystemResult
from pgen.metrics.bootstrap import Interval, paired_difference
from pgen.version import version

_FEW = 10  # people, with fewer of whom resampling tells little
_MANY = 2048  # images, as many as FID has features, with fewer of which it is clearly biased
_DECIMALS = {"psnr": 2}  # all others: 3


def to_data(results: Sequence[SystemResult], seed: int = 0) -> dict[str, Any]:
    """Everything about the scores of several systems, ready for JSON. Differences are from the first system."""
    return {"pgen": version(), "systems": [_system(result, results[0], seed) for result in results]}


def _system(result: SystemResult, first: SystemResult, seed: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": result.system.name,
        "about": dict(result.system.about),
        "pairs": len(result.pairs),
        "pairs_hash": result.pair_hash(),
        "not_scored": dict(result.problems),
        "cut_to_common_columns": result.cut,
        "scores": [_score(scored, result) for scored in result.scored],
        "not_computed": dict(result.missing),
    }
    if result is not first and result.pair_hash() == first.pair_hash():
        found = differences(result, first, seed)
        data["difference_from"] = {
            "system": first.system.name,
            "scores": {name: vars(interval) for name, interval in found.items()},
        }
    return data


def _score(scored: ScoredResult, result: SystemResult) -> dict[str, Any]:
    score = scored.score
    return {
        "name": score.name,
        "value": _plain(scored.value),
        "low": _plain(scored.low),
        "high": _plain(scored.high),
        "sd": scored.sd,
        "better": "higher" if score.higher else "lower",
        "pairs": scored.count,
        "undefined": scored.undefined,
        "pairs_hash": result.pair_hash(),
        "protocol": score.protocol,
        "note": score.note,
        "weights": dict(score.weights),
        "versions": score.versions(),
    }


def differences(result: SystemResult, first: SystemResult, seed: int = 0) -> Mapping[str, Interval]:
    """By name of the score: ``result`` minus ``first``, which are of the same pairs, resampled together."""
    own = {scored.score.name: scored for scored in result.scored}
    found = {}
    for other in first.scored:
        scored = own.get(other.score.name)
        if scored is not None and scored.rows is not None and other.rows is not None:
            found[other.score.name] = paired_difference(
                scored.rows, other.rows, scored.score.statistic, result.groups, seed
            )
    return found


def format_score(scored: ScoredResult) -> str:
    """A score as it stands in tables: ``0.745 [0.723, 0.769]``, ``3.440 ± 0.102`` or ``12.3``."""
    decimals = _DECIMALS.get(scored.score.name, 3)
    if not math.isfinite(scored.value):
        return "undefined"
    text = f"{scored.value:.{decimals}f}"
    if scored.sd is not None:
        return f"{text} ± {scored.sd:.{decimals}f}"
    if math.isfinite(scored.low):
        return f"{text} [{scored.low:.{decimals}f}, {scored.high:.{decimals}f}]"
    return text


def score_names(results: Sequence[SystemResult]) -> list[str]:
    """The names of all scores that any system has, in their order."""
    return list(dict.fromkeys(scored.score.name for result in results for scored in result.scored))


def arrowed_names(results: Sequence[SystemResult]) -> list[str]:
    """`score_names` with arrows in the better direction."""
    arrows = {scored.score.name: "↑" if scored.score.higher else "↓" for r in results for scored in r.scored}
    return [f"{name} {arrows[name]}" for name in score_names(results)]


def rows_of(results: Sequence[SystemResult]) -> list[list[str]]:
    """One row a system: its name and its scores, as `score_names` has them."""
    rows = []
    for result in results:
        own = {scored.score.name: format_score(scored) for scored in result.scored}
        rows.append([result.system.name, *(own.get(name, "–") for name in score_names(results))])
    return rows


def provenance(results: Sequence[SystemResult]) -> list[tuple[str, str, str, str]]:
    """Of each score: its name, protocol, the number and hash of pairs, and weights and versions."""
    found: dict[str, tuple[str, str, str, str]] = {}
    for result in results:
        for scored in result.scored:
            score = scored.score
            better = "higher is better" if score.higher else "lower is better"
            text = f"{score.protocol}; {better}" + (f"; {score.note}" if score.note else "")
            used = [f"{name} {digest[:12]}" for name, digest in score.weights.items()]
            used += [f"{name} {number}" for name, number in score.versions().items()]
            found.setdefault(score.name, (score.name, text, pair_lists(results), ", ".join(used)))
    return list(found.values())


def pair_lists(results: Sequence[SystemResult]) -> str:
    """The number of pairs and the hash of their list, of all systems, which most often is one."""
    lists = dict.fromkeys(f"{len(result.pairs):,} pairs, list {result.pair_hash()[:12]}" for result in results)
    return "; ".join(lists)


def not_computed(results: Sequence[SystemResult]) -> dict[str, str]:
    """Why scores are missing, by the score's name, with those systems that alone lack it."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for name, why in result.missing.items():
            lacking.setdefault((name, why), []).append(result.system.name)
    return {
        name if len(systems) == len(results) else f"{name} ({', '.join(systems)})": why
        for (name, why), systems in lacking.items()
    }


def remarks(result: SystemResult) -> list[str]:
    """What a reader of a system's scores has to know about its pairs."""
    lines = [
        f"{len(names)} pairs not scored: {reason} ({', '.join(names[:3])}{', …' * (len(names) > 3)})"
        for reason, names in result.problems.items()
    ]
    if result.cut:
        lines.append(f"{result.cut} pairs are compared on the columns that result and true photo both have")
    if result.groups is not None and len(set(result.groups)) < _FEW:
        lines.append(f"the intervals rest on few people ({len(set(result.groups))}), so they are too narrow")
    sets = [scored.score.name for scored in result.scored if scored.score.kind == "frechet"]
    if sets and len(result.pairs) < _MANY:
        lines.append(f"{', '.join(sets)}: too high with few images ({len(result.pairs)}); compare equal numbers alone")
    undefined = {scored.score.name: scored.undefined for scored in result.scored if scored.undefined}
    lines += [f"{name} has no value for {count} of {len(result.pairs)} pairs" for name, count in undefined.items()]
    return lines


def markdown(results: Sequence[SystemResult], command: str) -> str:
    """A table for a README, with what its numbers mean and the command that made it."""
    names = arrowed_names(results)
    lines = [
        "| | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
        *("| " + " | ".join(row) + " |" for row in rows_of(results)),
        "",
        f"{pair_lists(results)}. In brackets: 95 % bootstrap intervals. Made by `{command}`.",
        "",
        *(f"- **{name}**: {text} ({used})" for name, text, _, used in provenance(results)),
        *(f"- {name}: not computed: {why}" for name, why in not_computed(results).items()),
    ]
    return "\n".join(lines) + "\n"


def _plain(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None

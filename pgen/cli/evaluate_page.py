"""The page of `pgen evaluate --html`: scores, their distributions, best and worst pairs, all in one file."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.cli.html_page import Section, render_page, table
from pgen.errors import InputError
from pgen.evaluation.methods import Pair
from pgen.evaluation.photos import Photos
from pgen.evaluation.report import (
    arrowed_names,
    not_computed,
    pair_lists,
    provenance,
    remarks,
    rows_of,
    score_names,
)
from pgen.evaluation.run import ScoredResult, SystemResult
from pgen.version import version

SHOWN = 12  #: best and worst pairs of each system
_BINS = (8, 40)  # of a histogram, at least and at most
_WIDTH, _HEIGHT = 300, 84  # of a histogram, in pixels
_TALLEST = 160  # of a picture


def evaluation_page(results: Sequence[SystemResult], photos: Photos, ranked_by: str | None = None) -> str:
    """The page. Pairs are ranked by the score ``ranked_by``, else the first that single pairs have."""
    sections = [_scores(results)]
    sections += [section for result in results for section in _extremes(result, photos, ranked_by)]
    sections += [_distributions(results), _provenance(results)]
    return render_page(
        "Evaluation",
        f"{', '.join(result.system.name for result in results)}: {pair_lists(results)}.",
        sections,
        f"pgen {version()} · photos: {photos.where}",
    ).replace("</style>", _STYLE + "</style>")


def _scores(results: Sequence[SystemResult]) -> Section:
    columns = zip(arrowed_names(results), *(cells for _, *cells in rows_of(results)), strict=True)
    rows = [[name, *(cell.replace(" [", "\n[") for cell in cells)] for name, *cells in columns]
    text = f'<div class="scores">{table(["", *(result.system.name for result in results)], rows)}</div>'
    told: dict[str, list[str]] = {}
    for result in results:
        for line in remarks(result):
            told.setdefault(line, []).append(result.system.name)
    lines = [line if len(names) == len(results) else f"{', '.join(names)}: {line}" for line, names in told.items()]
    lines += [f"{name} was not computed: {why}" for name, why in not_computed(results).items()]
    text += "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""
    return Section("Scores", "In brackets: 95 % bootstrap intervals. How each is computed stands at the end.", text)


def _distributions(results: Sequence[SystemResult]) -> Section:
    body = ""
    for name in score_names(results):
        values = {
            result.system.name: scored.values[np.isfinite(scored.values)]
            for result in results
            for scored in result.scored
            if scored.score.name == name and scored.values is not None
        }
        values = {system: own for system, own in values.items() if len(own)}
        if not values:
            continue
        ends = (min(own.min() for own in values.values()), max(own.max() for own in values.values()))
        figures = "".join(
            f"<figure>{_histogram(own, ends)}<figcaption>{escape(system)}: median {np.median(own):.3f}</figcaption>"
            "</figure>"
            for system, own in values.items()
        )
        body += f'<h3>{escape(name)}</h3><div class="row histograms">{figures}</div>\n'
    return Section("Distributions", "How the scores of single pairs are spread, on one scale for all systems.", body)


def _histogram(values: NDArray[np.float64], ends: tuple[float, float]) -> str:
    low, high = ends if ends[1] > ends[0] else (ends[0] - 0.5, ends[0] + 0.5)
    bins = int(np.clip(2 * math.sqrt(len(values)), *_BINS))
    counts, _ = np.histogram(values, bins, (low, high))
    step, tallest = _WIDTH / bins, max(int(counts.max()), 1)
    bars = "".join(
        f'<rect x="{k * step:.1f}" y="{_HEIGHT * (1 - count / tallest):.1f}" width="{step - 1:.1f}" '
        f'height="{_HEIGHT * count / tallest:.1f}"/>'
        for k, count in enumerate(counts.tolist())
        if count
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 16}" role="img" aria-label="histogram">{bars}'
        f'<line x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/><text x="0" y="{_HEIGHT + 13}">{low:.3g}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 13}" text-anchor="end">{high:.3g}</text></svg>'
    )


def _extremes(result: SystemResult, photos: Photos, ranked_by: str | None) -> list[Section]:
    """The best and the worst pairs of a system; none if no score is of single pairs."""
    candidates = [scored for scored in result.scored if scored.values is not None]
    chosen = next((scored for scored in candidates if scored.score.name == ranked_by), None)
    scored = chosen or next(iter(candidates), None)
    if scored is None or scored.values is None:
        return []
    order = np.argsort(scored.values if scored.score.higher else -scored.values, kind="stable")
    order = order[np.isfinite(scored.values[order])]
    best, worst = order[::-1][:SHOWN], order[:SHOWN]
    body = "".join(
        f"<h3>{title}</h3>{_pairs(result, photos, scored, chosen_pairs.tolist())}"
        for title, chosen_pairs in (("Best", best), ("Worst", worst))
    )
    lead = f"The {len(best)} best and worst pairs by {scored.score.name}: source, result, true photo."
    return [Section(result.system.name, lead, body)]


def _pairs(result: SystemResult, photos: Photos, scored: ScoredResult, indices: Sequence[int]) -> str:
    assert scored.values is not None
    figures = ""
    for index in indices:
        pair = result.pairs[index]
        caption = f"{scored.values[index]:.3f} · {pair.source or 'source unknown'} → {pair.target}"
        try:
            pictures = _pictures(result, photos, pair)
        except InputError as error:  # gone since it was scored
            pictures, caption = [], f"{caption}: {error}"
        shown = "".join(f'<img src="{_embedded(one)}" alt="{escape(text)}">' for text, one in pictures)
        figures += f'<figure><div class="panels">{shown}</div><figcaption>{escape(caption)}</figcaption></figure>'
    return f'<div class="row pairs">{figures}</div>\n'


def _pictures(result: SystemResult, photos: Photos, pair: Pair) -> list[tuple[str, NDArray[np.uint8]]]:
    target = photos.load(pair.target)
    source = None if pair.source is None else photos.load(pair.source)
    made = result.system.make(pair, source, target).image
    shown = [] if source is None else [("source", source.image)]
    return [*shown, ("result", made), ("true photo", target.image)]


def _embedded(picture: NDArray[np.uint8]) -> str:
    """The picture as part of the page; slightly compressed, for the eye only."""
    image = Image.fromarray(picture)
    scale = min(1.0, 2 * _TALLEST / image.height)
    if scale < 1:
        image = image.resize((math.ceil(image.width * scale), math.ceil(image.height * scale)))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def _provenance(results: Sequence[SystemResult]) -> Section:
    about = [
        (result.system.name, "; ".join(f"{key}: {value}" for key, value in result.system.about.items()))
        for result in results
    ]
    body = table(("score", "protocol", "pairs", "weights and versions"), provenance(results))
    return Section(
        "How it was measured",
        "Scores compare only under the same protocol and the same list of pairs, which the hash tells.",
        f'<div class="provenance">{body}{table(("system", "what it is"), about)}</div>',
    )


_STYLE = f"""
h3 {{ font-size: 1rem; margin: 18px 0 8px; }}
.scores td {{ white-space: pre; line-height: 1.35; }}
.histograms {{ gap: 18px; padding: 16px; display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); }}
svg {{ display: block; width: 100%; }} rect {{ fill: var(--accent); }} line {{ stroke: var(--soft); }}
text {{ fill: var(--soft); font-size: 12px; }}
.pairs {{ gap: 16px; padding: 16px; display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); }}
.panels {{ display: flex; gap: 4px; align-items: flex-start; }} .panels img {{ width: auto; min-width: 0; flex: 1 1 0;
  max-height: {_TALLEST}px; object-fit: contain; }}
.pairs figcaption {{ overflow-wrap: anywhere; font-size: .78rem; }}
.provenance td, .provenance th {{ text-align: left !important; font-size: .84rem; vertical-align: top; }}
main {{ max-width: 1180px; }} ul {{ color: var(--soft); }}
"""

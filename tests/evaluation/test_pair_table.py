"""The table of pairs on the page of results: what it holds, and how a browser sorts, filters and shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgen.evaluation import pair_table
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.measure import Job
from pgen.evaluation.methods import BASELINES, Baseline
from pgen.evaluation.pair_table import make_pair_table
from pgen.evaluation.photos import Pair, Photo, StorePhotos
from pgen.evaluation.report import Report
from pgen.evaluation.score import score_methods
from pgen.metrics.base import MetricOptions
from tests.data.examples import SIZE, write_store

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COUNT = 110


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("table")
    photos = StorePhotos(write_store(folder / "s.h5", count=COUNT + 1))
    pairs = [Pair(f"{k:03}.png", f"{k + 1:03}.png") for k in range(COUNT)]
    dark = Baseline("darker", {}, lambda source, target: Photo(source.image // 4 * 3))
    job = Job(photos, [dark, BASELINES["copy-source"]], MetricOptions(("psnr", "l1")), ScoreCache(folder / "c"))
    return Report(score_methods(job, pairs), photos, pairs)


def test_all_pairs_have_scores_and_the_best_and_worst_pictures(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_table, "PICTURED", 4)
    table = make_pair_table(report.results, report.photos, "l1")
    assert table is not None
    assert [score["name"] for score in table["scores"]] == ["psnr", "l1"]
    assert np.shape(table["values"]) == (2, 2, COUNT)
    errors = np.array(table["values"])[:, 1]
    assert set(table["pictures"]) >= {k for row in errors for k in (int(row.argmin()), int(row.argmax()))}
    assert len(table["pictures"]) == 4
    assert all(len(each["results"]) == 2 for each in table["pictures"].values())
    json.dumps(table, allow_nan=False)
    sets_only = [replace(result, scores=[replace(one, values=None) for one in result.scores]) for result in report]
    assert make_pair_table(sets_only, report.photos, None) is None


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    api = pytest.importorskip("playwright.sync_api", reason="needs the extra dev")
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(report.html(), "utf-8")
    with api.sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip("needs a browser: the package chromium, or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(60_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        yield page
        browser.close()
        assert not complaints


def read_column(page, number: int) -> list[float]:
    return [float(text) for text in page.locator(f"#table tbody tr td:nth-child({number})").all_inner_texts()]


def test_it_sorts_and_filters(page) -> None:
    status, psnr = page.locator("#count"), page.locator("[data-score='0']")
    assert status.inner_text() == f"{COUNT} of {COUNT} pairs"
    first = read_column(page, 2)
    assert (len(first), first) == (100, sorted(first, reverse=True))
    psnr.press("Enter")
    worst = read_column(page, 2)
    assert worst == sorted(worst)
    assert page.locator("#table th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.locator("#more").press("Enter")
    assert len(read_column(page, 2)) == COUNT
    assert page.evaluate("document.activeElement.sectionRowIndex") == 100
    page.locator("[data-score='1']").click()
    errors = read_column(page, 3)
    assert errors == sorted(errors)  # the best first, which is the lowest
    page.locator("#method").select_option("1")
    assert read_column(page, 3) != errors
    page.locator("#names").fill("012")
    assert status.inner_text().startswith("2 of")
    page.locator("#names").fill("")
    page.locator("#pictured").check()
    assert status.inner_text().startswith(f"{pair_table.PICTURED} of")
    middle = sorted(read_column(page, 3))[5]
    page.locator("#high").fill(str(middle))
    assert max(read_column(page, 3)) <= middle
    page.locator("#high").fill("")


def test_pairs_are_looked_at_in_full_size_by_the_keyboard(page) -> None:
    from playwright.sync_api import expect

    page.locator("#pictured").check()
    page.locator("#table tbody button").first.press("Enter")
    viewer, shown = page.locator("#viewer"), page.locator("#shown")
    expect(viewer).to_be_visible()
    titles = page.locator("#sizes figcaption strong").all_inner_texts()
    assert titles == ["source", "true photo", "darker", "copy-source"]
    assert page.locator("#sizes img").first.evaluate("image => [image.height, image.width]") == [*SIZE]
    first = shown.inner_text()
    page.keyboard.press("ArrowRight")
    expect(shown).not_to_have_text(first)
    following = shown.inner_text()
    assert re.fullmatch(r"\d+\.png → \d+\.png", following)
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page.locator(":focus")).to_contain_text(following)  # after an event of its own, not at once

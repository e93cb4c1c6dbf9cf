from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pgen.errors import InputError
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.measure import Job
from pgen.evaluation.methods import BASELINES, Baseline
from pgen.evaluation.photos import Pair, Photo, StorePhotos
from pgen.evaluation.report import Report, format_difference, list_remarks
from pgen.evaluation.score import hash_pairs, score_methods
from pgen.metrics.base import MetricOptions
from pgen.metrics.fid import Fid
from tests.data.examples import write_store


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    photos = StorePhotos(write_store(folder / "s.h5", count=8))
    pairs = [Pair(f"{k:03}.png", f"{k + 2:03}.png") for k in range(6)] + [Pair("000.png", "gone.png")]
    options = MetricOptions(("ssim", "psnr", "miou", "is"))
    cache = ScoreCache(folder / "c")
    names = ("label-paste", "copy-source")
    results = score_methods(Job(photos, [BASELINES[name] for name in names], options, cache), pairs)
    return Report(results, photos, pairs)


def test_every_score_has_its_protocol_beside_it(results: Report) -> None:
    data = json.loads(json.dumps(results.to_dict()))
    first, second = data["systems"]
    for score in first["scores"] + second["scores"]:
        assert score["protocol"]
        assert score["pairs"] == 6
        assert score["pairs_hash"] == first["pairs_hash"] == hash_pairs(results[0].pairs)
        assert score["versions"].keys() >= {"pgen", "torch"}
        assert score["low"] <= score["value"] <= score["high"]
    (reason,) = first["not_scored"]
    assert first["not_scored"][reason] == ["gone.png"]
    assert first["not_computed"].keys() == {"is", "miou"}
    assert second["not_computed"].keys() == {"is"}


def test_differences_are_from_the_first_system(results: Report) -> None:
    first, second = results.to_dict()["systems"]
    assert "difference_from" not in first
    found = second["difference_from"]
    assert found["system"] == "label-paste"
    values = [{score["name"]: score["value"] for score in system["scores"]} for system in (first, second)]
    difference = found["scores"]["ssim-legacy"]["value"]
    assert difference == pytest.approx(values[1]["ssim-legacy"] - values[0]["ssim-legacy"])


def test_scores_without_a_value_are_null_in_json(tmp_path: Path) -> None:
    photos = StorePhotos(write_store(tmp_path / "s.h5", count=3))
    pairs = [Pair("001.png", "000.png"), Pair("000.png", "001.png")]
    same = Baseline("same", {}, lambda source, target: Photo(target.image))  # whose PSNR is infinite
    dark = Baseline("darker", {}, lambda source, target: Photo(target.image // 4 * 3))
    job = Job(photos, [same, dark], MetricOptions(("psnr",)), ScoreCache(tmp_path / "c"))
    report = Report(score_methods(job, pairs), photos, pairs)
    first, second = json.loads(json.dumps(report.to_dict(), allow_nan=False))["systems"]
    assert first["scores"][0]["value"] is None
    assert second["difference_from"]["scores"]["psnr"] == {"value": None, "low": None, "high": None}
    assert not report.differences()


def test_only_pairs_with_scores_are_drawn(results: Report) -> None:
    assert Pair("000.png", "gone.png") in results.pairs
    assert (
        results.draw_examples(12).shape
        == Report(results.results, results.photos, results.pairs[:6]).draw_examples(12).shape
    )
    with pytest.raises(InputError, match="no sheet"):
        Report(results.results, results.photos, results.pairs[6:]).draw_examples()


def test_tables(results: Report) -> None:
    assert list(results.metrics()) == ["ssim-legacy", "psnr", "miou"]
    rows = results.rows()
    assert [row[0] for row in rows] == ["label-paste", "copy-source"]
    assert rows[0][3] == "–"
    assert rows[1][1].startswith(f"{results[1].scores[0].value:.3f} [")
    assert results.missing().keys() == {"miou (label-paste)", "is"}
    assert any("1 pairs not scored" in line and "gone.png" in line for line in list_remarks(results[0]))
    assert [name for name, *_ in results.provenance()] == list(results.metrics())


def test_intervals_of_unknown_people_are_told_to_be_too_narrow(results: Report) -> None:
    unknown = replace(results[0], groups=None)
    assert any("drawn one by one" in line for line in list_remarks(unknown))
    assert not any("drawn one by one" in line for line in list_remarks(replace(unknown, scores=[])))
    assert not any("drawn one by one" in line for line in list_remarks(results[0]))


def test_few_images_are_told_where_distances_of_sets_depend_on_their_number(results: Report) -> None:
    first = results[0]
    fid = Fid.__new__(Fid)  # without its network
    fid.name, fid.reference = "fid-test", "test"
    few = replace(first, scores=[replace(first.scores[0], metric=fid)])
    assert any("fid-test: too high with few images (6)" in line for line in list_remarks(few))
    many = replace(few, pairs=few.pairs * 1000, groups=None)
    assert not any("too high" in line for line in list_remarks(many))
    assert not any("too high" in line for line in list_remarks(first))


def test_markdown(results: Report) -> None:
    lines = results.markdown("pgen evaluate --data x.h5").splitlines()
    assert lines[0] == "| | ssim-legacy ↑ | psnr ↑ | miou ↑ |"
    assert lines[2].startswith("| label-paste | ")
    assert lines[3].count("|") == lines[0].count("|") == lines[1].count("|")
    assert any("6 pairs" in line and "`pgen evaluate --data x.h5`" in line for line in lines)
    assert any(line.startswith("- **ssim-legacy**: 8-bit RGB") for line in lines)


def test_it_prints_as_a_table(results: Report) -> None:
    lines = str(results).splitlines()
    assert lines[0].split() == ["label-paste", "copy-source"]
    assert [line.split()[0] for line in lines[1:]] == ["ssim-legacy", "psnr", "miou"]


def test_the_page_says_what_is_better(results: Report) -> None:
    score = results[0].scores[0]
    assert format_difference(score, 0.012, 0.004, 0.02) == "+0.012 [0.004, 0.020] better"
    assert format_difference(score, -0.012, -0.02, -0.004).endswith("worse")
    assert format_difference(score, 0.012, -0.004, 0.02).endswith("not certain")
    assert [row[0] for row in results.differences()] == ["ssim-legacy", "psnr"]
    assert "Differences from label-paste" in results.html()

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pgen.evaluation import report
from pgen.evaluation.cache import ScoreCache
from pgen.evaluation.methods import Pair, find_baseline
from pgen.evaluation.photos import StorePhotos
from pgen.evaluation.run import SystemResult, evaluate
from pgen.metrics.scores import Options
from tests.data.examples import write_store


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[SystemResult]:
    folder = tmp_path_factory.mktemp("report")
    photos = StorePhotos(write_store(folder / "s.h5", count=8))
    pairs = [Pair(f"{k:03}.png", f"{k + 2:03}.png") for k in range(6)] + [Pair("000.png", "gone.png")]
    options = Options(("ssim", "psnr", "miou", "is"))
    cache = ScoreCache(folder / "c")
    return [evaluate(find_baseline(name), photos, pairs, options, cache) for name in ("label-paste", "copy-source")]


def test_every_score_has_its_protocol_beside_it(results: list[SystemResult]) -> None:
    data = json.loads(json.dumps(report.to_data(results)))
    first, second = data["systems"]
    for score in first["scores"] + second["scores"]:
        assert score["protocol"]
        assert score["pairs"] == 6
        assert score["pairs_hash"] == first["pairs_hash"] == results[0].pair_hash()
        assert score["versions"].keys() >= {"pgen", "torch"}
        assert score["low"] <= score["value"] <= score["high"]
    (reason,) = first["not_scored"]
    assert first["not_scored"][reason] == ["gone.png"]
    assert first["not_computed"].keys() == {"is", "miou"}
    assert second["not_computed"].keys() == {"is"}


def test_differences_are_from_the_first_system(results: list[SystemResult]) -> None:
    first, second = report.to_data(results)["systems"]
    assert "difference_from" not in first
    found = second["difference_from"]
    assert found["system"] == "label-paste"
    values = [{score["name"]: score["value"] for score in system["scores"]} for system in (first, second)]
    difference = found["scores"]["ssim-legacy"]["value"]
    assert difference == pytest.approx(values[1]["ssim-legacy"] - values[0]["ssim-legacy"])


def test_tables(results: list[SystemResult]) -> None:
    assert report.score_names(results) == ["ssim-legacy", "psnr", "miou"]
    rows = report.rows_of(results)
    assert [row[0] for row in rows] == ["label-paste", "copy-source"]
    assert rows[0][3] == "–"
    assert rows[1][1].startswith(f"{results[1].scored[0].value:.3f} [")
    assert report.not_computed(results).keys() == {"miou (label-paste)", "is"}
    assert any("1 pairs not scored" in line and "gone.png" in line for line in report.remarks(results[0]))
    assert [name for name, *_ in report.provenance(results)] == report.score_names(results)


def test_few_images_are_told_where_distances_of_sets_depend_on_their_number(results: list[SystemResult]) -> None:
    first = results[0]
    frechet = replace(first.scored[0].score, name="fid-test", kind="frechet")
    few = replace(first, scored=[replace(first.scored[0], score=frechet)])
    assert any("fid-test: too high with few images (6)" in line for line in report.remarks(few))
    many = replace(few, pairs=few.pairs * 1000, groups=None)
    assert not any("too high" in line for line in report.remarks(many))
    assert not any("too high" in line for line in report.remarks(first))


def test_markdown(results: list[SystemResult]) -> None:
    lines = report.markdown(results, "pgen evaluate --data x.h5").splitlines()
    assert lines[0] == "| | ssim-legacy ↑ | psnr ↑ | miou ↑ |"
    assert lines[2].startswith("| label-paste | ")
    assert lines[3].count("|") == lines[0].count("|") == lines[1].count("|")
    assert any("6 pairs" in line and "`pgen evaluate --data x.h5`" in line for line in lines)
    assert any(line.startswith("- **ssim-legacy**: 8-bit RGB") for line in lines)

"""A new metric is one file and one import: what pgen/metrics/README.md says, done."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pgen.cli.main import main
from pgen.evaluation.run import evaluate
from pgen.metrics.base import DEFAULT_METRICS, METRICS
from tests.data.examples import write_store
from tests.howto import add_module, list_blocks, read_howto


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    source, line = list_blocks(read_howto("metrics", "How to add a metric"))
    metrics, default = dict(METRICS), list(DEFAULT_METRICS)
    add_module(source, monkeypatch)
    exec(line, {})
    yield
    METRICS.clear()
    METRICS.update(metrics)
    DEFAULT_METRICS[:] = default


@pytest.mark.usefixtures("module")
def test_a_metric_is_a_file_and_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = write_store(tmp_path / "s.h5", count=8)
    report = evaluate(store, baselines="copy-source", metrics=("psnr", "psnr-linear"), workers=1, cache=tmp_path / "c")
    assert list(report.metrics()) == ["psnr", "psnr-linear"]
    score = report[0].scores[1]
    assert np.isfinite([score.low, score.value, score.high]).all()
    assert score.low <= score.value <= score.high
    assert score.value != report[0].scores[0].value
    assert "RGB in linear light" in report.markdown()
    arguments = ["--data", str(store), "--baseline", "copy-source", "--metrics", "psnr-linear", "--workers", "1"]
    assert main(["evaluate", *arguments, "--no-cache", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["systems"][0]["scores"]
    assert found["value"] == score.value
    assert found["protocol"] == "RGB in linear light, in dB"
    assert "psnr-linear" in DEFAULT_METRICS


@pytest.mark.slow
def test_other_processes_know_a_caller_s_own_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_metric.py").write_text(
        "from pgen.metrics.base import register\n"
        "from pgen.metrics.pixels import L1\n\n\n"
        '@register("mine")\n'
        "class Mine(L1):\n"
        '    """L1, by another name."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("my_metric")
    try:
        store = write_store(tmp_path / "s.h5", count=8)
        report = evaluate(store, baselines="copy-source", metrics=("l1", "mine"), workers=2, cache=tmp_path / "c")
        first, second = report[0].scores
        assert first.value == second.value
    finally:
        del METRICS["mine"]
        DEFAULT_METRICS.remove("mine")

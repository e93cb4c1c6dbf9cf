"""A new metric is one file and one import: what pgen/metrics/README.md says, done with a file of a user's own."""

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

FILE = '''
"""Peak signal-to-noise ratio of light instead of pixel values."""

import torch
from torch import Tensor

from pgen.metrics.base import Batch, Metric, mean_rows, register


def to_light(images: Tensor) -> Tensor:
    """uint8 → [0, 1], sRGB's curve undone."""
    values = images.double() / 255
    return torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@register("psnr-linear")
class LinearPsnr(Metric):
    protocol = "RGB in linear light, in dB"
    higher_is_better = True

    def rows(self, batch: Batch) -> Tensor:
        squares = (to_light(batch.generated) - to_light(batch.target)).square().mean((1, 2, 3))
        return mean_rows(-10 * squares.log10())
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "psnr_linear.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    metrics, default = dict(METRICS), list(DEFAULT_METRICS)
    importlib.import_module("psnr_linear")  # the line
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

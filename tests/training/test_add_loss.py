"""A new loss of H_A: a file, a term and a line of a recipe. Here total variation, which keeps pictures smooth."""

from __future__ import annotations

import importlib
import shutil
from importlib import resources
from pathlib import Path

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.training import config
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance_objective import TERMS
from tests.training.people import painting

Samplers = tuple[PersonDataset, PersonDataset]

#: The file, pgen/losses/total_variation.py.
LOSS = '''
"""An addition to the paper: pictures change little from pixel to pixel."""

from torch import Tensor


def total_variation_loss(images: Tensor) -> Tensor:
    """|x[i+1] − x[i]| along rows and columns, a mean over pictures (B, 3, H, W)."""
    return images.diff(dim=2).abs().mean() + images.diff(dim=3).abs().mean()
'''

#: The line of pgen/training/recipes/pgen.toml, below [appearance.weights].
LINE = "total_variation = 0.5  # addition: pictures change little from pixel to pixel\n"


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "total_variation.py").write_text(LOSS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    total_variation_loss = importlib.import_module("total_variation").total_variation_loss

    # The term, in `TERMS`.
    monkeypatch.setitem(TERMS, "total_variation", lambda g: total_variation_loss(g.images))

    with resources.as_file(resources.files("pgen.training")) as files:
        for folder in ("presets", "recipes"):
            shutil.copytree(files / folder, tmp_path / folder)
    with (tmp_path / "recipes" / "pgen.toml").open("a", encoding="utf-8") as recipe:
        recipe.write(LINE)
    monkeypatch.setattr(config, "FILES", tmp_path)


def test_a_loss_is_added(samplers: Samplers, added: None, tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    task = painting(samplers, "appearance.schedule.steps=1")
    train(task, RunConfig(tmp_path / "run", {}), lambda step, values: rows.append(values))
    assert any(row.get("total_variation", 0) > 0 for row in rows)


def test_it_has_a_weight_like_the_others(samplers: Samplers, added: None) -> None:
    def losses(*settings: str, recipe: str = "pgen") -> dict[str, torch.Tensor]:
        task = painting(samplers, *settings, recipe=recipe)
        torch.manual_seed(0)
        return task.losses(task.sample(torch.Generator().manual_seed(0)).load(task.train))[0]

    once, twice = losses()["total_variation"], losses("appearance.weights.total_variation=1")["total_variation"]
    assert twice.item() == pytest.approx(2 * once.item(), rel=1e-5)
    assert "total_variation" not in losses("appearance.weights.total_variation=0")
    assert "total_variation" not in losses(recipe="paper")
    fields = {field.path: field for field in config.iter_fields(config.load_preset("synthetic-64"))}
    assert fields["appearance.weights.total_variation"].doc.startswith("addition: pictures change little")

"""A new loss of H_A: a file, a term and a line of a recipe. Here total variation, which keeps pictures smooth."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import pytest
import torch

from pgen.data.dataset import PersonDataset
from pgen.training import config
from pgen.training.config_fields import iter_fields
from pgen.training.loop import train
from pgen.training.run import RunConfig
from pgen.training.tasks.appearance_objective import TERMS
from tests.howto import add_entry, add_module, list_blocks, read_howto
from tests.training.people import painting

Samplers = tuple[PersonDataset, PersonDataset]


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = read_howto("losses", "How to add a loss")
    source, term = list_blocks(page)
    add_entry(term, TERMS, add_module(source, monkeypatch), monkeypatch)
    with resources.as_file(resources.files("pgen.training")) as files:
        for folder in ("presets", "recipes"):
            shutil.copytree(files / folder, tmp_path / folder)
    [line] = list_blocks(page, "toml")
    with (tmp_path / "recipes" / "pgen.toml").open("a", encoding="utf-8") as recipe:
        recipe.write(line)
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
    fields = {field.path: field for field in iter_fields(config.load_preset("synthetic-64"))}
    assert fields["appearance.weights.total_variation"].doc.startswith("addition: pictures change little")

from __future__ import annotations

import pytest
import torch

from pgen.errors import InputError
from pgen.models.appearance import AppearanceConfig, TwoLevelAppearanceGenerator
from pgen.models.published_weights import rename_published


@pytest.fixture(scope="module")
def published(golden) -> dict[str, torch.Tensor]:
    data = golden("appearance_generator")
    prefix = "state_dict/"
    return {n.removeprefix(prefix): torch.from_numpy(data[n]) for n in data.files if n.startswith(prefix)}


def test_golden_every_name_has_its_place(published: dict[str, torch.Tensor]) -> None:
    ours = rename_published(published)
    with torch.device("meta"):
        model = TwoLevelAppearanceGenerator(AppearanceConfig((4, 8, 16, 32, 32, 32), (2, 4)))
    assert len(ours) == len(published)
    assert {n: v.shape for n, v in ours.items()} == {n: v.shape for n, v in model.state_dict().items()}


def test_golden_prefix_of_parallel_training_is_dropped(published: dict[str, torch.Tensor]) -> None:
    ours = rename_published(published)
    wrapped = rename_published({f"module.{name}": value for name, value in published.items()})
    assert wrapped.keys() == ours.keys()
    assert all(wrapped[name] is ours[name] for name in ours)


@pytest.mark.parametrize(
    "name",
    [
        "model.0.weight",
        "model_global.encoder_app.net.0.weight.extra",
        "x.model_global.encoder_app.net.0.weight",
        "module.module.model_global.encoder_app.net.0.weight",
        "state",
        "",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError) as error:
        rename_published({name: torch.zeros(1)})
    assert repr(name) in str(error.value)
    assert "\n" not in str(error.value)

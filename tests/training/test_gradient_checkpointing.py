"""Features that are computed again for the gradient, instead of being kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.training.people import write_people
from tests.training.stages import builder


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.h5"
    write_people(path)
    return path


def take_gradients(people: Path, name: str, *settings: str) -> tuple[dict[str, Tensor], int]:
    """Gradients of a step, and how many bytes the networks' losses keep for them."""
    stage = builder(people)(name, *settings)
    stage.networks.train()
    stage.discriminators.requires_grad_(False)
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(3)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        losses, _ = stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))
    torch.stack(list(losses.values())).sum().backward()
    gradients = {key: p.grad for key, p in stage.networks.named_parameters() if p.grad is not None}
    return gradients, sum(kept.values())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("semantic", ("network.widths=[16, 32, 32, 32]",)),
        ("appearance", ("variant=e2e", "self_reconstruction=false", "network.local_widths=[2, 4]")),
    ],
    ids=["H_S", "H_A with H_S, there and back"],
)
def test_gradients_are_the_same_and_less_is_kept(people: Path, name: str, settings: tuple[str, ...]) -> None:
    settings = (*settings, "network.dropout=0.5")
    expected, much = take_gradients(people, name, *settings)
    found, little = take_gradients(people, name, *settings, "gradient_checkpointing=true")
    assert found.keys() == expected.keys()
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient, msg=key)
    assert any(gradient.any() for gradient in found.values())
    assert little < 0.8 * much

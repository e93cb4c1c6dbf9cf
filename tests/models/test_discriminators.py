from __future__ import annotations

import pytest
import torch

from pgen.models.discriminators import DiscriminatorConfig, PatchDiscriminator


def receptive_field(layers: int) -> tuple[int, int]:
    """Height and width of what one verdict in the middle depends on, by its gradient (norms would see it all)."""
    critic = PatchDiscriminator(DiscriminatorConfig(channels=1, width=2, layers=layers))
    for k, module in enumerate(critic.net):
        if isinstance(module, torch.nn.InstanceNorm2d):
            critic.net[k] = torch.nn.Identity()
    image = torch.randn(1, 1, 128, 128).requires_grad_()
    verdicts = critic(image)
    verdicts[0, 0, verdicts.shape[2] // 2, verdicts.shape[3] // 2].backward()
    assert image.grad is not None
    rows, columns = image.grad[0, 0].nonzero(as_tuple=True)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize(("layers", "field"), [(3, 70), (2, 34)])
def test_receptive_field(layers: int, field: int) -> None:
    assert receptive_field(layers) == (field, field)


def test_default_is_the_paper_s() -> None:
    assert (DiscriminatorConfig().layers, DiscriminatorConfig().width, DiscriminatorConfig().norm) == (
        3,
        64,
        "instance",
    )


@pytest.mark.parametrize("norm", ["instance", "sample"])
def test_a_verdict_a_patch(norm: str) -> None:
    critic = PatchDiscriminator(DiscriminatorConfig(channels=5, width=4, norm=norm))
    verdicts = critic(torch.randn(2, 5, 64, 32))
    assert verdicts.shape == (2, 1, 6, 2)
    assert verdicts.dtype == torch.float32
    verdicts.sum().backward()
    assert all(p.grad is not None for p in critic.parameters())


def test_an_unknown_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="batch"):
        DiscriminatorConfig(norm="batch")

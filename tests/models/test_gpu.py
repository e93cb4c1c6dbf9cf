"""Networks on a GPU compute what they compute on the CPU; and what these tests run is run on the CPU everywhere."""

from __future__ import annotations

import pytest
import torch

from pgen.models.registry import MODELS
from tests.models.every_network import CONFIGS, compute, full_precision, prepare_generator

NAMES = (*CONFIGS, "perceptual")
GENERATORS = ("semantic", "appearance, one level")


def test_every_kind_of_network_is_among_them() -> None:
    kinds = {(name.partition(",")[0], config.kind) for name, config in CONFIGS.items()}
    assert kinds == {(role, kind) for role, its in MODELS.items() for kind in its}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_compared_is_the_same_again(name: str) -> None:
    first, again = (compute(name, "cpu") for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert first[0].std() > 0
    assert first[1].any()


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_run_on_prepared_inputs(name: str) -> None:
    forward, network = prepare_generator(name, "cpu")
    with full_precision():
        assert torch.equal(forward(), forward())
    forward().square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu_as_on_the_cpu(name: str) -> None:
    with full_precision():
        both = compute(name, "cuda"), compute(name, "cpu")
    for found, expected in zip(*both, strict=True):
        scale = expected.abs().max().item()
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * scale)


@pytest.mark.gpu
@pytest.mark.parametrize("name", GENERATORS)
def test_generators_do_not_wait_for_the_gpu(name: str) -> None:
    """Neither forward nor backward, once geometry is planned: plans have as many points as parts cover."""
    forward, network = prepare_generator(name, "cuda")
    forward().square().mean().backward()  # libraries are loaded
    network.zero_grad(set_to_none=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        forward().square().mean().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")

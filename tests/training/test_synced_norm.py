from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from torch import nn

from pgen.training.synced_norm import SyncedBatchNorm2d, convert_batch_norms


@pytest.fixture
def alone() -> Iterator[None]:
    """A group of one process; in two it is tested by `test_processes`."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4, eps=1e-3, momentum=0.3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(norm, nn.ReLU()))


def test_it_does_what_batch_norm_does(alone: None) -> None:
    plain, other = network(), network()
    convert_batch_norms(other)
    assert [type(module) for module in other.modules()].count(SyncedBatchNorm2d) == 1
    assert list(plain.state_dict()) == list(other.state_dict())
    for mode in (True, True, False):
        images = torch.randn(3, 3, 8, 8)
        outputs = [one.train(mode)(images) for one in (plain, other)]
        torch.testing.assert_close(*outputs)
        for output in outputs:
            output.square().mean().backward()
        for one, another in zip(plain.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(one.grad, another.grad)
        for one, another in zip(plain.buffers(), other.buffers(), strict=True):
            torch.testing.assert_close(one, another)


def test_under_autocast_statistics_are_exact(alone: None) -> None:
    norm = nn.Sequential(nn.BatchNorm2d(2))
    convert_batch_norms(norm)
    images = 100 + torch.randn(4, 2, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = norm(images.bfloat16())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(norm[0].running_mean, 0.1 * images.bfloat16().float().mean((0, 2, 3)))

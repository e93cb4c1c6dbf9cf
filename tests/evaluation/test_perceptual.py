from __future__ import annotations

import torch
import torch.nn.functional as F

from pgen.evaluation.perceptual import VggDistance
from tests.evaluation.pictures import pictures


def test_it_is_lpips_formula_on_three_layers() -> None:
    """Written out again from the definition."""
    distance = VggDistance()
    generated, target = pictures(3, (32, 24))
    network, expected = distance.network, torch.zeros(3)
    levels: list[list[torch.Tensor]] = [[], [], []]
    for images in (generated, target):
        x = (images / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
            [0.229, 0.224, 0.225]
        ).view(3, 1, 1)
        for level, name in enumerate(("0", "2", "5")):
            x = F.relu(network.features[name](F.max_pool2d(x, 2) if name == "5" else x))
            levels[level].append(F.normalize(x))
    for a, b in levels:
        expected += (a - b).square().sum(1).mean((1, 2)) / 3
    torch.testing.assert_close(distance(generated, target).float(), expected, atol=1e-5, rtol=1e-4)
    assert (distance(target, target) == 0).all()
    torch.testing.assert_close(distance(generated / 127.5 - 1, target / 127.5 - 1), distance(generated, target))


def test_more_blur_is_further_away() -> None:
    _, target = pictures(4, (64, 64))
    distance = VggDistance()
    blurred = [F.avg_pool2d(target.float(), k, 1, k // 2, count_include_pad=False).byte() for k in (3, 5, 9)]
    found = torch.stack([distance(one, target) for one in blurred])
    assert (found[1:] > found[:-1]).all()

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
import torch
import torch.nn.functional as F

from pgen.errors import InputError
from pgen.metrics.base import UnavailableError
from pgen.metrics.lpips import Lpips
from pgen.metrics.st_lpips import ShiftTolerantLpips
from pgen.metrics.vgg_distance import MeanVggFeatures, VggDistance
from tests.models.pictures import pictures


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


def test_more_blur_is_further_away() -> None:
    _, target = pictures(4, (64, 64))
    distance = VggDistance()
    blurred = [F.avg_pool2d(target.float(), k, 1, k // 2, count_include_pad=False).byte() for k in (3, 5, 9)]
    found = torch.stack([distance(one, target) for one in blurred])
    assert (found[1:] > found[:-1]).all()


def test_means_are_of_images_of_at_most_256_pixels_a_side() -> None:
    """Whether their distance has been asked for before or not."""
    large, same = pictures(2, (300, 200))
    small = F.interpolate(large, (256, 171), mode="bilinear", antialias=True, align_corners=False)
    features = MeanVggFeatures()
    for network in (None, VggDistance()):
        if network is not None:
            network(large, same)
        found = features.seen.describe(large, features)
        torch.testing.assert_close(
            found, features(small), atol=2e-3, rtol=1e-3
        )  # bytes are rounded, what it scales is not
    assert features(small).shape == (2, 256)


@pytest.mark.gpu
@pytest.mark.parametrize("size", [(64, 64), (300, 200)])
def test_means_on_a_gpu_are_those_on_the_cpu(size: tuple[int, int]) -> None:
    images, _ = pictures(2, size)
    found = MeanVggFeatures().to("cuda")(images.to("cuda")).cpu()
    torch.testing.assert_close(found, MeanVggFeatures()(images), atol=5e-3, rtol=5e-3)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under torchvision's names."""
    from torchvision.models import alexnet

    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = alexnet(weights=None).features.state_dict()
    torch.save({f"features.{name}": value for name, value in state.items()}, path)
    return path


def test_lpips_equals_the_library(alexnet: Path) -> None:
    """The library itself, given the same weights in place of those that it would download."""
    import lpips
    from torchvision import models

    network = models.alexnet(weights=None)
    network.load_state_dict(torch.load(alexnet, weights_only=True), strict=False)
    with mock.patch.object(models, "alexnet", return_value=network):
        library = lpips.LPIPS(net="alex", verbose=False)
    generated, target = pictures(5, (64, 48))
    expected = library(generated / 127.5 - 1, target / 127.5 - 1).flatten()
    assert expected.std() > 1e-4
    torch.testing.assert_close(Lpips(alexnet)(generated, target), expected.detach().double(), atol=1e-6, rtol=1e-5)


def test_lpips_without_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import AlexNet_Weights

    assert AlexNet_Weights.IMAGENET1K_V1.url == Lpips.url
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(UnavailableError, match="AlexNet"):
        Lpips()
    torch.save({"features.0.weight": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="not the weights of torchvision's AlexNet"):
        Lpips(tmp_path / "w.pth")


def test_st_lpips_is_small_for_shifts() -> None:
    """Its own weights: nothing between equal images, less for a shift than for noise, the same in a batch and alone."""
    distance = ShiftTolerantLpips()
    _, target = pictures(3, (96, 96))
    noisy = (target + torch.randint(0, 90, target.shape, dtype=torch.uint8)).clamp(0, 255)
    same, shifted, far = (distance(one, target) for one in (target, target.roll(1, 3), noisy))
    assert (same == 0).all()
    assert (shifted < far).all()
    torch.testing.assert_close(distance(noisy[1:2], target[1:2]), far[1:2])


def test_st_lpips_with_other_weights(alexnet: Path) -> None:
    with pytest.raises(InputError, match="not the weights of ST-LPIPS"):
        ShiftTolerantLpips(alexnet)

from __future__ import annotations

import skimage.data
import torch
import torchvision
from torch import Tensor

from pgen.data.weights import bundled_path, read_state_dict
from pgen.models.vgg import IMAGENET_MEAN, IMAGENET_STD, VggFeatures


def test_equals_torchvision_s_relu2_1() -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        reference = torchvision.models.vgg16(weights=None).features[:7]  # to relu2_1
    reference = reference.to_empty(device="cpu")
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    features = VggFeatures()
    features.features.load_state_dict(reference.state_dict())
    image = torch.rand(2, 3, 32, 20)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    expected = reference((image - mean) / std)
    assert expected.shape == (2, 128, 16, 10)
    torch.testing.assert_close(features(image * 2 - 1), expected, atol=1e-4, rtol=1e-4)


def test_frozen_but_transparent_for_gradients() -> None:
    features = VggFeatures()
    image = torch.rand(1, 3, 16, 16).requires_grad_()
    features(image).sum().backward()
    assert image.grad is not None
    assert image.grad.any()
    assert not any(p.requires_grad for p in features.parameters())


def bundled_features(image: Tensor) -> Tensor:
    network = VggFeatures()
    network.load_state_dict(
        {k: v.float() for k, v in read_state_dict(bundled_path("vgg16_relu2_1.safetensors")).items()}
    )
    return network(image)


def test_bundled_layers_see_a_picture_at_torchvision_s_scale() -> None:
    """With torchvision's weights relu2_1 of natural pictures is about 0.5 to 2 on average, and sparse."""
    picture = torch.from_numpy(skimage.data.astronaut()[:128, 150:278].copy()).permute(2, 0, 1)[None].float()
    found = bundled_features(picture / 127.5 - 1)
    assert 0.2 < found.mean() < 3.0
    assert 0.2 < (found == 0).float().mean() < 0.9
    assert (found.amax((0, 2, 3)) > 0).float().mean() > 0.7  # few dead channels
    plain = bundled_features(torch.zeros(1, 3, 32, 32))
    assert plain[..., 4:-4, 4:-4].std((2, 3)).max() < 1e-3  # the same everywhere, where nothing is to be seen

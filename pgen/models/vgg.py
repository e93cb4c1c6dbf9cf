"""VGG-16 up to relu2_1: the features of the content and style losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: ImageNet's mean and standard deviation of RGB in [0, 1], as torchvision's weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VggFeatures(nn.Module):
    """relu2_1 of VGG-16: image (B, 3, H, W) in [−1, 1] → features (B, 128, H/2, W/2). Frozen.

    The state dict has the names of ``torchvision.models.vgg16().features``: 0 (conv1_1), 2 (conv1_2), 5 (conv2_1).
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        sizes = {"0": (3, 64), "2": (64, 64), "5": (64, 128)}
        self.features = nn.ModuleDict({name: nn.Conv2d(*channels, 3, padding=1) for name, channels in sizes.items()})
        # From [−1, 1]: ((x + 1) / 2 − mean) / std.
        self.register_buffer("mean", 2 * torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) - 1, persistent=False)
        self.register_buffer("std", 2 * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)[-1]

    def layers(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """relu1_1, relu1_2 and relu2_1."""
        first = F.relu(self.features["0"]((image - self.mean) / self.std))
        second = F.relu(self.features["2"](first))
        return first, second, F.relu(self.features["5"](F.max_pool2d(second, 2)))

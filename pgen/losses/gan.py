"""Adversarial losses: least-squares GAN, of images and faces (SPT, section 3.2), and of parsing maps (section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def gan_real_loss(logits: Tensor) -> Tensor:
    """(D(x) − 1)²: logits (B, 1, H, W) of what is real, or is to be taken for it."""
    return (logits - 1).square().mean()


def gan_fake_loss(logits: Tensor) -> Tensor:
    """D(x)²: logits (B, 1, H, W) of what is generated."""
    return logits.square().mean()


def discriminator_losses(
    discriminators: nn.ModuleDict, judged: Mapping[str, tuple[Tensor, Tensor]]
) -> dict[str, Tensor]:
    """(D(real) − 1)² + D(fake)² of each discriminator, by its name; ``judged`` holds what it looks at: real, fake."""
    result = {}
    for name, (real, fake) in judged.items():
        logits = discriminators[name](torch.cat([real, fake]).contiguous(memory_format=torch.channels_last))
        result[f"{name}_discriminator"] = gan_real_loss(logits[: len(real)]) + gan_fake_loss(logits[len(real) :])
    return result

"""Content loss: what is in a picture, not how its pixels are (SPT, section 3.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def content_loss(generated: Tensor, original: Tensor) -> Tensor:
    """‖Φ(generated) − Φ(original)‖², a mean, of relu2_1 features of VGG-16 (B, 128, h, w)."""
    return F.mse_loss(generated.float(), original.float())

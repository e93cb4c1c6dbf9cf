"""Pose loss: does a frozen detector find the pose that was asked for (SPT, section 3.2)?"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pose_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """‖P(image) − heatmaps(pose)‖², a mean, of heatmaps (B, 18, h, w)."""
    return F.mse_loss(found, wanted)

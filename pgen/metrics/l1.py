"""Mean absolute difference."""

from __future__ import annotations

from torch import Tensor

from pgen.metrics.base import Batch, Metric, mean_rows, register
from pgen.metrics.psnr import pixel_differences


def l1(generated: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of each pair of uint8 images (B, 3, H, W), of values in [0, 1]: float64 (B,)."""
    return pixel_differences(generated, target).abs().mean((1, 2, 3)) / 255


@register("l1")
class L1(Metric):
    protocol = "mean absolute difference of RGB in [0, 1]"
    higher_is_better = False

    def rows(self, batch: Batch) -> Tensor:
        return mean_rows(l1(batch.generated, batch.target))

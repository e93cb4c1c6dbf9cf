"""PatchGAN discriminators: one logit a patch, real or generated."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from pgen.models.layers import SampleNorm
from pgen.models.limits import check_sizes


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes of a PatchGAN. The defaults see 70×70 pixels, as in the paper."""

    channels: int = 12  #: of the input: image 3 + parsing 9 for D_A, parsing 10 + pose mask 1 for D_S, 3 for faces
    width: int = 64  #: channels of the first layer, doubled by each further one up to 8 times
    layers: int = 3  #: layers of stride 2
    norm: str = "instance"  #: "instance" as in the paper, or "sample": over (C, H, W) jointly, steadier when small
    kind: str = "patch"  #: the only one in the package

    def __post_init__(self) -> None:
        check_sizes(self)
        if self.norm not in ("instance", "sample"):
            raise ValueError(f'norm is "instance" or "sample", not "{self.norm}"')


class PatchDiscriminator(nn.Module):
    """(B, C, H, W) → logits (B, 1, H', W'), trained towards 1 for real and 0 for generated (least squares)."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config

        def norm(width: int) -> nn.Module:
            return nn.InstanceNorm2d(width) if config.norm == "instance" else SampleNorm()

        width = config.width
        layers: list[nn.Module] = [nn.Conv2d(config.channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for k in range(1, config.layers + 1):
            wider = config.width * min(2**k, 8)
            stride = 2 if k < config.layers else 1
            layers += [nn.Conv2d(width, wider, 4, stride, padding=1), norm(wider), nn.LeakyReLU(0.2)]
            width = wider
        self.net = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).float()

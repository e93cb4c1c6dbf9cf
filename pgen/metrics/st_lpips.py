"""ST-LPIPS: a perceptual distance that small shifts hardly change (Ghildyal and Liu 2022). Its weights come with it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from pgen.data.weights import read_state_dict
from pgen.metrics.base import register
from pgen.metrics.lpips import DistanceMetric, Lpips
from pgen.metrics.networks import find_in_package

#: The package that holds code and weights (BSD-2-Clause).
PACKAGE = "stlpips_pytorch"

# Aids of its authors that it imports, does not say that it needs, and does not use.
_UNUSED = {"IPython": "embed", "torchsummary": "summary"}


class ShiftTolerantLpips(Lpips):
    """ST-LPIPS of two batches of images, on AlexNet whose layers were made tolerant of shifts."""

    title, weights_name, libraries, smallest = "ST-LPIPS", "ST-LPIPS", (PACKAGE,), 21
    weights_option = None

    def build(self) -> nn.Module:
        absent = [name for name in _UNUSED if find_spec(name) is None]
        for name in absent:
            sys.modules[name] = ModuleType(name)
            setattr(sys.modules[name], _UNUSED[name], None)
        try:
            from stlpips_pytorch.stlpips import LPIPS
        finally:
            for name in absent:
                del sys.modules[name]
        network: nn.Module = LPIPS(net="alex", variant="shift_tolerant", pretrained=False, verbose=False)
        state = read_state_dict(self.path)
        network.load_state_dict({name: state[name] for name, _ in network.named_parameters()}, strict=False)
        return network.to(memory_format=torch.channels_last)

    @classmethod
    def find_weights(cls, fetch: bool) -> Path:
        return find_in_package(PACKAGE, cls.title, "weights", "vST0.0", "alex_shift_tolerant.pth")


@register("st-lpips")
class StLpips(DistanceMetric):
    protocol = "ST-LPIPS on shift-tolerant AlexNet, RGB in [−1, 1], images as they are; no LPIPS, compare with its own"
    network_class = ShiftTolerantLpips

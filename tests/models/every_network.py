"""Every network of the package on people in a small frame, on any device: what one device computes and another should.

Networks and inputs are made on the CPU, from fixed seeds, so that devices get the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pgen.body.batch import PersonBatch
from pgen.body.transfer import Transfer
from pgen.data.pretrained import load_vgg_features
from pgen.models.appearance import AppearanceConfig, paint
from pgen.models.parser import ParserConfig, ParserInput
from pgen.models.pose_detector import PoseDetectorConfig
from pgen.models.registry import build_network, default_config
from pgen.models.semantic import SemanticConfig, predict_parsing
from tests.models.people import views

SIZE = (64, 64)

CONFIGS = {
    "semantic": SemanticConfig((4, 8, 8), 2, warped_parsing=True, limb_maps=True),
    "appearance, two levels": AppearanceConfig((4, 8, 8, 8), (2, 4), 2, guide_channels=4, blend=True),
    "appearance, one level": AppearanceConfig((4, 8, 8, 8), (), 2),
    "appearance, by label": AppearanceConfig((4, 8, 8, 8), (), 3, guide_channels=4, label_aware_levels=2),
    "pose, light": PoseDetectorConfig("light", 4),
    "pose, resnet": PoseDetectorConfig("resnet", 4, 1),
    "parser": ParserConfig((8, 8, 8), (1, 1, 1), carried=True),
    "discriminator": default_config("discriminator", "patch"),
}


@contextmanager
def full_precision() -> Iterator[None]:
    """While the block runs, GPUs multiply float32 with all of its bits, and not in TF32, which has ten."""
    cudnn, matmul = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = cudnn
        torch.set_float32_matmul_precision(matmul)


def transfer_of(people: PersonBatch) -> Transfer:
    """Each of two people in the other's pose."""
    return Transfer(people.poses, people.poses.flip(0), people.size)


def build(name: str) -> nn.Module:
    """The network of one of `CONFIGS`, or the perceptual one, which is none of `MODELS`."""
    torch.manual_seed(0)
    if name == "perceptual":
        return load_vgg_features()[0]
    network: nn.Module = build_network(name.partition(",")[0], CONFIGS[name])
    return network.eval()


def run(name: str, network: nn.Module, people: PersonBatch) -> Tensor:
    """What a network makes of ``people``, on their device."""
    images, whole = people.images, torch.ones(len(people.labels), dtype=torch.bool, device=people.labels.device)
    match name.partition(",")[0]:
        case "semantic":
            return predict_parsing(network, people, transfer_of(people))  # type: ignore[arg-type]
        case "appearance":
            parsing = people.one_hot().flip(0)
            return paint(network, people, transfer_of(people), parsing, correct_colors=True)  # type: ignore[arg-type]
        case "parser":
            return network(ParserInput(images, people.poses, (people.labels > 0).float()[:, None], whole))
        case "discriminator":
            return network(torch.cat([images, people.one_hot()[:, 1:]], 1))
        case _:
            return network(images)


def compute(name: str, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """What the network makes, and its gradient by the people's images or its own first parameter; on the CPU."""
    network = build(name).to(device).to(memory_format=torch.channels_last)
    people = views(SIZE).apply(lambda tensor: tensor.to(device))
    people.images.requires_grad_()
    found = run(name, network, people)
    found.square().mean().backward()
    gradient = people.images.grad
    if gradient is None:  # H_S sees no colors
        gradient = next(parameter.grad for parameter in network.parameters() if parameter.grad is not None)
    return found.detach().cpu(), gradient.cpu()


def prepare_generator(name: str, device: torch.device | str) -> tuple[Callable[[], Tensor], nn.Module]:
    """A generator, and its forward pass: what is left to do when geometry is planned and inputs are there."""
    network = build(name).to(device).to(memory_format=torch.channels_last)
    people = views(SIZE).apply(lambda tensor: tensor.to(device))
    seen: list[object] = []
    handle = network.register_forward_pre_hook(lambda _, given: seen.extend(given))
    run(name, network, people)
    handle.remove()
    (inputs,) = seen
    for warp in inputs.warps:  # type: ignore[attr-defined]
        _ = warp.transpose  # planned with the rest
    return lambda: network(inputs), network

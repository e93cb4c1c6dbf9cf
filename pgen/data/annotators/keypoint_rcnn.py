"""Poses by torchvision's keypoint R-CNN, where its weights are given or can be fetched."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pgen.body.joints import JOINT_COUNT, Joint, known_joints
from pgen.data.annotators.interface import FoundPerson
from pgen.data.formats.pose_coco import COCO_JOINTS
from pgen.data.pretrained import find_cached_weights
from pgen.data.weights import read_state_dict
from pgen.errors import InputError

_SURE = 0.7  # score from which a box is a person
_SEEN = 2.0  # logit of the heat map from which a joint is seen


class KeypointRCNN:
    """A `PoseAnnotator` that finds all people at once. Slow without a GPU; gives no silhouettes.

    Args:
        weights: a state dict of torchvision's ``keypointrcnn_resnet50_fpn`` (.pth, loaded without executing anything in
            it, or .safetensors); None takes those in torch's cache, or fetches them (226 MB, once).

    Raises:
        InputError: the file is damaged or holds other weights, or there are none to be had.
    """

    name = "keypoint R-CNN"

    def __init__(self, weights: str | os.PathLike[str] | None = None) -> None:
        path = Path(weights) if weights is not None else _find_weights()
        network = build_keypoint_rcnn()
        try:
            network.load_state_dict(read_state_dict(path))
        except RuntimeError:
            raise InputError(
                f"{path}: no weights of torchvision's keypointrcnn_resnet50_fpn; give such a file, or another annotator"
            ) from None
        self._network, self._device = network.eval(), torch.device("cpu")

    def to(self, device: torch.device) -> None:
        """Run on ``device`` from now on; at first it is the CPU."""
        self._network.to(device)
        self._device = device

    def people(self, image: NDArray[np.uint8]) -> list[FoundPerson]:
        """The people in a photo, the largest first."""
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            found = self._network([pixels])[0]
        sure = (found["scores"] >= _SURE).cpu().numpy()
        joints = found["keypoints"].cpu().numpy()[sure]
        logits = found["keypoints_scores"].cpu().numpy()[sure]
        size = (image.shape[0], image.shape[1])
        people = [_to_person(places, its, size) for places, its in zip(joints, logits, strict=True)]
        return sorted(people, key=lambda person: -person.extent)


def build_keypoint_rcnn() -> nn.Module:
    """torchvision's network as its COCO weights need it: normalisation frozen, without epsilon."""
    from torchvision.models.detection import KeypointRCNN as Network
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d

    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=0
    )
    network: nn.Module = Network(backbone, num_classes=2, num_keypoints=len(COCO_JOINTS))
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0
    return network


def _to_person(places: NDArray[np.float32], logits: NDArray[np.float32], size: tuple[int, int]) -> FoundPerson:
    """A person of COCO's 17 joints (17, 3) and their logits (17,)."""
    flat = np.concatenate([places[:, :2] - 0.5, logits[:, None]], axis=1)  # torchvision's pixel centres are at .5
    inside = ((flat[:, :2] >= 0) & (flat[:, :2] <= (size[1] - 1, size[0] - 1))).all(1)
    seen = inside & (logits > _SEEN)
    pose, trust = np.full((JOINT_COUNT, 2), np.nan), np.zeros(JOINT_COUNT)
    pose[list(COCO_JOINTS)] = np.where(seen[:, None], flat[:, :2], np.nan)
    trust[list(COCO_JOINTS)] = 1 / (1 + np.exp(-logits))
    shoulders = [Joint.L_SHOULDER, Joint.R_SHOULDER]
    pose[Joint.NECK], trust[Joint.NECK] = pose[shoulders].mean(0), trust[shoulders].min()
    confidence = np.where(known_joints(pose), trust, 0)
    return FoundPerson(pose.astype(np.float32), confidence.astype(np.float32))


def _find_weights() -> Path:
    """torchvision's weights in torch's cache, downloaded first if possible."""
    from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

    url = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.url
    file = find_cached_weights(url, fetch=True)
    if file is None:
        name, folder = url.rpartition("/")[2], Path(torch.hub.get_dir()) / "checkpoints"
        raise InputError(
            f"the weights of keypoint R-CNN are not here and cannot be fetched; put {name} into {folder}, or name it: "
            "keypointrcnn:FILE.pth"
        )
    return file

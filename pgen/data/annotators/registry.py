"""Which annotators there are. A new one is a class as `pgen.data.annotators.interface` says, and a line here.

The class is called with the weights that stand behind the name and a colon, as in "keypointrcnn:FILE.pth", or None. It
raises `InputError`, with the remedy, where a package that it needs is not installed. Where it can run on GPUs, it has a
method ``to`` for the device, as networks have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgen.errors import InputError
from pgen.runtime.device import choose_device
from pgen.runtime.lazy_object import Place, load_object

#: By name, each a `PoseAnnotator`.
POSE_ANNOTATORS: dict[str, Place] = {
    "mediapipe": "pgen.data.annotators.mediapipe_pose:MediapipePose",
    "keypointrcnn": "pgen.data.annotators.keypoint_rcnn:KeypointRCNN",
}

#: By name, each a `ParsingAnnotator`.
PARSING_ANNOTATORS: dict[str, Place] = {
    "pgen": "pgen.data.annotators.own_parser:OwnParser",
    "segformer": "pgen.data.annotators.segformer:SegFormer",
}


def find_annotator(registry: Mapping[str, Place], spec: str, option: str) -> tuple[str, str | None]:
    """Name and weights of "NAME" or "NAME:WEIGHTS". Raises `InputError` about ``option`` if there is no such name."""
    name, _, weights = spec.partition(":")
    if name not in registry:
        raise InputError(f"there is no annotator {name!r}; choose one of {', '.join(registry)}", option=option)
    return name, weights or None


def load_annotator(registry: Mapping[str, Place], name: str, weights: str | None, device: str = "cpu") -> Any:
    """The annotator of that name, loaded; it runs on ``device``, as `choose_device` knows it, if it can."""
    annotator = load_object(registry[name])(weights)
    if hasattr(annotator, "to"):
        annotator.to(choose_device(device))
    return annotator

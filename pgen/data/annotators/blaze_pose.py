"""Looks at parts of a photo, each of which finds one person: MediaPipe's pose network."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import CropBox
from pgen.data.annotators.landmarks import Landmarks
from pgen.data.annotators.quiet import silence_native_output
from pgen.errors import InputError

# Of its three models, the one that comes inside the package: the others would be downloaded.
_COMPLEXITY = 1

# What it logs below Python, where Python's settings do not reach.
_SILENT = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3", "ABSL_MIN_LOG_LEVEL": "3"}


class BlazePose:
    """One look at a picture gives the landmarks of one person. Not to be shared by threads."""

    def __init__(self) -> None:
        for name, value in _SILENT.items():
            os.environ.setdefault(name, value)
        warnings.filterwarnings("ignore", module=r"google\.protobuf\.symbol_database")  # said at every look
        with silence_native_output():
            try:
                from mediapipe.python.solutions import pose
            except ModuleNotFoundError as error:
                raise InputError(
                    f"the mediapipe that is installed cannot be used, it lacks {error.name}; install the version that "
                    "fits: pip install 'pgen[photo]'"
                ) from None
            self._pose = pose.Pose(static_image_mode=True, model_complexity=_COMPLEXITY, enable_segmentation=True)
            self.look(np.zeros((64, 64, 3), np.uint8))  # starts it, with all that it has to say

    def look(self, image: NDArray[np.uint8]) -> Landmarks | None:
        """The person whom it sees best in ``image``, uint8 (H, W, 3) RGB; None if it sees nobody."""
        height, width = image.shape[:2]
        found = self._pose.process(np.ascontiguousarray(image))
        if found.pose_landmarks is None or found.segmentation_mask is None:
            return None
        marks = found.pose_landmarks.landmark
        return Landmarks(
            np.array([(mark.x * width - 0.5, mark.y * height - 0.5) for mark in marks]),
            np.array([(mark.x, mark.y, mark.z) for mark in found.pose_world_landmarks.landmark]),
            np.array([mark.visibility for mark in marks]),
            np.array(found.segmentation_mask, dtype=np.float32),
        )


@dataclass(frozen=True)
class Look:
    """One look at a part of a photo."""

    box: CropBox
    longest: int  # what it is scaled to, longer side at most, in pixels
    padding: float  # around it, as a share of the longer side
    mirror: bool = False

    def find(self, image: NDArray[np.uint8], network: BlazePose) -> Landmarks | None:
        """The person whom ``network`` sees in it, in the pixels of ``image``."""
        box = self.box
        part = box.of(image)
        height, width = part.shape[:2]
        part = reduce(part, self.longest)
        seen = get_size(part)
        border = round(self.padding * max(seen))
        part = np.pad(part, ((border, border), (border, border), (0, 0)), mode="edge")
        found = network.look(part[:, ::-1] if self.mirror else part)
        if found is None:
            return None
        found = found.mirror() if self.mirror else found
        silhouette = np.zeros(image.shape[:2], dtype=np.float32)
        inner = found.silhouette[border : border + seen[0], border : border + seen[1]]
        silhouette[box.top : box.bottom, box.left : box.right] = np.asarray(
            Image.fromarray(np.ascontiguousarray(inner)).resize((width, height), Image.Resampling.BILINEAR)
        )
        to_photo = np.array((width / seen[1], height / seen[0]))
        points = (found.points - border + 0.5) * to_photo - 0.5 + box.corner
        return replace(found, points=points, silhouette=silhouette)


def get_size(image: NDArray[np.generic]) -> tuple[int, int]:
    """(height, width)."""
    return image.shape[0], image.shape[1]


def reduce(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The picture with a longer side of at most ``longest``."""
    scale = min(1.0, longest / max(image.shape[:2]))
    seen = tuple(max(1, round(side * scale)) for side in image.shape[:2])
    if seen == image.shape[:2]:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(seen[::-1], Image.Resampling.BOX))

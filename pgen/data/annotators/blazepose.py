"""BlazePose as the package ``mediapipe`` has it: one look at a picture gives the landmarks of one person."""

from __future__ import annotations

import os
import warnings
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from pgen.data.annotators.landmarks import Landmarks
from pgen.data.annotators.quiet import silence_native_output
from pgen.errors import InputError

# Of its three models, the one that comes inside the package: the others would be downloaded.
_COMPLEXITY = 1

# What it logs below Python, where Python's settings do not reach.
_SILENT = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3", "ABSL_MIN_LOG_LEVEL": "3"}


class BlazePose:
    """The network, loaded. Not to be shared by threads.

    Raises:
        InputError: ``mediapipe`` is not installed, or a version without models inside.
    """

    def __init__(self) -> None:
        for name, value in _SILENT.items():
            os.environ.setdefault(name, value)
        warnings.filterwarnings("ignore", module=r"google\.protobuf\.symbol_database")  # said at every look
        with silence_native_output():
            library = _import_mediapipe()
            self._pose = library.Pose(static_image_mode=True, model_complexity=_COMPLEXITY, enable_segmentation=True)
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


def _import_mediapipe() -> ModuleType:
    try:
        from mediapipe.python.solutions import pose
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "mediapipe" and error.name != "mediapipe":
            raise InputError(
                "the mediapipe that is installed has no pose model inside; install the version that fits: "
                "pip install 'pgen[photo]'"
            ) from None
        raise InputError(
            f"estimating poses needs the package {error.name}, which is not installed: pip install 'pgen[photo]' (or "
            "give the pose yourself)"
        ) from None
    return pose

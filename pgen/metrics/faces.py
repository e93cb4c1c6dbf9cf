"""Whether the face of a result is still that of the person: distance of descriptors, and where a face is found at all.

dlib's 128-D descriptor of a face (a residual network of King 2017, whose faces of one person lie within 0.6).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pgen.body.joints import HEAD_JOINTS
from pgen.metrics.base import Batch, MetricOptions, UnavailableError, mean_rows, register
from pgen.metrics.joints import WHO, DetectorMetric, head_sizes
from pgen.metrics.networks import find_in_package, hash_file
from pgen.metrics.seen_images import hash_images
from pgen.runtime.recent_pictures import RecentPictures

#: Distance below which two faces are one person's, as the descriptor was trained.
SAME = 0.6
#: How sure the detector has to be (its own scale, with 0 as its threshold) of a face that results are asked to show:
#: nearer to the threshold it is chance whether the same face is found a second time.
CLEAR = 0.25
#: A face is looked for in a square of so many head sizes around the head joints, scaled to so many pixels a side.
_HEADS, _SIDE = 4, 320

_PACKAGE, _TITLE, _REMEDY = "face_recognition_models", "dlib's face recognition", "pip install 'pgen[faces]'"
_KEPT = 2048  # faces

_WHERE = (
    f"dlib's frontal detector in {_HEADS} head sizes around the head that the joint detector finds, {_SIDE} pixels a "
    f"side; 128-D descriptor after 5 landmarks; {WHO}"
)
_CLEARLY = f"clearly (the detector is {CLEAR} beyond its threshold)"


class Face(NamedTuple):
    """A face that was found."""

    descriptor: NDArray[np.float64]  #: (128,)
    sureness: float  #: the detector's, from 0 up


class FaceReader:
    """Describes faces of photos (H, W, 3); raises `UnavailableError` without the extra that brings dlib."""

    def __init__(self) -> None:
        names = ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat")
        self.files = [find_in_package(_PACKAGE, _TITLE, "models", name, remedy=_REMEDY) for name in names]
        try:
            import dlib
        except ImportError:
            raise UnavailableError(f"{_TITLE} is not installed; {_REMEDY}") from None
        self._detector: Any = dlib.get_frontal_face_detector()
        self._landmarks: Any = dlib.shape_predictor(str(self.files[0]))
        self._network: Any = dlib.face_recognition_model_v1(str(self.files[1]))
        self._seen = RecentPictures[Face | None](_KEPT)

    def describe(self, key: bytes, image: NDArray[np.uint8], pose: NDArray[np.floating]) -> Face | None:
        """The face at the head of ``pose`` (18, 2) in ``image`` (H, W, 3), whose key is ``key``; None for none."""
        key += pose.tobytes()
        if key not in self._seen:
            self._seen[key] = self._describe(image, pose)
        return self._seen[key]

    def _describe(self, image: NDArray[np.uint8], pose: NDArray[np.floating]) -> Face | None:
        size = head_sizes(torch.from_numpy(np.asarray(pose, np.float32))[None]).item()
        if not np.isfinite(size):
            return None
        x, y = np.nanmean(pose[list(HEAD_JOINTS)], axis=0)
        reach = _HEADS * size / 2
        box = (x - reach, y - reach, x + reach, y + reach)
        # Beyond the picture it is black, where no face is.
        square = Image.fromarray(image).transform(
            (_SIDE, _SIDE), Image.Transform.EXTENT, box, resample=Image.Resampling.BICUBIC
        )
        pixels = np.asarray(square)
        places, sureness, _ = self._detector.run(pixels, 0, 0.0)
        if not len(places):
            return None
        best = int(np.argmax(sureness))
        landmarks = self._landmarks(pixels, places[best])
        return Face(np.array(self._network.compute_face_descriptor(pixels, landmarks)), sureness[best])


@cache
def _load_reader() -> FaceReader:
    return FaceReader()


class FaceMetric(DetectorMetric):
    """A score of the faces in results, beside those in photos of the same people."""

    def __init__(self, name: str, options: MetricOptions) -> None:
        super().__init__(name, options)
        self.reader = _load_reader()
        self.weights = {**self.weights, **{_name_model(file): hash_file(file) for file in self.reader.files}}

    def measure(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Distances (B,) from the photo's face, NaN if either shows none; and whether the photo clearly does (B,)."""
        where = batch.poses if self.options.has_truth else None  # other photos show the person in another pose
        ours, theirs = self._describe(batch.generated, batch.poses), self._describe(batch.target, where)
        distances = [
            float("nan") if one is None or other is None else float(np.linalg.norm(one.descriptor - other.descriptor))
            for one, other in zip(ours, theirs, strict=True)
        ]
        is_shown = [other is not None and other.sureness >= CLEAR for other in theirs]
        return torch.tensor(distances, dtype=torch.float64), torch.tensor(is_shown)

    def _describe(self, images: Tensor, asked: Tensor | None = None) -> list[Face | None]:
        pictures = images.permute(0, 2, 3, 1).cpu().numpy()
        people = self.detector.find_people(images, asked)
        return [
            None if person is None else self.reader.describe(key, np.ascontiguousarray(picture), person.pose)
            for key, picture, person in zip(hash_images(images), pictures, people, strict=True)
        ]


def _name_model(file: Path) -> str:
    return "dlib's " + ("landmarks" if "landmarks" in file.name else "face descriptor")


@register("face-distance", in_default=False)
class FaceDistance(FaceMetric):
    protocol = f"distance of the face from that of the person's photo, where both show one: {_WHERE}"
    higher_is_better = False

    def rows(self, batch: Batch) -> Tensor:
        return mean_rows(self.measure(batch)[0])


@register("face-found", in_default=False)
class FaceFound(FaceMetric):
    protocol = (
        f"share of results in which a face is found, of those whose person's photo shows one {_CLEARLY}: {_WHERE}"
    )
    higher_is_better = True

    def rows(self, batch: Batch) -> Tensor:
        distances, is_shown = self.measure(batch)
        return mean_rows(distances.isfinite().double().where(is_shown, torch.nan))


@register("face-same", in_default=False)
class FaceSame(FaceMetric):
    protocol = (
        f"share of results whose face is within {SAME} of that of the person's photo, of those whose photo shows one "
        f"{_CLEARLY}: {_WHERE}"
    )
    higher_is_better = True

    def rows(self, batch: Batch) -> Tensor:
        distances, is_shown = self.measure(batch)
        return mean_rows((distances < SAME).double().where(is_shown, torch.nan))

"""What is evaluated: results in files, the networks of a weights file, and baselines without any network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pgen.body.batch import from_pictures, to_pictures
from pgen.body.part_paste import paste_by_part
from pgen.body.torso import complete_torso
from pgen.body.transfer import Transfer
from pgen.data.formats.images import read_image
from pgen.errors import InputError
from pgen.evaluation.layouts import Layout, cut_output
from pgen.evaluation.photos import Pair, Photo
from pgen.metrics.networks import hash_file


class Method(ABC):
    """What generates a result for a pair. Can be sent to other processes."""

    name: str
    needs_source: bool
    predicts_parsing: bool
    paints_into_map = False  #: whether the map of a result is a plan of the method's own, which it painted into
    about: Mapping[str, str]  #: what else readers should know, such as the hash of its weights

    @abstractmethod
    def digest(self, pair: Pair) -> str:
        """A hash of what the result depends on, but for the photos. Raises `InputError` if there is no result."""

    @abstractmethod
    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        """The result, with its map if the method predicts maps. Raises `InputError` if it cannot be had."""

    def predict_many(
        self, pairs: Sequence[Pair], source: Photo | None, targets: Sequence[Photo]
    ) -> Sequence[Photo | InputError]:
        """The results of pairs of one source, or why one cannot be had."""
        return [_predict_or_explain(self.predict, pair, source, one) for pair, one in zip(pairs, targets, strict=True)]


def _predict_or_explain(
    predict: Callable[[Pair, Photo | None, Photo], Photo], pair: Pair, source: Photo | None, target: Photo
) -> Photo | InputError:
    try:
        return predict(pair, source, target)
    except InputError as error:
        return error


class FilesMethod(Method):
    """Results in the files of a folder."""

    needs_source, predicts_parsing = False, False

    def __init__(self, name: str, folder: Path, layout: Layout) -> None:
        self.name, self.folder, self.layout = name, folder, layout
        self.about: Mapping[str, str] = {
            "results": str(folder),
            "layout": f"{layout.name}, panel {layout.output + 1} of {layout.panels}",
        }

    def digest(self, pair: Pair) -> str:
        return f"{hash_file(self._path(pair), 'a result')} {self.layout.panels} {self.layout.output}"

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        return Photo(cut_output(read_image(self._path(pair)), self.layout))

    def _path(self, pair: Pair) -> Path:
        if pair.file is None:
            raise InputError("there is no file of this result")
        return self.folder / pair.file


@dataclass
class Baseline(Method):
    """What needs nothing but the photos and their annotations."""

    name: str
    about: Mapping[str, str]
    paste: Callable[[Photo, Photo], Photo]  #: source, target → result
    needs: tuple[str, ...] = ()  #: of source and target: "pose", "parsing"
    predicts_parsing: bool = False
    needs_source: bool = True

    def digest(self, pair: Pair) -> str:
        return self.name

    def predict(self, pair: Pair, source: Photo | None, target: Photo) -> Photo:
        if source is None:
            raise InputError("its source photo is not known")
        for photo, name in ((source, pair.source), (target, pair.target)):
            if "pose" in self.needs:
                check_pose(photo, name)
            if "parsing" in self.needs and photo.parsing is None:
                raise InputError(f"the parsing map of {name} is not known")
        return self.paste(source, target)


def _copy_source(source: Photo, target: Photo) -> Photo:
    return source


def _paste_parts(source: Photo, target: Photo) -> Photo:
    images, transfer = _plan_transfer(source, target)
    return Photo(to_pictures(paste_by_part(images, transfer))[0])


def _paste_labels(source: Photo, target: Photo) -> Photo:
    images, transfer = _plan_transfer(source, target)
    maps = [torch.tensor(one.parsing)[None].long() for one in (source, target)]
    return Photo(to_pictures(transfer.paste(images, *maps).image)[0])


#: A new one is a function from source and target photo to the result, and an entry here.
BASELINES: Mapping[str, Baseline] = {
    one.name: one
    for one in (
        Baseline("copy-source", {"baseline": "the source photo, unchanged"}, _copy_source, predicts_parsing=True),
        Baseline(
            "affine-paste", {"baseline": "the source's ten parts, carried by an affine each"}, _paste_parts, ("pose",)
        ),
        Baseline(
            "label-paste", {"baseline": "the source's pixels where labels agree, in the target's true map"},
            _paste_labels, ("pose", "parsing"),
        ),
    )
}  # fmt: skip


def check_pose(photo: Photo | None, name: str | None) -> Photo:
    """``photo``, whose pose is known. Raises `InputError` if it is not."""
    if photo is None or photo.pose is None or not np.isfinite(photo.pose).any():
        raise InputError(f"the pose of {name or 'its source photo'} is not known")
    return photo


def _plan_transfer(source: Photo, target: Photo) -> tuple[Tensor, Transfer]:
    """The source image (1, 3, H, W) in [−1, 1], and the way to the target pose."""
    if source.image.shape != target.image.shape:
        raise InputError("source and target are of different sizes")
    size = (source.image.shape[0], source.image.shape[1])
    first, second = (torch.from_numpy(complete_torso(one.pose, size)[0])[None] for one in (source, target))  # type: ignore[arg-type]
    return from_pictures(source.image[None]), Transfer(first, second, size)

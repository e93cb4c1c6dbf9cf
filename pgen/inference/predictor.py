"""The networks, loaded once, and the people they are shown."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from pgen.body.batch import PersonBatch, flip_persons, flip_poses, one_hot, replace_parsing_by_pose_masks
from pgen.body.labels import FLIP_LABELS
from pgen.body.transfer import Transfer
from pgen.data.annotators.choose import Annotators
from pgen.data.weights import Weights, find_weights, load_weights
from pgen.errors import InputError
from pgen.inference.inputs import ImageLike, ParsingLike, PoseLike, read_source
from pgen.inference.person import Person
from pgen.models.color_correction import paint_color_corrected
from pgen.models.semantic import predict_parsing


def load(
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device = "auto",
    annotators: Annotators | None = None,
) -> Predictor:
    """The generator, ready to use.

    Args:
        weights: a weights file; else the newest finished run below ``runs``, else the bundled ones.
        device: "cpu", "cuda", ... or "auto" for the best there is.
        annotators: what estimates poses and parsing maps that are not given; loaded when first needed.

    Raises:
        InputError: no such file, no weights, no such device.
    """
    path, origin = find_weights(weights)
    there = _device(device)
    try:
        return Predictor(load_weights(path), origin, there, annotators)
    except WithoutPainterError as error:
        raise InputError(f"{path}: {error}; choose other --weights") from None


class WithoutPainterError(InputError):
    """Weights that cannot make pictures."""


class Predictor:
    """H_S and H_A, and how to use them on photos of any size.

    Attributes:
        frame: (height, width) at which the networks work; photos are fitted into it.
        origin: one line that says which weights these are.
        device: where the networks run.
        annotators: what estimates poses and parsing maps that are not given.
    """

    def __init__(
        self,
        weights: Weights,
        origin: str = "",
        device: str | torch.device = "cpu",
        annotators: Annotators | None = None,
    ) -> None:
        if weights.appearance is None:
            raise WithoutPainterError("the weights hold no appearance generator (H_A)")
        self.annotators = annotators or Annotators()
        self.frame, self.origin, self.device = weights.frame, origin, torch.device(device)
        self._semantic = None if weights.semantic is None else weights.semantic.to(self.device)
        self._appearance = weights.appearance.to(self.device)

    def person(
        self,
        image: ImageLike,
        pose: PoseLike | None = None,
        parsing: ParsingLike | None = None,
        crop: bool = False,
    ) -> Person:
        """The person in a photo.

        Args:
            image: path, ``FILE.h5:NAME`` (whose annotations are then used), or uint8 (H, W, 3) RGB. A
                file is turned upright as its EXIF tells; pose and map belong to the upright photo.
            pose: path (of a CSV, the row with the photo's file name), ``FILE.csv:NAME``, ``FILE.h5:NAME``, or an array
                (18, 2) of (x, y) in the photo's pixels, NaN = missing. Shoulders and hips that are missing are
                completed, which ``Person.warnings`` tells. None: estimated, which ``Person.notes`` tells.
            parsing: path, ``FILE.h5:NAME``, or integers (H, W) of label ids; a map of the same shape as the photo, but
                of another size, is scaled. None: estimated.
            crop: if the person is small in the photo, work on the part around them, so that the networks see more of
                them. Results are of that part; ``Result.pasted`` puts them back into the photo.

        Raises:
            InputError: what was given cannot be read or does not fit together, or something is missing.
        """
        return Person(self, read_source(image, pose, parsing, self.annotators), crop)

    def require_layouts(self) -> None:
        """Raises `InputError` if these weights hold no H_S, so that target maps cannot be predicted."""
        if self._semantic is None and self._appearance.config.parsing:
            raise InputError(
                "these weights hold no semantic generator (H_S), so the target's parsing map must be given: --parsing "
                "(in Python: parsing=)"
            )

    def layouts(self, source: PersonBatch, transfer: Transfer) -> Tensor:
        """Parsing maps, long (B, H, W), of the people of ``source`` in the target poses, as H_S predicts them.

        The mean of what it says of them and of their mirror images. For weights of the baseline, which knows no
        parsing, the target's pose masks.
        """
        self.require_layouts()
        if self._semantic is None:
            return replace_parsing_by_pose_masks(PersonBatch(source.images, source.labels, transfer.target)).labels
        with torch.inference_mode():
            size = source.size
            mirror = flip_persons(source, torch.ones(len(source.labels), dtype=torch.bool, device=self.device))
            there = Transfer(mirror.poses, flip_poses(transfer.target, size[1]), size)
            straight = predict_parsing(self._semantic, source, transfer).softmax(1)
            swapped = predict_parsing(self._semantic, mirror, there).softmax(1)
            return (straight + swapped.flip(3)[:, list(FLIP_LABELS)]).argmax(1)

    def images(self, source: PersonBatch, transfer: Transfer, layouts: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [−1, 1] of the people of ``source`` in the target poses and maps (H_A).

        A network with a guide is held to its colours.
        """
        with torch.inference_mode():
            return paint_color_corrected(self._appearance, source, transfer, one_hot(layouts))


def _device(name: str | torch.device) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(f"device {name}: there is no such device here; choose auto or cpu") from None
    return device

"""The networks, loaded once, and what can be made with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np
import torch

from pgen.body.batch import to_pictures
from pgen.body.transfer import Transfer
from pgen.data.annotators.choose import Annotators
from pgen.data.weights import Weights, find_weights, load_weights
from pgen.errors import InputError
from pgen.inference.inputs import ImageLike, PoseLike, read_person
from pgen.inference.networks import FramedPerson, Networks
from pgen.inference.parsing_maps import ParsingLike
from pgen.inference.person import Person, tell_part, tell_smallness
from pgen.inference.rendering.render import Renderer
from pgen.inference.rendering.settings import Wishes, make_rendering
from pgen.inference.result import Result
from pgen.inference.targets import Retarget, Target, describe_beyond, frame_targets
from pgen.runtime.device import choose_device

if TYPE_CHECKING:
    from pgen.inference.manipulation import ManipulationResult
    from pgen.inference.texture_transfer import TextureTransferResult

#: So many targets are painted at a time.
BATCH = 8


def load(
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device = "auto",
    annotators: Annotators | None = None,
    precision: str = "auto",
) -> Predictor:
    """The networks, ready to use.

    >>> import pgen
    >>> pgen.load("bundled", device="cpu").frame
    (256, 256)

    Args:
        weights: a weights file, the folder of a training run, or "bundled" for those that come with the package (also
            if nothing is said).
        device: "cpu", "cuda", ... or "auto" for the best there is.
        annotators: what estimates poses and parsing maps that are not given; loaded when first needed.
        precision: "fp32", "bf16" or "fp16" of the networks; "auto" for bf16 where the device multiplies it itself.

    Raises:
        InputError: no such file, no weights, no such device, or it does not compute in that precision.
    """
    path, origin = find_weights(weights)
    there = choose_device(str(device))
    networks = load_weights(path)
    try:
        return Predictor(networks, origin, there, annotators, precision)
    except InputError as error:
        where = "" if error.option == "precision" else f"{path}: "
        raise InputError(f"{where}{error}", option=error.option) from None


class Predictor:
    """H_S and H_A, and what they make of photos of any size.

    A photo, or the part of it around the person, is fitted as a whole into the networks' frame (`Letterbox`); results
    come back in the frame and size of that part. Detail beyond the networks' resolution is not seen by them: what the
    photo shows is carried to its new place at the photo's own resolution (`pgen.inference.rendering`).

    >>> import pgen
    >>> from pgen.synthetic.dataset import synthetic_person, synthetic_shot
    >>> from pgen.synthetic.render import render
    >>> photo = render(synthetic_person(0, 0), synthetic_shot(0, 0, 0))
    >>> predictor = pgen.load(device="cpu")
    >>> person = predictor.person(photo.image, photo.pose, photo.parsing)
    >>> predictor.generate(person, "walk")
    Result('the photo', 'walk', 256x256)
    >>> predictor.manipulate(person, {"sleeves": "long"})
    ManipulationResult('the photo', 'sleeves=long', 256x256)

    Attributes:
        frame: (height, width) at which the networks work.
        origin: one line that says which weights these are.
        device: where the networks run.
        annotators: what estimates poses and parsing maps that are not given.
        networks: H_S and H_A, tensors in, tensors out.
    """

    def __init__(
        self,
        weights: Weights,
        origin: str = "",
        device: str | torch.device = "cpu",
        annotators: Annotators | None = None,
        precision: str = "auto",
    ) -> None:
        self.networks = Networks(weights, device, precision)
        self.annotators = annotators or Annotators(device=str(self.networks.device))
        self._renderer = Renderer(self.networks, self.annotators)
        self.frame, self.origin, self.device = self.networks.frame, origin, self.networks.device

    def __repr__(self) -> str:
        return f"Predictor({self.origin!r}, {self.frame[0]}x{self.frame[1]}, {self.device})"

    def person(
        self,
        image: ImageLike,
        pose: PoseLike | None = None,
        parsing: ParsingLike | None = None,
        crop: bool = True,
        number: int | None = None,
        frame: tuple[int, int] | None = None,
        parsing_scheme: str | None = None,
    ) -> Person:
        """The person in a photo.

        Args:
            image: path, ``FILE.h5:NAME`` (whose annotations are then used), the bytes of a file, a PIL image, or RGB
                values 0-255 (H, W, 3), array or nested list. A file is turned upright by its EXIF; pose and map
                belong to the upright photo.
            pose: path (of a CSV, the row with the photo's file name), ``FILE.csv:NAME``, ``FILE.h5:NAME``, or array or
                list (18, 2) of (x, y) in the photo's pixels, NaN = missing. Shoulders and hips that are missing are
                completed, as ``Person.warnings`` says. None: estimated, as ``Person.notes`` says.
            parsing: path, ``FILE.h5:NAME``, or integers (H, W) of label ids; a map of the same shape as the photo, but
                of another size, is scaled. None: estimated.
            crop: if the person is small in the photo, work on the part around them, so that the networks see more of
                them. Results are of that part; ``Result.pasted`` puts them into the photo.
            number: which of several people in the photo, 0 being the largest, or in the file of poses, in its order;
                None for the largest, in files of poses the largest and surest.
            frame: (height, width) that the given pose refers to, if it is not the photo's own.
            parsing_scheme: labels of the given map: a bundled scheme or a table of one's own, FILE.toml; None for the
                ten labels themselves.

        Raises:
            InputError: what was given cannot be read or does not fit together, or something is missing.
        """
        cropped_for = self.frame if crop else None
        found = read_person(image, pose, parsing, self.annotators, cropped_for, number, frame, parsing_scheme)
        return tell_part(found) if crop else tell_smallness(found, self.frame)

    def generate(
        self,
        person: Person,
        pose: PoseLike,
        parsing: ParsingLike | None = None,
        retarget: Retarget = "each",
        parsing_scheme: str | None = None,
        **rendering: Unpack[Wishes],
    ) -> Result:
        """The person in another pose.

        Args:
            pose: as in `person`, or a photo, whose pose is estimated, or the name of a bundled pose. If its frame is
                known (a photo's, that of a pose of a store, of JSON with its canvas, or of a CSV with the photo
                beside it) that frame is fitted into the networks' like the photo was; otherwise, and for arrays, it is
                in pixels of this person's photo.
            parsing: map of the result, predicted if not given; in the frame of the pose or of this person's photo.
            retarget: "each": give the pose the limb lengths, size and place of this person (`pgen.body.retarget`);
                "none": leave it as it is. "motion" is for many.
            parsing_scheme: labels of the given map, as in `person`.
            rendering: ``head``, ``background``, ``frame_mode``, ``max_size``, ``shadow`` and ``resolution``, as
                `pgen.inference.rendering.settings.Rendering` has them.

        Raises:
            InputError: what was given cannot be read or is no pose or no map for it.
        """
        return next(self.generate_many(person, [pose], [parsing], retarget, parsing_scheme, **rendering))

    def generate_many(
        self,
        person: Person,
        poses: Iterable[PoseLike] | PoseLike,
        parsings: Iterable[ParsingLike | None] | None = None,
        retarget: Retarget = "each",
        parsing_scheme: str | None = None,
        **rendering: Unpack[Wishes],
    ) -> Iterator[Result]:
        """The same for many poses. All of them are read, and refused, before the first result.

        ``retarget`` "motion" takes the poses as one motion of one person, who keeps their size and moves on their path.
        """
        settings = make_rendering(**rendering)
        framed = self.networks.frame_person(person)
        targets = frame_targets(person, framed.fit, poses, parsings, retarget, self.annotators, parsing_scheme)
        if any(target.parsing is None for target in targets):
            self.networks.require_semantic("give the target's parsing map", "parsing")
        if settings.resolution == "photo":
            return self._renderer.render(framed, targets, settings, may_move=retarget == "each")
        batches = (targets[start : start + BATCH] for start in range(0, len(targets), BATCH))
        return (result for batch in batches for result in self._generate_batch(framed, batch))

    def transfer_texture(
        self, clothes: Person, person: Person, regions: str | Sequence[str] = ("upper",), shape: bool = False
    ) -> TextureTransferResult:
        """``person`` with regions of the photo ``clothes``; pose, face and every other pixel stay the person's photo's.

        Args:
            clothes: whose clothes (or hair) it is.
            regions: one or several of ``upper``, ``pants``, ``skirt``, ``hair``, ``lower`` (pants or skirt, whichever
                each photo shows) and ``all`` (what both show).
            shape: let regions take on the other garment's shape as well, predicted by H_S. What comes to light where
                the person's own garment ends is painted too.

        Raises:
            InputError: an unknown region, one that a photo does not show, or weights without H_S for ``shape``.
        """
        from pgen.inference.texture_transfer import transfer_texture  # takes half as long to import as torch

        return transfer_texture(self.networks, clothes, person, regions, shape)

    def manipulate(
        self, person: Person, edits: Mapping[str, str | float] | None = None, parsing: ParsingLike | None = None
    ) -> ManipulationResult:
        """The person's photo with another parsing map: ``manipulate(person, {"sleeves": "long", "lower": "skirt"})``.

        H_A paints what changes; away from it, and a small border, every pixel stays the photo's.

        Args:
            edits: named edits of the photo's own map: ``sleeves`` (none, short, elbow, long, or a share of the arm, 0
                to 1), ``lower`` (pants, shorts, skirt), ``length`` of what is worn below (mini, short, knee, midi,
                full, or a share of the leg), ``neckline`` (round, scoop, v, boat, high), ``hair`` (short, long).
            parsing: instead, the map of the result, as large as the photo, or as the part of it in use: ids, or a file,
                such as the palette PNG that `ManipulationResult.save_parsing` writes, painted by hand.

        Raises:
            InputError: an unknown edit or value, one that photo or pose show too little for, or a map that cannot be
                read or has another size.
        """
        from pgen.inference.manipulation import manipulate_person  # the same

        return manipulate_person(self.networks, person, edits or {}, parsing)

    def _generate_batch(self, framed: FramedPerson, targets: Sequence[Target]) -> Iterator[Result]:
        count, one = len(targets), framed.batch
        poses = torch.from_numpy(np.stack([target.pose for target in targets])).to(self.device)
        transfer = Transfer(one.poses.expand(count, -1, -1), poses, self.frame)
        is_given = all(target.parsing is not None for target in targets)
        labels = one.labels.repeat(count, 1, 1) if is_given else self.networks.predict_maps(one, transfer).clone()
        for map_, target in zip(labels, targets, strict=True):
            if target.parsing is not None:
                map_.copy_(torch.from_numpy(target.parsing))
        images, fit = to_pictures(self.networks.paint(one, transfer, labels)), framed.fit
        for target, image, map_ in zip(targets, images, labels, strict=True):
            photo, parsing = fit.image_back(image), fit.parsing_back(map_.byte().cpu().numpy())
            told = (*target.warnings, *describe_beyond(target))
            yield Result(framed.person, target.name, photo, parsing, fit.pose_back(target.pose), told)

"""Doing what a page asks for: files in, files out, and what to say about them as plain data."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pgen.body.crop import CropBox
from pgen.body.labels import Label
from pgen.body.viz import draw_sheet
from pgen.data.formats.annotation_files import name_carried_file, write_carried
from pgen.data.formats.images import write_image
from pgen.data.formats.moving_pictures import write_gif
from pgen.data.formats.parsing import write_parsing
from pgen.data.formats.pose_json import write_pose_json
from pgen.data.named_poses import load_named_poses
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from pgen.inference.rendering.settings import check_wishes
from pgen.inference.result import Result
from pgen.inference.targets import PoseSequence, Retarget, read_targets
from pgen.runtime.seed import seed_everything
from pgen.studio.painting import fit_display, shrink_labels
from pgen.studio.photos import list_joints
from pgen.studio.requests import (
    Answer,
    Generate,
    Manipulate,
    PhotoFiles,
    ReadPhoto,
    ReadTarget,
    Request,
    TransferTexture,
    is_bundled,
)


class Advance(Protocol):
    """Told how much is done, and what there is already of the answer. May raise, to end the work."""

    def __call__(self, done: int, total: int, note: str, so_far: Answer | None = None) -> None: ...


# So many people are kept, read, with what the networks see of them.
_PEOPLE = 3
_PANEL = 384  # pixels of the longer side of the pictures beside a result
_QUALITY = 88
_SHEET_PANEL = 512


class Work:
    """Answers requests with one predictor.

    Args:
        predictor: the networks and annotators.
        seed: where all random numbers begin, before each request anew.
    """

    def __init__(self, predictor: Predictor, seed: int = 0) -> None:
        self._predictor, self._seed = predictor, seed
        self._people: OrderedDict[PhotoFiles, Person] = OrderedDict()
        self._sequences: OrderedDict[tuple[tuple[str, ...], int], PoseSequence] = OrderedDict()

    def answer(self, request: Request, advance: Advance) -> Answer:
        """Do what is asked; files appear where the request says. Raises `InputError` as the predictor does."""
        seed_everything(self._seed)
        if isinstance(request, ReadPhoto):
            return self._read_photo(request, advance)
        if isinstance(request, ReadTarget):
            return self._read_target(request, advance)
        if isinstance(request, Generate):
            return self._generate(request, advance)
        if isinstance(request, TransferTexture):
            return self._transfer(request, advance)
        return self._manipulate(request, advance)

    def load_annotators(self) -> None:
        """Load what estimates poses and maps before the first photo needs it."""
        self._predictor.annotators.pose_annotator()
        self._predictor.annotators.parsing_annotator()

    def rehearse(self) -> None:
        """Make a picture that nobody sees: the first one of a process takes several times as long as others."""
        height, width = (round(1.25 * side) for side in self._predictor.frame)
        pose = load_named_poses()["stand"]
        frame = np.array((pose.frame or (256, 256))[::-1])
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        parsing = np.zeros((height, width), np.uint8)
        parsing[height // 5 : -height // 5, width // 3 : -width // 3] = Label.UPPER
        parsing[height // 2 : -height // 5, width // 3 : -width // 3] = Label.PANTS
        person = Person("", image, CropBox.whole((height, width)), pose.pose * (width, height) / frame, parsing)
        next(self._predictor.generate_many(person, ["walk"]))

    def _read_photo(self, request: ReadPhoto, advance: Advance) -> Answer:
        advance(0, 1, "looking for pose and map")
        person = self._read(request.photo)
        pose = person.pose + np.asarray(person.crop.corner, np.float32)
        whole = person.expand_parsing(person.parsing)
        height, width = whole.shape
        size = fit_display((height, width))
        shown, labels = request.shown.with_suffix(".jpg"), request.shown.with_suffix(".labels")
        _write_shown(shown, person.photo, size)
        labels.write_bytes(shrink_labels(whole, size).tobytes())
        files: dict[str, Path] = {"shown": shown, "labels": labels}
        if request.photo.pose is None:
            files["pose"] = write_pose_json(request.pose_out, pose, (height, width))
        if request.photo.parsing is None:
            parser = self._predictor.annotators.parsing_annotator().name
            files["parsing"] = write_parsing(request.parsing_out, whole, estimated_by=parser)
            if person.carried is not None:
                carried = person.expand_parsing(person.carried.astype(np.uint8)) > 0
                path = name_carried_file(request.parsing_out)
                files |= dict(zip(["carried"], write_carried(path, carried), strict=False))
        return {
            "size": [width, height],
            "shown_size": [size[1], size[0]],
            "pose": list_joints(pose),
            "is_cropped": person.crop.size != (height, width),
            "warnings": list(person.warnings),
            "notes": list(person.notes),
            "files": {role: file.name for role, file in files.items()},
        }

    def _read_target(self, request: ReadTarget, advance: Advance) -> Answer:
        sequence = self._sequence((request.target,), request.frames, advance)
        poses = sequence.poses
        boxes = [pose.frame or _find_extent(pose.pose) for pose in poses]
        step = max(1, len(poses) // 12)
        return {
            "is_motion": sequence.is_motion,
            "count": len(poses),
            "poses": [list_joints(pose.pose) for pose in poses[::step]],
            "size": [boxes[0][1], boxes[0][0]],
            "notes": list(sequence.notes),
            "warnings": [doubt for pose in poses for doubt in pose.doubts][:4],
            "files": {},
        }

    def _generate(self, request: Generate, advance: Advance) -> Answer:
        sequence = self._sequence(request.targets, request.frames, advance)
        poses, total = sequence.poses, len(sequence.poses) + 1
        advance(0, total, "reading the photo")
        person = self._read(request.photo)
        body: Retarget = "none" if not request.retarget else "motion" if sequence.is_motion else "each"
        results: list[Answer] = []
        so_far: Answer = {}
        pictures: list[NDArray[np.uint8]] = []
        wishes = check_wishes(**request.rendering)
        # One at a time, so that it can be stopped, but for a motion, whose poses belong together.
        together = [poses] if sequence.is_motion else [[pose] for pose in poses]
        for group in together:
            for result in self._predictor.generate_many(person, group, None, body, **wishes):
                if not sequence.is_motion:
                    results.append(_save(result, request.outs[len(pictures)], request.paste))
                elif not pictures:
                    results.append(_show(result, request.shown))
                if request.gif is not None:
                    pictures.append(result.before_white(request.paste))
                so_far = {"results": results, "gif": None, "warnings": list(person.warnings)}
                advance(1 + max(len(pictures), len(results)), total, "painting", so_far)
        if request.gif is not None:
            write_gif(request.gif, pictures, sequence.seconds[: len(pictures)])
        return so_far | {"gif": None if request.gif is None else request.gif.name}

    def _transfer(self, request: TransferTexture, advance: Advance) -> Answer:
        advance(0, 3, "reading the photos")
        clothes = self._read(request.clothes)
        advance(1, 3, "reading the photos")
        person = self._read(request.person)
        advance(2, 3, "painting")
        result = self._predictor.transfer_texture(clothes, person, request.regions, request.shape)
        return {"results": [_save(result, request.out, True)], "warnings": [*person.warnings, *clothes.warnings]}

    def _manipulate(self, request: Manipulate, advance: Advance) -> Answer:
        advance(0, 2, "reading the photo")
        person = self._read(request.photo)
        advance(1, 2, "painting" if request.out is not None else "drawing the map")
        if request.out is None:
            return self._preview(person, request)
        result = self._predictor.manipulate(person, request.edits or None, request.parsing and str(request.parsing))
        return {"results": [_save(result, request.out, True)], "warnings": list(person.warnings)}

    def _preview(self, person: Person, request: Manipulate) -> Answer:
        """The map after the edits, for the eye: where they change nothing, it is the photo's."""
        from pgen.body.edits.registry import edit_parsing
        from pgen.inference.large_photos import put_into_photo

        small = self._predictor.networks.frame_reduced(person).person
        after, warnings = edit_parsing(small.parsing, small.pose, request.edits)
        _, found, changed = put_into_photo(person, small, small.image, after)
        whole = person.expand_parsing(np.where(changed, found, person.parsing))
        labels = request.shown.with_suffix(".labels")
        labels.write_bytes(shrink_labels(whole, fit_display((whole.shape[0], whole.shape[1]))).tobytes())
        return {"files": {"labels": labels.name}, "warnings": warnings, "changed": int(changed.sum())}

    def _read(self, photo: PhotoFiles) -> Person:
        person = self._people.pop(photo, None)
        if person is None:
            pose, parsing = (None if file is None else str(file) for file in (photo.pose, photo.parsing))
            person = self._predictor.person(str(photo.image), pose, parsing, photo.crop, photo.number)
        self._people[photo] = person
        while len(self._people) > _PEOPLE:
            self._people.popitem(last=False)
        return person

    def _sequence(self, targets: tuple[str, ...], frames: int, advance: Advance) -> PoseSequence:
        key = (targets, frames)
        found = self._sequences.pop(key, None)
        if found is None:

            @contextmanager
            def progress(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
                done = 0

                def count(*_: object) -> None:
                    nonlocal done
                    done += 1
                    advance(done, max(done + 1, total or 0), title)

                yield count

            bundled = load_named_poses()
            specs = [bundled[target] if is_bundled(target) else target for target in targets]
            found = read_targets(specs, self._predictor.annotators, frames, progress)
        self._sequences[key] = found
        while len(self._sequences) > 2 * _PEOPLE:
            self._sequences.popitem(last=False)
        return found


def _save(result: Result, out: Path, paste: bool) -> Answer:
    """Write the picture, its sheet and what stands beside it on the page."""
    result.save(out, paste=paste)
    sheet = out.with_name(f"{out.stem}_sheet.png")
    write_image(sheet, draw_sheet([result.panels(_SHEET_PANEL)]))
    return _show(result, out) | {"picture": out.name, "sheet": sheet.name}


def _show(result: Result, file: Path) -> Answer:
    panels = []
    for index, (caption, picture) in enumerate(result.panels(_PANEL)[:-1]):
        panel = file.with_name(f".{file.stem}-{index}.jpg")
        _write_shown(panel, picture, (picture.shape[0], picture.shape[1]))
        panels.append({"caption": caption, "file": panel.name})
    return {"target": result.target, "panels": panels, "warnings": list(result.warnings)}


def _write_shown(path: Path, picture: NDArray[np.uint8], size: tuple[int, int]) -> None:
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.LANCZOS, reducing_gap=3.0)
    image.save(path, quality=_QUALITY)


def _find_extent(pose: NDArray[np.floating]) -> tuple[int, int]:
    """Height and width of a frame that holds the pose."""
    farthest = np.nan_to_num(pose).max(axis=0)
    return max(16, int(farthest[1] * 1.05)), max(16, int(farthest[0] * 1.05))

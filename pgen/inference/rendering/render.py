"""Results at the photo's own resolution, one after the other: the one way in which all of them are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from pgen.body.batch import one_hot, to_pictures
from pgen.body.hidden_legs import place_hidden_legs
from pgen.body.transfer import Transfer
from pgen.data.annotators.choose import Annotators
from pgen.data.formats.image_colors import take_off_white
from pgen.errors import InputError
from pgen.inference.networks import FramedPerson, Networks
from pgen.inference.person import SILHOUETTE_THRESHOLD, Person
from pgen.inference.rendering.backdrop import (
    begin_backdrop,
    find_removed,
    is_none,
    make_alpha,
    make_backdrop,
    read_backdrop,
)
from pgen.inference.rendering.background import has_patch_match
from pgen.inference.rendering.backs import turn_around
from pgen.inference.rendering.bones import match_bodies
from pgen.inference.rendering.canvas import Canvas
from pgen.inference.rendering.compose import compose_figure, lay_over
from pgen.inference.rendering.framing import Sides, extend_person, find_lacking, move_into
from pgen.inference.rendering.heads import plan_head
from pgen.inference.rendering.settings import Rendering
from pgen.inference.rendering.shadows import cast_shadow
from pgen.inference.result import Result
from pgen.inference.targets import Target, describe_beyond

_NO_TEXTURE = "what was behind the person is filled in smoothly; install pgen[photo] to have it filled with texture"


class Renderer:
    """Renders results of one pair of networks; what depends on a photo alone is kept as long as the person is."""

    def __init__(self, networks: Networks, annotators: Annotators) -> None:
        self._networks, self._annotators = networks, annotators
        self._canvases: WeakKeyDictionary[Person, dict[int, Canvas]] = WeakKeyDictionary()
        self._turned: WeakKeyDictionary[Canvas, dict[bool, Canvas]] = WeakKeyDictionary()
        # None: nothing is hidden. The person themselves would never be let go.
        self._completed: WeakKeyDictionary[Person, Person | None] = WeakKeyDictionary()
        # The last in whose frame they were, and by how much it was extended.
        self._extended: WeakKeyDictionary[Person, tuple[Sides, Person]] = WeakKeyDictionary()

    def render(
        self, framed: FramedPerson, targets: Sequence[Target], settings: Rendering, may_move: bool = True
    ) -> Iterator[Result]:
        """The person in the pose of each of ``targets``; ``may_move``: targets that leave the photo may be moved.

        Raises `InputError` for a frame to be extended for a target whose map is given.
        """
        if settings.frame_mode == "extend" and any(target.parsing is not None for target in targets):
            raise InputError("a parsing map that is given says how large the result is", option="frame_mode")
        backdrop = read_backdrop(settings.background)
        return self._render_each(framed, targets, settings, backdrop, may_move)

    def _render_each(
        self,
        framed: FramedPerson,
        targets: Sequence[Target],
        settings: Rendering,
        backdrop: NDArray[np.uint8] | str,
        may_move: bool,
    ) -> Iterator[Result]:
        if settings.frame_mode == "extend":
            framed, targets = self._extend(framed, targets)
            may_move = False
        person = framed.person
        framed = self._networks.frame_person(self._complete(person))
        canvas = self._find_canvas(framed.person, settings.max_size)
        notes = []
        if not has_patch_match() and isinstance(backdrop, str) and not is_none(backdrop, canvas):
            notes.append(f"{framed.person.name}: {_NO_TEXTURE}")
        if canvas.size != framed.person.crop.size:
            (height, width), whole = canvas.size, framed.person.crop.size
            shown = f"{width}x{height} pixels of the photo's {whole[1]}x{whole[0]}"
            notes.append(f"{framed.person.name}: results have {shown}; a larger max size keeps more")
        begin_backdrop(backdrop, canvas)
        for target in targets:
            result = self._render_one(framed, canvas, target, settings, backdrop, notes, may_move)
            yield replace(result, person=person)

    def _render_one(
        self,
        framed: FramedPerson,
        canvas: Canvas,
        target: Target,
        settings: Rendering,
        backdrop: NDArray[np.uint8] | str,
        notes: Sequence[str],
        may_move: bool,
    ) -> Result:
        networks, source = self._networks, framed.batch
        wanted = canvas.fit.pose_back(target.pose)
        placing = None
        if may_move := may_move and target.parsing is None:
            wanted, placing = move_into(wanted, canvas.size, canvas.pose)
        plan = plan_head(canvas.pose, wanted, settings.head, target.is_bundled)
        body = match_bodies(canvas.pose, plan.pose, plan.carry, plan.face, canvas.hides_knees)
        pose = torch.from_numpy(canvas.fit.pose(plan.pose))[None].to(networks.device)
        transfer = Transfer(source.poses, pose, networks.frame)
        if target.parsing is None:
            probabilities = networks.predict_probabilities(source, transfer)[0]
        else:
            probabilities = one_hot(torch.from_numpy(target.parsing).long()[None])[0]

        def paint(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            map_ = torch.from_numpy(labels).long()[None].to(networks.device)
            return np.asarray(to_pictures(networks.paint(source, transfer, map_))[0])

        with torch.inference_mode():
            shown = self._find_turned(canvas, plan.is_turned) if plan.is_turned or body.shows_back else canvas
            figure = compose_figure(shown, body, probabilities, paint, target.parsing is not None)
        labels = np.zeros(canvas.size, np.uint8)
        labels[figure.box] = figure.labels
        behind = make_backdrop(backdrop, canvas)
        alpha = make_alpha(backdrop, canvas, figure)
        if is_none(backdrop, canvas):
            figure = replace(figure, opacity=torch.ones_like(figure.opacity))
        elif settings.shadow:
            behind = cast_shadow(behind, labels, plan.pose)
        told = [f"{framed.person.name}, {target.name}: {note}" for note in (plan.note, placing) if note]
        if not may_move and settings.frame_mode == "keep":
            told += describe_beyond(target)
        warnings = (*target.warnings, *notes, *told)
        image = lay_over(figure, behind)
        if alpha is not None and not is_none(backdrop, canvas):
            image = take_off_white(image, alpha)  # what is half transparent is seen over white until here
        removed, is_before_other = find_removed(backdrop, canvas), not isinstance(backdrop, str)
        return Result(framed.person, target.name, image, labels, plan.pose, warnings, alpha, removed, is_before_other)

    def _extend(self, framed: FramedPerson, targets: Sequence[Target]) -> tuple[FramedPerson, Sequence[Target]]:
        """The person in a frame that shows all targets, and the targets in it."""
        person, poses = framed.person, [framed.fit.pose_back(target.pose) for target in targets]
        lacking = find_lacking(person.crop.size, poses)
        if not any(lacking):
            return framed, targets
        if person not in self._extended or self._extended[person][0] != lacking:
            extended = extend_person(replace(person, silhouette=self._find_silhouette(person)), lacking)
            self._extended[person] = lacking, extended
        again = self._networks.frame_person(self._extended[person][1])
        moved = [again.fit.pose(pose + np.array(lacking[:2], np.float32)) for pose in poses]
        return again, [replace(target, pose=pose) for target, pose in zip(targets, moved, strict=True)]

    def _complete(self, person: Person) -> Person:
        """The person with legs that clothes hide: these move with them."""
        if person not in self._completed:
            pose = place_hidden_legs(person.pose, person.parsing)
            self._completed[person] = None if pose is person.pose else replace(person, pose=pose)
        return self._completed[person] or person

    def _find_canvas(self, person: Person, max_size: int) -> Canvas:
        kept = self._canvases.setdefault(person, {})
        if max_size not in kept:
            kept.clear()
            kept[max_size] = Canvas.of(person, self._find_silhouette(person), self._networks.frame, max_size)
        return kept[max_size]

    def _find_turned(self, canvas: Canvas, with_head: bool) -> Canvas:
        kept = self._turned.setdefault(canvas, {})
        if with_head not in kept:
            kept[with_head] = turn_around(canvas, with_head)
        return kept[with_head]

    def _find_silhouette(self, person: Person) -> NDArray[np.bool_] | None:
        """Where the person is with all that is worn; it is not looked for in pictures of the networks' own size."""
        if person.silhouette is not None or max(person.crop.size) <= max(self._networks.frame):
            return person.silhouette
        people = self._annotators.find_people(np.ascontiguousarray(person.image))
        found = None if people is None else people.match(person.pose)
        return None if found is None or found.silhouette is None else found.silhouette > SILHOUETTE_THRESHOLD

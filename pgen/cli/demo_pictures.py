"""The pictures of `pgen demo`, written to its folder, and what `templates/demo.html.j2` says about them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pgen.body.crop import Letterbox
from pgen.body.edits.registry import edit_parsing
from pgen.body.viz import Picture, colorize_parsing, draw_sheet, draw_skeleton
from pgen.cli.demo_people import WALK_STEPS, render_demo_person, render_walk
from pgen.data.formats.images import write_image
from pgen.data.formats.moving_pictures import write_gif
from pgen.errors import InputError
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor

Figure = tuple[str, str]  #: file and caption
#: The edits that are shown, each of somebody else if there are enough people.
EDITS: tuple[dict[str, str], ...] = ({"lower": "skirt"}, {"sleeves": "short"}, {"hair": "long"})
_FRAME_SECONDS = 0.07  #: how long a picture of the animation is shown


class DemoPictures:
    """The first people of a seed, generated in new poses, and what else is drawn of them."""

    def __init__(self, model: Predictor, seed: int, count: int, folder: Path, advance: Callable[..., None]) -> None:
        self.model, self.seed, self.folder, self.advance = model, seed, folder, advance
        self.double = Letterbox.of(model.frame, (2 * model.frame[0], 2 * model.frame[1]))
        self.demos = [render_demo_person(seed, index, model.frame) for index in range(count)]
        self.names = [f"person {number}" for number in range(1, count + 1)]
        sources = [demo.source for demo in self.demos]
        self.people = [model.person(source.image, source.pose, source.parsing, crop=False) for source in sources]
        advance(count, note="photographed")
        begin = time.monotonic()
        self.results = [
            list(model.generate_many(person, [truth.pose for truth in demo.truths.values()], retarget="none"))
            for demo, person in zip(self.demos, self.people, strict=True)
        ]
        self.seconds = time.monotonic() - begin
        self.pairs = sum(map(len, self.results))
        advance(count, note="generated")

    def draw_new_poses(self) -> list[dict[str, object]]:
        """Every person in every pose, beside the truth; all of them also in people.png.

        Of each person: name, what was given (figures), and a grid of files, rows by kind of picture, a column a pose.
        """
        people: list[dict[str, object]] = []
        rows = []
        for demo, name, results in zip(self.demos, self.names, self.results, strict=True):
            file = name.replace(" ", "")
            grid: dict[str, list[str]] = {"target pose": [], "predicted map": [], "generated": [], "rendered truth": []}
            for (pose, truth), result in zip(demo.truths.items(), results, strict=True):
                (_, source), *panels = result.panels()
                pictures = [*(picture for _, picture in panels), truth.image]
                for (kind, files), picture in zip(grid.items(), pictures, strict=True):
                    files.append(self._save(f"{file}_{pose}_{kind}.png".replace(" ", "-"), picture))
                captions = (f"pose: {pose}", *list(grid)[1:])
                rows.append([(f"{name}: source", source), *zip(captions, pictures, strict=True)])
            skeleton = draw_skeleton(self.double.frame, self.double.pose(demo.source.pose))
            given = [
                (self._save(f"{file}_source.png", demo.source.image), f"{name}: the source photo"),
                (self._save(f"{file}_pose.png", skeleton), "its pose"),
                (self._save(f"{file}_map.png", colorize_parsing(demo.source.parsing)), "its map"),
            ]
            people.append({"name": name, "given": given, "poses": list(demo.truths), "rows": grid})
        self._save("people.png", draw_sheet(rows))
        return people

    def draw_walk(self, frames: int) -> dict[str, object]:
        """The first person walking, as animations."""
        results = []
        poses = render_walk(self.seed, 0, self.model.frame, frames)
        for result in self.model.generate_many(self.people[0], poses, retarget="none"):
            results.append(result)
            self.advance(note="animating")
        fit, seconds = self.double, [_FRAME_SECONDS] * frames
        skeletons = [draw_skeleton(fit.frame, fit.pose(result.pose)) for result in results]
        write_gif(self.folder / "walk.gif", [fit.image(result.image) for result in results], seconds)
        write_gif(self.folder / "walk_pose.gif", skeletons, seconds)
        captions = {"person1_source.png": "the source photo", "walk_pose.gif": "target poses", "walk.gif": "generated"}
        return {"steps": WALK_STEPS, "frames": frames, "figures": list(captions.items())}

    def draw_texture_transfers(self) -> list[Figure]:
        """Every person in the top of the next one."""
        figures = []
        for number, person in enumerate(self.people):
            giver = (number + 1) % len(self.people)
            result = self.model.transfer_texture(self.people[giver], person)
            file = self._save(f"person{number + 1}_dressed.png", result.image)
            figures.append((file, f"{self.names[number]} in the top of {self.names[giver]}"))
        return figures

    def draw_edits(self) -> list[Figure]:
        """Before and after each of `EDITS`, of who is changed most by it."""
        figures: list[Figure] = []
        free = list(range(len(self.people)))
        for edits in EDITS:
            chosen = max(free, key=[_measure_change(person, edits) for person in self.people].__getitem__)
            free = [one for one in free if one != chosen] or free
            result, file = self.model.manipulate(self.people[chosen], edits), f"person{chosen + 1}"
            edited = self._save(f"{file}_{'_'.join(edits)}.png", result.image)
            figures += [(f"{file}_source.png", f"{self.names[chosen]}: the photo"), (edited, result.target)]
        return figures

    def _save(self, name: str, picture: Picture) -> str:
        return write_image(self.folder / name, picture).name


def _measure_change(person: Person, edits: dict[str, str]) -> float:
    """How much of a person ``edits`` change; 0 if they cannot be made."""
    try:
        after, _ = edit_parsing(person.parsing, person.pose, edits)
    except InputError:
        return 0.0
    return np.count_nonzero(after != person.parsing) / np.count_nonzero(person.parsing)

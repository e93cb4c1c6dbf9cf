"""Rendered people as a data set: any photo can be rendered anywhere, in any order, and comes out the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgen.data.example import Drop, Example, Job, Split
from pgen.data.readers.given import NOTHING_GIVEN, GivenFiles
from pgen.errors import InputError
from pgen.synthetic.camera import STYLES
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import render


def synthetic_example(
    seed: int,
    person_index: int,
    view_index: int,
    size: tuple[int, int] = (256, 256),
    style: str = "fashion",
    split: Split = "train",
) -> Example:
    """One photo, counted from 0, of one person; the same for the same arguments, whatever was rendered before.

    ``seed`` picks the world: held-out people are those of another seed. ``size`` is (height, width), ``style``
    "fashion", "market" or "mixed". Raises `InputError` for an unknown style or too small a size.
    """
    person = synthetic_person(seed, person_index)
    made = render(person, synthetic_shot(seed, person_index, view_index, style), size)
    who = f"p{person_index:05d}"
    return Example(f"{who}_v{view_index}.png", made.image, made.parsing, made.pose, who, split, made.attributes)


#: The most photos of a set, and what one of 256×256 takes up in a store.
MOST_PHOTOS, _BYTES_A_PHOTO = 2_000_000, 70_000


@dataclass(frozen=True)
class SyntheticPhotos:
    """Photos of rendered people, ``poses`` of each, the people for testing last."""

    seed: int
    people: int
    poses: int
    test_people: int
    size: tuple[int, int]
    style: str
    pairs: None = None
    train_pairs: tuple[tuple[str, str], ...] = ()
    files: tuple[Path, ...] = ()
    missing: tuple[Drop, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.people * self.poses

    def jobs(self) -> Iterator[Job]:
        """What renders each photo, person by person."""
        for person in range(self.people):
            split = "test" if person >= self.people - self.test_people else "train"
            for view in range(self.poses):
                what = (self.seed, person, view, self.size, self.style, split)
                yield Job(f"person {person} view {view}", synthetic_example, what)


def find_synthetic(
    root: Path | None = None,
    given: GivenFiles = NOTHING_GIVEN,
    size: tuple[int, int] = (256, 256),
    *,
    people: int = 1000,
    poses: int = 4,
    test_people: int | None = None,
    style: str = "fashion",
    seed: int = 0,
) -> SyntheticPhotos:
    """``poses`` photos of each of ``people`` people, of whom the last, by default a tenth, are for testing."""
    if style not in STYLES:
        raise InputError(f"there is no style {style!r}; choose one of {', '.join(STYLES)}", option="style")
    if not isinstance(people, int) or people < 1:
        raise InputError(f"{people} is no number of synthetic people", option="people")
    if people * poses > MOST_PHOTOS:
        room = people * poses * _BYTES_A_PHOTO / 2**30
        raise InputError(
            f"{people * poses:,} photos are more than {MOST_PHOTOS:,}, and would take {room:,.0f} GB; render fewer",
            option="people" if people > MOST_PHOTOS else "poses",
        )
    tested = people // 10 if test_people is None else test_people
    if tested > people:
        raise InputError(f"{tested} people for testing are more than all, {people}", option="test_people")
    return SyntheticPhotos(seed, people, poses, tested, size, style)

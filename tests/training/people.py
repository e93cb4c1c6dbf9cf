"""A tiny data set of synthetic people, and settings that make the three trainings take seconds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pgen.data.example import Example
from pgen.data.store import StoreWriter
from pgen.people.dataset import synthetic_example

SIZE = (64, 64)
TRAIN, TEST = 14, 4  # people, two views each

#: For ``load_preset`` and ``--set``.
TINY = (
    *(f"{stage}.schedule.{key}" for stage in ("pose", "semantic", "appearance") for key in ("steps=4", "batch=2")),
    "pose.network.width=4",
    *(f"{stage}.network.widths=[4, 8, 8, 8]" for stage in ("semantic", "appearance")),
    "semantic.critic.width=4",
    "appearance.critic.width=4",
    "appearance.face_critic.width=4",
)


@cache
def examples() -> list[Example]:
    return [
        synthetic_example(11, person, view, SIZE, split="train" if person < TRAIN else "test")
        for person in range(TRAIN + TEST)
        for view in range(2)
    ]


def write_people(path: Path) -> Path:
    """A store of the people; the test pairs are the two views of each held-out person, both ways."""
    with StoreWriter(path, SIZE, source="tests", options={}) as writer:
        for item in examples():
            writer.add(item)
        first = [2 * person for person in range(TRAIN, TRAIN + TEST)]
        writer.set_pairs("test", [(k, k + 1) for k in first] + [(k + 1, k) for k in first])
    return path

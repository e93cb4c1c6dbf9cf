"""Small examples and data sets for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from pgen.data.example import Drop, Example, Job, Split
from pgen.data.readers.registry import FoundPhotos
from pgen.data.store import StoreWriter
from pgen.runtime.parallel_map import parallel_map
from tests.data.pose_files import write_pose_csv

SIZE = (128, 128)

#: A person standing, seen from the front, in a 128-pixel square.
STANDING = np.array(
    [
        (64, 18), (64, 30), (53, 31), (49, 48), (47, 63), (75, 31), (79, 48), (81, 63), (57, 64),
        (56, 88), (55, 112), (71, 64), (72, 88), (73, 112), (61, 15), (67, 15), (57, 17), (71, 17),
    ],
    dtype=np.float32,
)  # fmt: skip


@st.composite
def any_pose(draw: st.DrawFn, low: float = -20) -> np.ndarray:
    """Any 18 points, some of them missing; half the time at whole pixels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pose = rng.uniform(low, 300, (18, 2))
    if draw(st.booleans()):
        pose = pose.round()
    pose[rng.random(18) < draw(st.sampled_from([0, 0.2, 1]))] = np.nan
    return pose.astype(np.float32)


def example(
    index: int,
    person: str = "p",
    split: Split = "train",
    size: tuple[int, int] = SIZE,
    name: str | None = None,
) -> Example:
    """The standing person on noise that differs by ``index``, with a parsing map of boxes."""
    rng = np.random.default_rng(index)
    parsing = np.zeros(size, np.uint8)
    parsing[30:65, 50:78] = 3
    parsing[10:30, 55:73] = 1
    return Example(
        name=name or f"{index:03}.png",
        image=rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        parsing=parsing,
        pose=STANDING + np.float32(index % 3),
        person=person,
        split=split,
        attributes={"sleeves": "short", "note": f"é{index}"},
    )


def write_store(path: Path, count: int = 6, people: int = 2) -> Path:
    """A store of ``count`` photos of ``people`` people in turn; all but those of p0 are for training."""
    with StoreWriter(path, SIZE, source="tests", options={"count": count}) as writer:
        for index in range(count):
            person = f"p{index % people}"
            writer.add(example(index, person, "test" if person == "p0" else "train"))
        writer.set_pairs("test", [(0, people)])
    return path


def write_folder(root: Path, names: tuple[str, ...] = ("a.png", "b.png", "c.png")) -> Path:
    """A data set in the plain forms: images/, parsing/, keypoints.csv and pairs.csv (a to b)."""
    for name in names:
        item = example(len(name), name=name)
        for folder in ("images", "parsing"):
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(item.image).save(root / "images" / name)
        np.save((root / "parsing" / name).with_suffix(".npy"), item.parsing.astype(np.int64))
    write_pose_csv(root / "keypoints.csv", dict.fromkeys(names, STANDING))
    (root / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
    return root


def read_photos(found: FoundPhotos, workers: int = 1) -> Iterator[Example | Drop]:
    """Every photo of ``found``, in their order, read in ``workers`` processes."""
    yield from parallel_map(_read, ((job,) for job in found.jobs()), workers)


def _read(job: Job | Drop) -> Example | Drop:
    return job.read(*job.arguments) if isinstance(job, Job) else job


@contextmanager
def nothing_left_in(folder: Path) -> Iterator[None]:
    """Check that the block leaves ``folder`` as it found it."""
    before = {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
    yield
    assert {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")} == before


def assert_same(read: Example, written: Example) -> None:
    np.testing.assert_array_equal(read.image, written.image)
    np.testing.assert_array_equal(read.parsing, written.parsing)
    np.testing.assert_array_equal(read.pose, written.pose)
    assert (read.name, read.person, read.split) == (written.name, written.person, written.split)
    assert read.attributes == written.attributes
    for mask, own in ((read.carried, written.carried), (read.silhouette, written.silhouette)):
        assert (mask is None) == (own is None)
        if own is not None:
            np.testing.assert_array_equal(mask, own)

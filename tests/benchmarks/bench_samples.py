"""Training samples a second read at random from a store, against computing them from keypoints in numpy.

Run: ``OMP_NUM_THREADS=1 pytest -m benchmark -s tests/benchmarks/bench_samples.py``
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from skimage import data

from pgen.body.parts import part_affines as part_affines_of_batch
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.data.example import Example
from pgen.data.packing import pack_example
from pgen.data.readers.synthetic import synthetic_example
from pgen.data.store import Store, StoreWriter
from pgen.training.config import Schedule
from pgen.training.distributed import ProcessGroup
from pgen.training.loader import load_steps
from pgen.training.sampling import SampledPairs, sample_pairs
from tests.body.definitions import heatmaps, part_affines, part_masks, pose_mask

SIZE = (256, 256)
PHOTOS, BATCH = 1000, 16


@pytest.fixture(scope="module")
def people() -> list[Example]:
    return [synthetic_example(5, person, 0, SIZE) for person in range(50)]


@pytest.fixture(scope="module")
def store(people: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("store") / "a.h5"
    with StoreWriter(path, SIZE, source="benchmark") as writer:
        for index in range(PHOTOS):
            one = people[index % len(people)]
            writer.add(Example(**{**vars(one), "name": str(index), "image": np.roll(one.image, index, 1)}))
    return Store(path)


def rate(work: Callable[[int], object], seconds: float = 3.0) -> float:
    """Calls a second of ``work`` with 0, 1, 2, …"""
    work(0)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        work(count)
        count += 1
    return count / (time.perf_counter() - begin)


@pytest.mark.benchmark
def test_samples_a_second(store: Store) -> None:
    torch.set_num_threads(1)
    sampler = PersonDataset(store, in_memory=False)
    chosen = np.random.default_rng(0).permutation(PHOTOS)

    def from_file(number: int) -> None:
        source, target = (torch.from_numpy(np.roll(chosen, -BATCH * number - k)[:BATCH].copy()) for k in (0, 1))
        part_affines_of_batch(sampler.batch(source).poses, sampler.batch(target).poses)

    def from_keypoints(number: int) -> None:
        source, target = (store.poses[chosen[(number + k) % PHOTOS]] for k in (0, 1))
        for pose in (source, target):
            heatmaps(pose, SIZE)
            pose_mask(pose, SIZE)
        part_masks(target, SIZE)
        part_affines(source, target)

    parts: dict[str, Callable[[int], object]] = {
        "read an image": lambda number: store.image(chosen[number % PHOTOS]),
        "read a parsing map": lambda number: store.parsing(chosen[number % PHOTOS]),
        "affines of a pair in numpy": lambda n: part_affines(*(store.poses[chosen[(n + k) % PHOTOS]] for k in (0, 1))),
    }
    print(f"\n{PHOTOS} images of 256x256, one process, random order\n")
    for name, work in parts.items():
        print(f"{name:58} {rate(work):8.0f} a second")
    read, made = [], []
    for turn in range(3):  # in turns, so that what else the machine does meets both
        read.append(BATCH * rate(lambda number, turn=turn: from_file(number + 997 * turn)))
        made.append(rate(from_keypoints))
    samples, online = np.median(read), np.median(made)
    print(f"{'samples in batches (two images and maps, affines)':58} {samples:8.0f} a second")
    print(f"{'heatmaps, masks and affines of a sample, online in numpy':58} {online:8.1f} a second")
    print(f"{'ratio':58} {samples / online:8.1f}")


class Pairs:
    """A task that asks for pairs of photos and nothing else."""

    def __init__(self, train: PersonDataset) -> None:
        self.train, self.schedule = train, Schedule(batch=BATCH)
        self.matches = torch.arange(len(train))[:, None]

    def sample(self, rng: torch.Generator) -> SampledPairs:
        return sample_pairs(self.train, self.matches, self.schedule, rng, 1.0)


@pytest.mark.benchmark
def test_loader(store: Store) -> None:
    """Samples a second that a training is given, each of two photos and maps, as networks see them."""
    torch.set_num_threads(1)
    print()
    for in_memory, workers in ((True, 0), (False, 0), (False, 1), (False, 2), (False, 4)):
        task: Any = Pairs(PersonDataset(store, in_memory=in_memory))
        steps = load_steps(task, 0, range(10**6), ProcessGroup(), workers)
        found = rate(lambda number, steps=steps: [next(steps).parts[0].persons(r) for r in ("source", "target")])
        place = "memory" if in_memory else "the file"
        print(f"{f'samples from {place}, {workers} workers':58} {BATCH * found:8.0f} a second")


@pytest.mark.benchmark
def test_affines_of_pairs(store: Store) -> None:
    """Computing the affines of validation pairs, against looking up those that are stored."""
    torch.set_num_threads(1)
    pairs = [(k, (7 * k + 1) % PHOTOS) for k in range(16)]
    source, target = (torch.from_numpy(store.poses[list(side)]) for side in zip(*pairs, strict=True))
    stored = torch.zeros(len(pairs), 10, 2, 3).numpy()
    rows = dict(zip(pairs, stored, strict=True))
    ways: dict[str, Callable[[int], object]] = {
        "computed": lambda number: part_affines_of_batch(source, target),
        "looked up": lambda number: torch.from_numpy(np.stack([rows[pair] for pair in pairs])),
        "all of a Transfer": lambda number: Transfer(source, target, SIZE),
    }
    print()
    for name, work in ways.items():
        print(f"{f'affines of a pair, {name}':58} {1e6 / (len(pairs) * rate(work, 1.0)):8.1f} us")


@pytest.mark.benchmark
def test_compression(people: list[Example], tmp_path: Path) -> None:
    """The table in `pgen.data.store`, for rendered people and for the photos that come with scikit-image."""
    whole = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    photos = [np.asarray(ImageOps.fit(Image.fromarray(one), SIZE)) for one in whole] * 10
    filters: dict[str, dict] = {
        "none": {},
        "lzf": {"compression": "lzf"},
        "gzip 1": {"compression": "gzip", "compression_opts": 1},
        "gzip 4": {"compression": "gzip", "compression_opts": 4},
    }
    print("\nfilter   of         KB an image   reads/s   writes/s")
    for name, options in filters.items():
        kinds = {"renders": [one.image for one in people], "photos": photos, "maps": [one.parsing for one in people]}
        for kind, images in kinds.items():
            path = tmp_path / f"{name}{kind}.h5"
            begin = time.perf_counter()
            with h5py.File(path, "w") as file:
                shape = images[0].shape
                column = file.create_dataset("images", (len(images), *shape), "u1", chunks=(1, *shape), **options)
                for index, image in enumerate(images):
                    column[index] = image
            writes = len(images) / (time.perf_counter() - begin)
            with h5py.File(path, rdcc_nbytes=0) as file:  # nothing is read twice from HDF5's own cache
                reads = rate(lambda number, column=file["images"]: column[number % len(column)], 1.0)
            size = path.stat().st_size / len(images) / 1024
            print(f"{name:8} {kind:8} {size:13.1f} {reads:9.0f} {writes:10.0f}")


@pytest.mark.benchmark
def test_packing(people: list[Example]) -> None:
    """What a worker does for each photo after reading it, and how much of it is compression."""
    print(f"\npacked {rate(lambda number: pack_example(people[number % 50], SIZE)):8.0f} a second")
    print(f"zlib   {rate(lambda number: zlib.compress(people[number % 50].image.data, 1)):8.0f} a second")

"""One table of how fast everything is: each stage's rate, its share of the product rate, and memory.

Beside it: how the networks' time grows with the frame, and optimised forms against plain ones, which give the same.
Seconds are of the processor, divided by the number of threads; ``OMP_NUM_THREADS=1`` is steadiest.

Run: ``pytest -m benchmark -s tests/benchmarks/bench_speed.py``. ``PGEN_JSON`` names a file for the numbers.
``PGEN_RUNS`` is how often each is run (default 3), ``PGEN_STAGES`` which of
``annotation,networks,rendering,training,poses``, ``PGEN_BATCHES`` at which batches plain forms are compared (``1,4``).
``PGEN_WIDTHS=small`` takes a quarter of the width in that comparison.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import pgen
from pgen.body.warp import deformable_skip, plan_warp
from pgen.data.annotators.interface import ParsingRequest
from pgen.data.annotators.own_parser import OwnParser
from pgen.data.dataset import PersonDataset
from pgen.data.named_poses import load_named_poses
from pgen.inference.networks import Networks
from pgen.inference.person import Person
from pgen.inference.predictor import Predictor
from pgen.models.appearance import AppearanceConfig, AppearanceInput, TwoLevelAppearanceGenerator
from pgen.runtime.allocator import keep_freed_memory
from pgen.runtime.precision import cast_products, choose_precision
from pgen.synthetic.dataset import synthetic_person, synthetic_shot
from pgen.synthetic.render import render
from tests.benchmarks.bench_training import Clock as NoClock
from tests.benchmarks.bench_training import a_step, sampler, stage_of
from tests.benchmarks.rates import Row, alternate, measure, measure_product_rate, report
from tests.models.definition import (
    deformable_skip_by_definition,
    generator_by_definition,
    golden_geometry,
    make_plain,
)

__all__ = ["sampler"]  # a fixture

RUNS = int(os.environ.get("PGEN_RUNS", "3"))
WIDTHS = {"full": ((64, 128, 256, 512, 512, 512), (32, 64)), "small": ((16, 32, 64, 128, 128, 128), (8, 16))}
POSES = 8
STAGES = os.environ.get("PGEN_STAGES", "annotation,networks,rendering,training,poses").split(",")


@pytest.fixture(autouse=True, scope="module")
def memory_as_in_commands() -> None:
    keep_freed_memory()


def read_person(predictor: Predictor) -> Person:
    photo = render(synthetic_person(3, 0), synthetic_shot(3, 0, 0))
    return predictor.person(photo.image, photo.pose, photo.parsing)


def list_poses() -> list[str]:
    return list(load_named_poses())[:POSES]


@torch.inference_mode()
def measure_networks(predictor: Predictor, rate: float) -> list[Row]:
    from pgen.body.transfer import Transfer

    networks = predictor.networks
    source = networks.frame_person(read_person(predictor)).batch
    pose = torch.from_numpy(load_named_poses()["walk"].pose)[None]
    transfer = Transfer(source.poses, pose, networks.frame)
    labels = networks.predict_maps(source, transfer)

    def forget(work: object) -> Networks:
        networks._source = None  # so that the source is encoded each time
        return networks

    return [
        measure("H_S, and of the mirror image", lambda: forget(0).predict_maps(source, transfer), rate, 1, RUNS),
        measure("H_A, with guide and colors", lambda: forget(0).paint(source, transfer, labels), rate, 1, RUNS),
    ]


def measure_annotation(rate: float) -> list[Row]:
    photo = render(synthetic_person(3, 0), replace(synthetic_shot(3, 0, 0)))
    parser = OwnParser()
    request = ParsingRequest(photo.image, photo.pose, (photo.parsing > 0).astype("float32"))
    rows = [measure("parsing map of a photo", lambda: parser.parse([request]), rate, 1, RUNS)]
    try:
        from pgen.data.annotators.mediapipe_pose import MediapipePose

        poses = MediapipePose()
    except pgen.InputError:
        return rows
    return [
        measure("pose of a photo (no products of torch's)", lambda: poses.people(photo.image), rate, 1, RUNS),
        *rows,
    ]


def measure_training(sampler: PersonDataset, rate: float) -> list[Row]:
    rows = []
    for name in ("hs", "joint"):
        stage = stage_of(name, sampler)
        stage.networks.train()
        optimisers = [torch.optim.Adam(m.parameters(), 1e-4) for m in (stage.networks, stage.discriminators) if len(m)]
        for precision in ("fp32", "bf16"):
            work = lambda: a_step(stage, precision, 0, NoClock(), optimisers)  # noqa: B023, E731
            rows.append(measure(f"training {name}, synthetic-128, {precision}", work, rate, stage.schedule.batch, 1))
    return rows


def compare_many_poses(predictor: Predictor) -> float:
    """How many times as fast one person is in several poses at once as in one after the other, read anew each time."""
    person, poses = read_person(predictor), list_poses()

    def together() -> None:
        list(predictor.generate_many(replace(person), poses, resolution="network"))

    def apart() -> None:
        for pose in poses:
            predictor.generate(replace(person), pose, resolution="network")

    many, each = alternate(together, apart, max(1, RUNS // 2))
    return each / many


@pytest.mark.benchmark
def test_stages(sampler: PersonDataset) -> None:
    rate, rows, predictor = measure_product_rate(), [], pgen.load(device="cpu", precision="fp32")
    more = {"product rate, GFLOP a second": rate / 1e9}
    if "annotation" in STAGES:
        rows += measure_annotation(rate)
    if "networks" in STAGES:
        rows += measure_networks(predictor, rate)
    if "rendering" in STAGES:
        person = read_person(predictor)
        work = lambda: predictor.generate(person, "walk")  # noqa: E731
        rows.append(measure("result at the photo's size, 256x256", work, rate, 1, RUNS))
    if "training" in STAGES:
        rows += measure_training(sampler, rate)
    if "poses" in STAGES:
        more[f"one person in {POSES} poses: times as fast as {POSES} calls"] = compare_many_poses(predictor)
    report(f"{torch.get_num_threads()} threads; rates in processor seconds", rows, more)


def repeat(batch: int, *tensors: torch.Tensor) -> list[torch.Tensor]:
    return [tensor.repeat(math.ceil(batch / len(tensor)), *[1] * (tensor.ndim - 1))[:batch] for tensor in tensors]


@pytest.mark.benchmark
@torch.inference_mode()
def test_plain_forms(golden) -> None:
    rate, rows, more = measure_product_rate(), [], {}
    body = golden("body")
    widths, local = WIDTHS[os.environ.get("PGEN_WIDTHS", "full")]
    torch.manual_seed(0)
    model = TwoLevelAppearanceGenerator(AppearanceConfig(widths, local)).eval().to(memory_format=torch.channels_last)
    plain, cast = make_plain(model), cast_products(model, torch.bfloat16)
    for batch in map(int, os.environ.get("PGEN_BATCHES", "1,4").split(",")):
        (a, m), (half_a, half_m) = (repeat(batch, *golden_geometry(body, size)) for size in (256, 128))
        full, half = ((torch.randn(batch, 30, size, size), torch.randn(batch, 27, size, size)) for size in (256, 128))

        def ours(model=model, full=full, half=half, a=a, m=m, half_a=half_a, half_m=half_m) -> torch.Tensor:
            inputs = [[x.contiguous(memory_format=torch.channels_last) for x in pair] for pair in (full, half)]
            first = AppearanceInput(*inputs[0], [plan_warp(a, m, (256, 256))])
            levels = [plan_warp(half_a, half_m, (128 >> k, 128 >> k)) for k in range(4)]
            return model(first, AppearanceInput(*inputs[1], levels))

        def theirs(full=full, half=half, a=a, m=m, half_a=half_a, half_m=half_m) -> torch.Tensor:
            return generator_by_definition(plain, full, half, (a, m), (half_a, half_m))

        torch.testing.assert_close(ours(), theirs(), atol=1e-3, rtol=0)
        fast, slow = alternate(ours, theirs, RUNS)
        more[f"two-level H_A, batch {batch}: times as fast as its definition"] = slow / fast

        def in_bf16(work: Callable[..., torch.Tensor], *network: torch.nn.Module) -> torch.Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return work(*network)

        if choose_precision("auto", torch.device("cpu")) == torch.bfloat16:
            coarse, slow = alternate(lambda: in_bf16(ours, cast), theirs, RUNS)
            more[f"two-level H_A in bf16, batch {batch}: times as fast as its definition in fp32"] = slow / coarse
            coarse, slow = alternate(lambda: in_bf16(ours, cast), lambda: in_bf16(theirs), RUNS)
            more[f"two-level H_A in bf16, batch {batch}: times as fast as its definition in bf16"] = slow / coarse
        rows.append(measure(f"two-level H_A alone, batch {batch}", ours, rate, batch, 1))
        feature = torch.randn(batch, 64, 128, 128).contiguous(memory_format=torch.channels_last)
        skip = lambda: deformable_skip(feature, plan_warp(half_a, half_m, (128, 128)))  # noqa: B023, E731
        definition = lambda: deformable_skip_by_definition(feature, half_a, half_m)  # noqa: B023, E731
        torch.testing.assert_close(skip(), definition(), atol=1e-3, rtol=0)
        fast, slow = alternate(skip, definition, RUNS)
        more[f"deformable skip, batch {batch}: times as fast as its definition"] = slow / fast
    quarter = [plan_warp(*golden_geometry(body, 128), (64 >> k, 64 >> k)) for k in range(4)]
    small = AppearanceInput(torch.randn(2, 30, 64, 64), torch.randn(2, 27, 64, 64), quarter)
    whole = AppearanceInput(
        torch.randn(2, 30, 128, 128), torch.randn(2, 27, 128, 128), [plan_warp(*golden_geometry(body, 128), (128, 128))]
    )
    at_half = measure("two-level H_A alone, 128x128", lambda: model(whole, small), rate, 2, 1)
    rows.append(at_half)
    more["growth of its time with the number of pixels (exponent)"] = math.log(at_half.rate / rows[0].rate, 4)
    report(f"{torch.get_num_threads()} threads; the paper's generator at 256x256", rows, more)

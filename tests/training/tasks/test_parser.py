from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pgen.body.joints import Joint
from pgen.data.dataset import PersonDataset
from pgen.data.mixture import mix
from pgen.data.store import Store, StoreWriter
from pgen.data.weights import load_trunk_state, load_weights, save_weights
from pgen.models.parser import ParserInput
from pgen.training.config import load_preset
from pgen.training.distributed import ProcessGroup
from pgen.training.loop import create_state, list_parameter_groups
from pgen.training.run import RunConfig
from pgen.training.tasks.parser import ParserTask
from pgen.training.tasks.person_task import TaskData
from tests.training.people import SIZE, TINY, examples

Samplers = tuple[PersonDataset, PersonDataset]


def write_photos(path: Path) -> Path:
    """The people of the tests as photos whose poses were estimated, each with a bag beside the hips."""
    with StoreWriter(path, SIZE, source="folder") as writer:
        for item in examples():
            x, y = item.pose[[Joint.R_HIP, Joint.L_HIP]].mean(axis=0).round().astype(int)
            carried = np.zeros(SIZE, np.uint8)
            carried[y : y + 12, x + 4 : x + 16] = 1
            image, parsing = item.image.copy(), item.parsing.copy()
            image[carried == 1], parsing[carried == 1] = (255, 0, 255), 0
            silhouette = 255 * ((parsing > 0) | (carried == 1)).astype(np.uint8)
            writer.add(replace(item, image=image, parsing=parsing, carried=carried, silhouette=silhouette))
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Samplers:
    store = Store(write_photos(tmp_path_factory.mktemp("photos") / "photos.h5"))
    return PersonDataset(store, "train", with_masks=True), PersonDataset(store, "test", with_masks=True)


def build(data: Samplers, *settings: str, carried: bool = True) -> ParserTask:
    values = (*TINY, f"parser.network.carried={str(carried).lower()}", "parser.schedule.batch=8", *settings)
    return ParserTask(load_preset("synthetic-64", values).parser, TaskData(*data))


def with_masks(samplers: Samplers) -> Samplers:
    store = samplers[0].store
    return PersonDataset(store, "train", with_masks=True), PersonDataset(store, "test", with_masks=True)


def test_a_parser_of_photos_and_synthetic_people_finds_what_is_carried(photos: Samplers, samplers: Samplers) -> None:
    rendered = with_masks(samplers)
    for part in rendered:
        part.is_rendered = True
    both = mix([photos[0], rendered[0]], [0.5, 0.5]), mix([photos[1], rendered[1]], [0.5, 0.5])
    task = build(both)
    batch = task.sample(torch.Generator().manual_seed(1)).load(task.train)
    _, truth = task.randomize(batch)
    of_photos = batch.source < len(photos[0])
    assert truth.knows_carried.all()
    assert truth.carried[of_photos].any()
    assert not truth.carried[~of_photos].any()
    assert not (truth.carried & (truth.labels > 0)).any()
    losses, _ = task.losses(batch)
    assert losses.keys() == {"cross_entropy", "soft_iou", "carried"}
    sum(losses.values(), torch.zeros(())).backward()
    weight = task.model.to_logits.weight
    assert weight.grad is not None
    assert weight.grad.reshape(11, -1)[10].abs().sum() > 0
    scores = task.validate(task.networks.eval())
    names = {"miou", "miou_photos", "miou_people", "carried_iou", "carried_iou_photos"}
    assert scores.keys() == names
    assert scores["miou"] == pytest.approx((scores["miou_photos"] + scores["miou_people"]) / 2)


def test_parts_of_a_batch_are_changed_as_the_whole(photos: Samplers) -> None:
    task = build(photos)
    batch = task.sample(torch.Generator().manual_seed(1)).load(task.train)
    inputs, truth = task.randomize(batch)
    assert (inputs.images.shape, truth.labels.shape) == ((8, 3, *SIZE), (8, SIZE[0] // 2, SIZE[1] // 2))
    assert inputs.images.amin() >= -1
    assert inputs.images.amax() <= 1
    part, part_truth = task.randomize(batch.part(1, 2))
    torch.testing.assert_close(part.images, inputs.images[4:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(part.silhouettes, inputs.silhouettes[4:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(part.poses, inputs.poses[4:], equal_nan=True)
    assert torch.equal(part_truth.labels, truth.labels[4:])
    assert torch.equal(part_truth.carried, truth.carried[4:])


def test_a_training_may_begin_at_a_smaller_size(photos: Samplers) -> None:
    task = build(photos, "parser.small_steps=2")
    batch = task.sample(torch.Generator().manual_seed(1)).load(task.train)
    seen: list[ParserInput] = []
    task.model.register_forward_pre_hook(lambda model, given: seen.append(given[0]))
    for step in (1, 2):
        task.on_step_start(step, task.networks)
        losses, _ = task.losses(batch)
        assert all(torch.isfinite(loss) for loss in losses.values())
    small, whole = seen
    assert whole.images.shape[2:] == SIZE
    assert small.images.shape[2:] == (48, 48)
    torch.testing.assert_close((small.poses + 0.5) / 0.75, whole.poses + 0.5, equal_nan=True)
    averages = [x.images.mean((2, 3)) for x in seen]
    torch.testing.assert_close(*averages, atol=0.02, rtol=0)


def test_maps_that_are_estimates_may_count_less(photos: Samplers) -> None:
    batch = build(photos).sample(torch.Generator().manual_seed(1)).load(photos[0])
    found = []
    for weight, share in ((1.0, 0), (0.25, 0), (0.25, 2), (0.25, 1)):
        source = batch.photos["source"]
        is_estimated = torch.arange(8) % 2 == 0 if share == 2 else torch.full((8,), bool(share))
        marked = replace(batch, photos={**batch.photos, "source": replace(source, is_estimated=is_estimated)})
        torch.manual_seed(0)
        losses, _ = build(photos, f"parser.estimated_weight={weight}").losses(marked)
        found.append(losses["cross_entropy"].item())
    assert found[0] == pytest.approx(found[1])
    assert found[3] == pytest.approx(found[0] / 4)
    assert found[3] < found[2] < found[0]


def test_silhouettes_and_poses_that_were_estimated_are_used(photos: Samplers) -> None:
    task = build(photos)
    inputs, truth = task._find_held_out_inputs(torch.arange(4))
    figures = (truth.labels > 0) | truth.carried
    given = torch.nn.functional.avg_pool2d(inputs.silhouettes, 2)[:, 0] > 0.5
    assert (given == figures).float().mean() > 0.99
    known = torch.isfinite(photos[1].poses[:4]).all(2)
    assert (torch.isfinite(inputs.poses).all(2) <= known).all()


def test_a_larger_parser_begins_as_the_one_it_grows_from(samplers: Samplers) -> None:
    small = build(samplers, carried=False).model.eval()
    large = build(samplers, "parser.network.depths=[2, 1, 3]")
    large.start_from(small)
    inputs, _ = large._find_held_out_inputs(torch.arange(3))
    grown = [p for name, p in large.model.named_parameters() if name not in small.state_dict()]
    added = [p for p in grown if p.ndim == 1 and p.any()]
    assert len(added) == 3
    assert all((p == 0.05).all() for p in added)  # learns, and changes little
    with torch.no_grad():
        for p in added:  # without what is added
            p.zero_()
        found = large.model.eval()(inputs)
        torch.testing.assert_close(found[:, :10], small(inputs), atol=1e-5, rtol=1e-5)
    assert not found[:, 10].any()
    with pytest.raises(RuntimeError):
        build(samplers, "parser.network.widths=[8, 8, 8]").start_from(small)
    with pytest.raises(RuntimeError):
        build(samplers, carried=False).start_from(large.model)


def test_stages_of_the_trunk_that_are_tuned_have_a_rate_of_their_own(photos: Samplers, tmp_path: Path) -> None:
    task = build(photos, "parser.network.tuned=2", "parser.tuned_lr_factor=0.1")
    state = create_state(task, RunConfig(tmp_path, {}), ProcessGroup())
    groups = list_parameter_groups(task)
    assert len(state.optimizer.param_groups) == len(groups)
    factors = {id(p): factor for parameters, factor in groups for p in parameters}
    assert len(factors) == len(list(task.model.parameters()))
    assert {factors[id(p)] for p in task.model.trunk.parameters()} == {0.1}
    assert {factors[id(p)] for p in task.model.coarse.parameters()} == {1.0}
    batch = task.sample(torch.Generator().manual_seed(0)).load(task.train)
    sum(task.losses(batch)[0].values(), torch.zeros(())).backward()
    stages = task.model.trunk.stages
    moved = [any(p.grad is not None and p.grad.any() for p in stage.parameters()) for stage in stages]
    assert moved == [False, False, False, True, True]


def test_files_hold_the_trunk_s_stages_that_were_tuned(photos: Samplers, tmp_path: Path) -> None:
    task, path = build(photos, "parser.network.tuned=1"), tmp_path / "parser.safetensors"
    save_weights(path, SIZE, task.networks)
    small = path.stat().st_size
    with torch.no_grad():
        for parameter in task.model.trunk.stages[-1].parameters():
            parameter.add_(1)
    save_weights(path, SIZE, task.networks, overwrite=True)
    assert path.stat().st_size > 2 * small
    found = load_weights(path).parser
    assert found is not None
    shared = load_trunk_state()
    for name, value in found.trunk.state_dict().items():
        torch.testing.assert_close(value, shared[name] + 1 if name.startswith("stages.4.") else shared[name])

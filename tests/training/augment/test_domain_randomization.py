from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pgen.body.batch import PersonBatch
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.training.augment.annotation_noise import perturb_poses, perturb_silhouettes
from pgen.training.augment.batch_rng import BatchRng
from pgen.training.augment.domain_randomization import (
    crop_persons,
    crop_randomly,
    crop_whole,
    photometric_distort,
    recolor_garments,
    replace_background,
)
from tests.training.people import examples

torch.set_num_threads(1)
SEEDS = torch.arange(8)


def people(count: int = 8) -> PersonBatch:
    chosen = examples()[:count]
    return PersonBatch(
        torch.from_numpy(np.stack([e.image for e in chosen])).permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(np.stack([e.parsing for e in chosen])).long(),
        torch.from_numpy(np.stack([e.pose for e in chosen])),
    )


def test_a_sample_s_numbers_are_its_own() -> None:
    whole_batch, part = BatchRng(SEEDS), BatchRng(SEEDS[3:5])
    for throw in (
        lambda rng: rng.uniform(2, 3, 4),
        lambda rng: rng.normal(2),
        lambda rng: rng.chance(0.5, 9),
        lambda rng: rng.field(1, 3, (8, 8)),
    ):
        of_all, of_part = throw(whole_batch), throw(part)
        assert torch.equal(of_all[3:5], of_part)
        assert not torch.equal(of_all[0], of_all[1])
    assert ((whole_batch.uniform(2, 3, 100) >= 2) & (whole_batch.uniform(2, 3, 100) <= 3)).all()


def test_skin_gets_lighter_or_darker_and_keeps_its_hue() -> None:
    views = people()
    images = recolor_garments(views.images, views.labels, BatchRng(SEEDS))
    ratios, tints = [], []
    for image, before, labels in zip(images, views.images, views.labels, strict=True):
        face = labels == Label.FACE
        if face.sum() > 8:
            gains = image[:, face].mean(1) / before[:, face].mean(1)
            ratios.append(gains.mean())
            tints.append((gains / gains.mean() - 1).abs().max())
    assert torch.stack(ratios).log().std() > 0.08
    assert torch.stack(tints).max() < 0.15


def test_clothes_change_and_the_ground_does_not() -> None:
    views = people()
    images = recolor_garments(views.images, views.labels, BatchRng(SEEDS))
    ground = (views.labels == 0)[:, None].expand_as(images)
    assert torch.equal(images[ground], views.images[ground])
    assert (images[~ground] - views.images[~ground]).abs().mean() > 0.05
    assert ((images >= 0) & (images <= 1)).all()


def test_grounds_change_and_the_figure_does_not() -> None:
    views = people()
    others = views.images.flip(0)
    images = replace_background(views.images, views.labels, others, BatchRng(SEEDS))
    figure = torch.nn.functional.avg_pool2d((views.labels > 0).float()[:, None], 3, 1, 1) == 1
    inside = figure.expand_as(images)
    torch.testing.assert_close(images[inside], views.images[inside])
    changed = ((images - views.images).abs() * ~figure).mean((1, 2, 3)) > 0.02
    assert changed.sum() >= 4


def test_no_background_comes_through_a_figure_that_the_frame_cuts() -> None:
    views = people()
    everywhere = torch.full_like(views.labels, Label.UPPER)
    images = replace_background(views.images, everywhere, views.images.flip(0), BatchRng(SEEDS))
    torch.testing.assert_close(images, views.images)


def test_crops_move_image_labels_and_joints_together() -> None:
    """A square that is turned about the frame's corner: what was at a place is found at that of the joint there."""
    size = 64
    images, labels = torch.zeros(1, 3, size, size), torch.zeros(1, size, size, dtype=torch.long)
    images[0, :, 40:44, 20:24], labels[0, 40:44, 20:24] = 1, 5
    poses = torch.full((1, 18, 2), torch.nan)
    poses[0, 0], poses[0, 1] = torch.tensor([21.5, 41.5]), torch.tensor([60.0, 2.0])
    turn = torch.tensor([0.5])
    crop = crop_persons(PersonBatch(images, labels, poses), torch.tensor([[26.0, 36.0]]), torch.tensor([32.0]), turn)
    assert crop.images.shape == (1, 3, 64, 64)
    assert crop.labels.shape == (1, 32, 32)
    rows, columns = torch.nonzero(crop.images[0, 0] > 0.5, as_tuple=True)
    found = torch.stack([columns, rows], 1).float().mean(0)
    torch.testing.assert_close(found, crop.poses[0, 0], atol=0.3, rtol=0)
    rows, columns = torch.nonzero(crop.labels[0] == 5, as_tuple=True)
    half = torch.stack([columns, rows], 1).float().mean(0)
    torch.testing.assert_close((half + 0.5) * 2 - 0.5, crop.poses[0, 0], atol=0.6, rtol=0)
    away = torch.tensor([21.5 - 26, 41.5 - 36])
    back = torch.tensor([[math.cos(0.5), math.sin(0.5)], [-math.sin(0.5), math.cos(0.5)]])
    torch.testing.assert_close(crop.poses[0, 0], back @ away * 2 + 31.5, atol=1e-3, rtol=0)
    assert crop.poses[0, 1].isnan().all()  # outside


def test_whole_figures_fill_the_frame_but_for_a_margin() -> None:
    labels = crop_whole(people()).labels > 0
    for shown in labels:
        rows, columns = torch.nonzero(shown, as_tuple=True)
        longer = max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) + 1
        assert longer / 32 == pytest.approx(1 / 1.2, abs=0.08)


def test_some_are_shown_in_part() -> None:
    views = people()
    joints = crop_randomly(views, BatchRng(SEEDS)).poses.isfinite().all(2).sum(1)
    before = views.poses.isfinite().all(2).sum(1)
    assert (joints <= before).all()
    assert (joints < before).any()


def test_photographs_differ_and_stay_within_range() -> None:
    images = people().images
    taken = photometric_distort(images, BatchRng(SEEDS))
    assert ((taken >= 0) & (taken <= 1)).all()
    assert ((taken - images).abs().mean((1, 2, 3)) > 0.01).all()
    assert torch.equal(taken, photometric_distort(images, BatchRng(SEEDS)))


def test_joints_are_off_and_some_are_lost() -> None:
    pose = torch.zeros(18, 2)
    pose[[Joint.R_SHOULDER, Joint.L_SHOULDER]], pose[[Joint.R_HIP, Joint.L_HIP]] = (
        torch.tensor([[0.0, 0.0], [30.0, 0.0]]),
        torch.tensor([[0.0, 50.0], [30.0, 50.0]]),
    )
    found = perturb_poses(pose.expand(200, -1, -1), BatchRng(torch.arange(200)))
    known = found.isfinite().all(2)
    assert 0.88 < known.float().mean() < 0.97
    error = (found - pose).norm(dim=2)[known] / 50
    assert 0.035 < error.mean() < 0.06


def test_silhouettes_follow_the_figure_roughly() -> None:
    figures = people().labels > 0
    found, there = perturb_silhouettes(figures.repeat(8, 1, 1), BatchRng(torch.arange(64)))
    both = ((found[:, 0] > 0.5) & figures.repeat(8, 1, 1)).float().sum((1, 2))
    either = ((found[:, 0] > 0.5) | figures.repeat(8, 1, 1)).float().sum((1, 2))
    assert 0.8 < (both / either).mean() < 0.98
    assert ((found >= 0) & (found <= 1)).all()
    assert 0.85 < there.float().mean() < 0.99

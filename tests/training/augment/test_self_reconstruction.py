"""Painting the source's own photo into another crop."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from pgen.body.batch import PersonBatch
from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.body.parts import crop_faces, torso_lengths
from pgen.body.paste import clean_background
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset, augment
from pgen.training.augment.self_reconstruction import Occlusion, occlude
from pgen.training.config import Schedule
from pgen.training.sampling import sample_pairs
from pgen.training.tasks.appearance import AppearanceTask
from pgen.training.tasks.appearance_objective import TERMS, Generated
from tests.models.people import views
from tests.training.people import painting

Samplers = tuple[PersonDataset, PersonDataset]
SIZES = [(64, 64), (64, 48), (72, 32)]


def drawn(batch: int, seed: int = 0) -> Occlusion:
    """What is hidden by discs alone."""
    hiding = Occlusion.draw(batch, torch.Generator().manual_seed(seed))
    return replace(hiding, turned=torch.zeros(batch, dtype=torch.bool))


@pytest.mark.parametrize("size", SIZES)
def test_discs_hide_what_they_should_pixel_by_pixel(size: tuple[int, int]) -> None:
    source = views(size, count=2)
    source.poses[1, Joint.R_WRIST] = torch.nan
    hiding = drawn(2, seed=1)
    joints = torch.tensor([[0, 4, 10, 3], [Joint.R_WRIST, 1, 7, 12]])
    hiding = replace(hiding, joints=joints, radii=torch.tensor([[0.4, 0.0, 0.2, 0.3], [0.45, 0.2, 0.0, 0.0]]))
    lengths = torso_lengths(source.poses).tolist()
    behind = clean_background(source.images, source.labels)
    images, labels = source.images.clone(), source.labels.clone()
    for b, (k, joint) in product(range(2), enumerate(range(4))):
        x, y = source.poses[b, joints[b, joint]].tolist()
        if x != x:
            continue
        x, y = (at + offset * lengths[b] for at, offset in zip((x, y), hiding.offsets[b, k].tolist(), strict=True))
        radius = hiding.radii[b, k].item() * lengths[b]
        for row, column in product(range(size[0]), range(size[1])):
            if (column - x) ** 2 + (row - y) ** 2 < radius**2:
                images[b, :, row, column] = behind[b, :, row, column]
                labels[b, row, column] = 0
    shown = occlude(source, hiding)
    assert torch.equal(shown.labels, labels)
    assert torch.equal(shown.images, images)
    assert (labels != source.labels).sum() > 20
    moves = torch.tensor(lengths)[:, None, None] * hiding.shaking
    torch.testing.assert_close(shown.poses, source.poses + moves, equal_nan=True)


def test_nothing_is_hidden_at_missing_joints_or_without_a_torso() -> None:
    source = views(count=3)
    source.poses[0] = torch.nan
    source.poses[1, Joint.R_HIP] = torch.nan
    source.poses[2, Joint.NOSE] = torch.nan
    hiding = replace(drawn(3), joints=torch.full((3, 4), int(Joint.NOSE)), radii=torch.full((3, 4), 0.45))
    shown = occlude(source, hiding)
    assert torch.equal(shown.labels, source.labels)
    assert torch.equal(shown.images, source.images)
    assert torch.equal(shown.poses.isnan(), source.poses.isnan())
    torch.testing.assert_close(shown.poses[1], source.poses[1], equal_nan=True)  # nor is it shaken


def test_hair_covers_the_face_of_who_is_turned() -> None:
    source = views(count=3)
    source.labels[2].masked_fill_(source.labels[2] == Label.HAIR, int(Label.UPPER))  # nothing to cover it with
    hiding = drawn(3)
    hiding = replace(hiding, turned=torch.tensor([True, False, True]), radii=0 * hiding.radii)
    shown = occlude(source, hiding)
    for b in (1, 2):
        assert torch.equal(shown.labels[b], source.labels[b])
        assert torch.equal(shown.images[b], source.images[b])
    hair, face = source.labels[0] == Label.HAIR, source.labels[0] == Label.FACE
    assert (shown.labels[0, face] == Label.HAIR).all()
    assert torch.equal(shown.labels[0, ~face], source.labels[0, ~face])
    colour = source.images[0][:, hair].mean(1, keepdim=True)
    torch.testing.assert_close(shown.images[0][:, face], colour.expand(-1, int(face.sum())))
    assert torch.equal(shown.images[0][:, ~face], source.images[0][:, ~face])
    gone = {Joint.NOSE, Joint.R_EYE, Joint.L_EYE}
    assert set(shown.poses[0, :, 0].isnan().nonzero().flatten().tolist()) == gone
    assert torch.equal(shown.poses[1:].isnan(), source.poses[1:].isnan())
    assert not source.poses.isnan().any()  # which is not changed itself


def test_what_is_drawn() -> None:
    hiding = Occlusion.draw(500, torch.Generator().manual_seed(0))
    assert 0.45 < hiding.turned.float().mean() < 0.55
    used = hiding.radii[hiding.radii > 0]
    assert 0.1 <= used.min() < 0.12
    assert 0.43 < used.max() <= 0.45
    assert 0.55 < len(used) / 2000 < 0.65
    assert set(hiding.joints.flatten().tolist()) == set(range(18))
    assert hiding.shaking.std().item() == pytest.approx(0.06, rel=0.05)
    part, again = hiding[10:20], Occlusion.draw(500, torch.Generator().manual_seed(0))
    for name, whole in vars(hiding).items():
        assert torch.equal(getattr(part, name), whole[10:20])
        assert torch.equal(getattr(again, name), whole)


def watched(stage: AppearanceTask, monkeypatch: pytest.MonkeyPatch, error: float) -> list[tuple]:
    """Let H_A paint the truth but for ``error``; what it was asked to."""
    calls: list[tuple] = []
    truth: list[Tensor] = []

    def paint(model: nn.Module, source: PersonBatch, transfer: Transfer, layout: Tensor, *rest: object, **more: object):  # type: ignore[no-untyped-def]
        calls.append((source, transfer, layout))
        return truth[0] + error if len(calls) == 2 else source.images

    monkeypatch.setattr(stage, "paint", paint)
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    truth.append(augment(stage.train.batch(draw.source), draw.second_change).images)
    loss = stage.losses(draw)[0]["recon_l1"]
    return [*calls, (draw, loss)]


def test_the_true_picture_is_known(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source, with parts hidden, goes to its own map and pose in another crop; the loss is L1."""
    settings = ("appearance.weights.recon_l1=3", "appearance.schedule.batch=4", "appearance.schedule.zoom=0.2")
    stage = painting(samplers, *settings, "appearance.color_correction=false")
    *_, (source, transfer, layout), (draw, loss) = watched(stage, monkeypatch, error=0.25)
    assert loss.item() == pytest.approx(3 * 0.25, rel=1e-5)
    a = augment(stage.train.batch(draw.source), draw.source_change)
    crop = augment(stage.train.batch(draw.source), draw.second_change)
    shown = occlude(a, draw.occlusion)
    assert torch.equal(source.images, shown.images)
    assert torch.equal(source.labels, shown.labels)
    assert torch.equal(layout, crop.one_hot())
    torch.testing.assert_close(transfer.source, shown.poses, equal_nan=True)
    torch.testing.assert_close(transfer.target, crop.poses, equal_nan=True)
    assert not torch.equal(crop.images, a.images)
    assert not torch.equal(source.images, a.images)


def test_a_mirrored_photo_is_mirrored_in_both_crops(samplers: Samplers) -> None:
    stage = painting(samplers, "appearance.schedule.batch=64", "appearance.schedule.zoom=0.2")
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    assert 16 < draw.source_change.flip.sum() < 48
    assert torch.equal(draw.second_change.flip, draw.source_change.flip)
    assert not torch.equal(draw.second_change.zoom, draw.source_change.zoom)


def test_h_s_s_own_maps(samplers: Samplers) -> None:
    train = samplers[0]
    matches = ((torch.arange(len(train)) + 1) % len(train))[:, None]
    schedule = Schedule(batch=400, zoom=0.1)
    for self_share, random_share in ((0.0, 0.0), (0.3, 0.0), (1.0, 0.0), (0.5, 0.5)):
        draw = sample_pairs(train, matches, schedule, torch.Generator().manual_seed(0), random_share, self_share)
        is_own = (draw.source == draw.target) & ~draw.has_random_pose
        assert is_own.float().mean().item() == pytest.approx(self_share * (1 - random_share), abs=0.08)
        assert torch.equal(matches[draw.source, 0] == draw.target, ~is_own & ~draw.has_random_pose) or random_share
        assert not torch.equal(draw.source_change.zoom, draw.target_change.zoom)


def test_the_face_is_learnt_from_its_own_crop(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss looks at the second picture's faces alone: nothing else that is wrong there counts."""
    stage = painting(samplers, "appearance.schedule.batch=4", "appearance.color_correction=false")
    _, _, (draw, _) = watched(stage, monkeypatch, error=0.0)
    goal = augment(stage.train.batch(draw.source), draw.second_change)
    maps = torch.cat([goal.one_hot()] * 2)

    def loss(second: Tensor) -> float:
        fakes = torch.cat([torch.zeros_like(second), second])
        paste = Transfer(goal.poses, goal.poses, stage.frame).paste(goal.images, goal.labels, goal.labels)
        networks = (stage.config, stage.frozen, stage.discriminators)
        generated = Generated(goal, maps, torch.cat([goal.poses] * 2), fakes, goal.images, paste, None, *networks)
        return TERMS["face_recon"](generated).item()

    assert loss(goal.images) == 0
    elsewhere = goal.images.clone()
    elsewhere[:, :, stage.frame[0] // 2 :] = 0
    assert loss(elsewhere) == 0
    off = loss((goal.images + 0.1).clamp(max=2))
    known_heads = (crop_faces(torch.ones_like(goal.images), goal.poses, stage.config.face_size) > 0).float().mean()
    assert off > 0.1 * known_heads.item() * 0.99

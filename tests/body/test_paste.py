from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pgen.body.labels import Label
from pgen.body.paste import FILL_CONFIDENCE, Paste, clean_background, erode_labels, remove_carried
from pgen.body.transfer import Transfer
from tests.models.people import boxes, standing, views

SIZES = [(64, 64), (64, 32), (64, 96)]


def paste_onto(image: Tensor, labels: Tensor, target: Tensor, source_pose: Tensor, target_pose: Tensor) -> Paste:
    return Transfer(source_pose, target_pose, (labels.shape[1], labels.shape[2])).paste(image, labels, target)


@pytest.mark.parametrize("size", SIZES)
def test_own_pose_gives_the_source_inside_the_figure(size: tuple[int, int]) -> None:
    person = views(size)
    pasted = paste_onto(person.images, person.labels, person.labels, person.poses, person.poses)
    inside = (erode_labels(person.labels) > 0)[:, None]
    assert inside.float().mean() > 0.05
    torch.testing.assert_close(pasted.image[inside.expand(-1, 3, -1, -1)], person.images[inside.expand(-1, 3, -1, -1)])
    assert pasted.valid[inside].all()


@pytest.mark.parametrize("size", SIZES)
def test_a_shifted_pose_carries_the_pixels_along(size: tuple[int, int]) -> None:
    move = (2, 3)
    labels, target = boxes(size), boxes(size, move)
    columns, rows = torch.meshgrid(torch.arange(size[1]), torch.arange(size[0]), indexing="xy")
    image = torch.stack([columns / 100, rows / 100, columns * 0.0])[None]
    pasted = paste_onto(image, labels, target, standing(size), standing(size, move))
    inside = (pasted.valid * (target != 0)[:, None])[0, 0].bool()
    assert inside.sum() > 300
    # A shift by c is carried out as c·(W − 1)/W, the deformable skip's convention: hence the tolerance.
    torch.testing.assert_close(pasted.image[0, 0][inside], (columns[inside] - 2) / 100, atol=2e-3, rtol=0)
    torch.testing.assert_close(pasted.image[0, 1][inside], (rows[inside] - 3) / 100, atol=2e-3, rtol=0)


def test_what_the_source_does_not_show_takes_its_label_s_mean() -> None:
    labels, target = boxes(), boxes()
    target[:, 32:46, 26:39] = Label.SKIRT  # nobody's: the mean of the whole figure
    target[:, 14:33, 16:21] = Label.R_ARM  # more arm than there is
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, labels[0] == Label.R_ARM] = 0.5
    pasted = paste_onto(image, labels, target, standing(), standing())
    arm, skirt = pasted.image[:, :, 20:30, 16:20], pasted.image[:, :, 36:42, 30:35]
    torch.testing.assert_close(arm, torch.full_like(arm, 0.5), atol=0.03, rtol=0)  # other skin has a small say
    assert 0 < skirt.mean() < 0.5
    assert not pasted.valid[:, :, 20:30, 16:20].any()
    assert (pasted.confidence[:, :, 20:30, 16:20] == FILL_CONFIDENCE).all()
    assert not pasted.confidence[:, :, 36:42, 30:35].any()


def test_skin_that_is_not_shown_takes_the_mean_of_all_skin() -> None:
    labels = boxes()
    target = labels.clone()
    labels[(labels == Label.L_LEG) | (labels == Label.R_LEG)] = Label.PANTS
    image = torch.full((1, 3, 64, 64), -1.0)
    for label in (Label.FACE, Label.L_ARM, Label.R_ARM):
        image[:, :, labels[0] == label] = 0.7
    leg = paste_onto(image, labels, target, standing(), standing()).image[:, :, 50:56, 27:30]
    torch.testing.assert_close(leg, torch.full_like(leg, 0.7))


def test_a_hand_of_a_few_pixels_tells_the_color_of_skin() -> None:
    """All of it is edge, which is left out of larger regions."""
    target = boxes()
    labels = torch.where(target == 0, 0, int(Label.UPPER))
    labels[:, 30:34, 21:24] = Label.R_ARM
    image = torch.full((1, 3, 64, 64), -1.0)
    image[:, :, labels[0] == Label.R_ARM] = 0.6
    face = paste_onto(image, labels, target, standing(), standing()).image[:, :, 9:12, 31:34]
    torch.testing.assert_close(face, torch.full_like(face, 0.6))


@pytest.mark.parametrize("hands", [False, True])
def test_shoes_say_little_about_skin(hands: bool) -> None:
    target = boxes()
    labels = torch.where(target == 0, 0, int(Label.UPPER))
    labels[:, 46:58, 26:39] = Label.R_LEG
    image = torch.full((1, 3, 64, 64), -0.8)
    if hands:
        labels[:, 28:34, 20:25] = Label.R_ARM
        image[:, :, labels[0] == Label.R_ARM] = 0.6
    face = paste_onto(image, labels, target, standing(), standing()).image[:, :, 9:12, 31:34]
    torch.testing.assert_close(face, torch.full_like(face, 0.6 if hands else -0.8), atol=0.15, rtol=0)


def test_skin_of_nobody_is_a_middle_tone() -> None:
    target = boxes()
    labels = torch.where(target == 0, 0, int(Label.UPPER))
    face = paste_onto(torch.full((1, 3, 64, 64), -1.0), labels, target, standing(), standing()).image[0, :, 9:12, 31:34]
    red, green, blue = face.flatten(1).mean(1).tolist()
    assert 0 < green < red
    assert blue < green


def test_sleeves_are_not_pasted_over_the_torso() -> None:
    """An arm that lies across the body in the target: the body's warp fills the shirt, not the arm's."""
    labels, pose = boxes(), standing()
    labels[labels == Label.R_ARM] = Label.UPPER
    image = torch.zeros(1, 3, 64, 64)
    image[:, :, :, :26] = 1.0  # the sleeve
    target_pose = pose.clone()
    target_pose[0, 3], target_pose[0, 4] = torch.tensor([32.0, 22.0]), torch.tensor([36.0, 27.0])
    pasted = paste_onto(image, labels, labels, pose, target_pose)
    assert pasted.image[0, 0, 18:28, 29:35].max() < 0.01


def test_background_is_interpolated_across_the_figure() -> None:
    image = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64).clone()
    expected = image.clone()
    image[:, :, boxes()[0] > 0] = 9.0
    torch.testing.assert_close(clean_background(image, boxes()), expected)


def test_background_on_one_side_only_is_continued() -> None:
    image, labels = torch.zeros(1, 3, 8, 16), torch.zeros(1, 8, 16, dtype=torch.long)
    labels[:, :, :9], labels[:, 6:] = 3, 3
    image[:, :, :, 11:] = 0.25
    image[:, :, 6:] = 5.0
    clean = clean_background(image, labels, margin=0)
    torch.testing.assert_close(clean[0, 0, 0, :9], torch.zeros(9))
    mirrored = clean_background(image.flip(3), labels.flip(2), margin=0)
    torch.testing.assert_close(mirrored, clean.flip(3))
    # Rows that are all figure take the mean of the background.
    mean = image[:, :, :6, 9:].mean()
    torch.testing.assert_close(clean[:, :, 6:], mean.expand(1, 3, 2, 16))


def test_an_image_without_background_takes_its_own_mean() -> None:
    image = torch.rand(1, 3, 8, 8)
    clean = clean_background(image, torch.full((1, 8, 8), 3))
    torch.testing.assert_close(clean, image.mean((2, 3), keepdim=True).expand_as(image))


def test_white_borders_stay_white() -> None:
    labels = boxes()
    image = torch.rand(1, 3, 64, 64) * 0.5
    image[..., :12], image[..., -12:] = 1.0, 1.0
    pasted = paste_onto(image, labels, labels, standing(), standing())
    assert (pasted.image[..., :12] == 1).all()
    assert (pasted.image[..., -12:] == 1).all()
    assert (pasted.image[:, :, 1:3, 13:51] < 1).all()


@pytest.mark.parametrize("size", SIZES)
def test_gradient_reaches_the_pixels_that_are_shown(size: tuple[int, int]) -> None:
    person = views(size, count=1)
    image = person.images.clone().requires_grad_()
    pasted = paste_onto(image, person.labels, person.labels, person.poses, person.poses)
    pasted.image.sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()
    assert (image.grad[:, 0][erode_labels(person.labels) > 0] > 0.99).all()


def test_a_pose_that_cannot_be_carried_leaves_no_nan() -> None:
    person = views(count=1)
    lost = torch.full_like(person.poses, torch.nan)
    pasted = paste_onto(person.images, person.labels, person.labels, person.poses, lost)
    assert pasted.image.isfinite().all()
    assert pasted.valid[(person.labels == 0)[:, None]].all()
    assert not pasted.valid[(person.labels > 0)[:, None]].any()


def test_no_shadow_at_the_frame_s_edge() -> None:
    """Pixels that are partly taken from beyond the frame are not darkened by it."""
    labels = torch.full((1, 64, 64), int(Label.UPPER))
    image = torch.full((1, 3, 64, 64), 0.8)
    pasted = paste_onto(image, labels, labels, standing(), standing(move=(0.4, 0.3)))
    assert pasted.valid[..., 0].any()
    torch.testing.assert_close(pasted.image, image, atol=1e-4, rtol=0)


def test_what_is_carried_goes_and_the_figure_stays() -> None:
    image, labels = torch.zeros(1, 3, 16, 16), torch.zeros(1, 16, 16, dtype=torch.long)
    labels[:, :, 6:9], carried = Label.UPPER, torch.zeros(1, 16, 16, dtype=torch.bool)
    image[:, :, :, 6:9] = 0.5
    carried[:, 5:8, 9:12] = True
    image[:, :, 5:8, 9:12] = 1
    expected = torch.where((labels > 0)[:, None], image, 0.0)
    assert torch.equal(remove_carried(image, labels, carried), expected)

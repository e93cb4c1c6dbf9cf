"""Training of H_A: what is painted into which map, and what losses and scores see of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pgen.body.batch import PersonBatch, one_hot
from pgen.body.paste import Paste
from pgen.body.transfer import Transfer
from pgen.data.dataset import PersonDataset
from pgen.data.store import Store
from pgen.models import appearance
from pgen.models.appearance import paint
from pgen.models.color_correction import match_guide_colors
from pgen.models.semantic import predict_parsing
from pgen.training.tasks.appearance import AppearanceTask
from tests.training.people import SIZE, VARIANTS, painting
from tests.training.tasks.test_parser import write_photos

Samplers = tuple[PersonDataset, PersonDataset]


def losses_of(stage: AppearanceTask) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))[0]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_target_maps_are_pseudo_labels_or_predictions(samplers: Samplers, share: float) -> None:
    stage = painting(samplers, f"appearance.random_pose_prob={share}", "appearance.schedule.flip=false")
    draw = stage.sample(torch.Generator().manual_seed(0)).load(stage.train)
    source, target = stage.train.batch(draw.source), stage.train.batch(draw.target)
    parsing, prediction = stage._find_target_parsing(source, target, draw.has_random_pose)
    assert prediction is None
    if share:
        assert stage.frozen.semantic is not None
        transfer = Transfer(source.poses, target.poses, SIZE)
        expected = predict_parsing(stage.frozen.semantic, source, transfer).argmax(1)
    else:
        assert (stage.matches[draw.source] == draw.target[:, None]).any(1).all()
        expected = target.labels
    assert torch.equal(parsing.argmax(1), expected)
    assert torch.equal(parsing.sum(1), torch.ones(2, *SIZE))


def test_the_way_back_starts_from_what_was_painted(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A → fake B → fake A: the second time B's map and pose are the source's, and A's the target's."""
    others = ("random_pose_prob=0", "schedule.zoom=0.2", "self_reconstruction=false", "color_correction=false")
    stage = painting(samplers, *(f"appearance.{other}" for other in others))
    calls: list[tuple[PersonBatch, Transfer, Tensor, Tensor | None, Tensor]] = []

    def watched(
        model: nn.Module,
        source: PersonBatch,
        transfer: Transfer,
        layout: Tensor,
        guide: object = None,
        source_parsing: Tensor | None = None,
    ) -> Tensor:
        image = paint(model, source, transfer, layout, guide, source_parsing)  # type: ignore[arg-type]
        calls.append((source, transfer, layout, source_parsing, image))
        return image

    monkeypatch.setattr(stage, "paint", watched)
    losses_of(stage)
    (a, there, layout_b, _, fake_b), (b, back, layout_a, soft, _) = calls
    assert b.images is fake_b
    assert torch.equal(b.labels, layout_b.argmax(1))
    assert torch.equal(layout_a, a.one_hot())
    assert soft is layout_b
    for one, other in ((there.source, back.target), (there.target, back.source), (b.poses, there.target)):
        torch.testing.assert_close(one, other, equal_nan=True)
    assert not torch.equal(layout_a, layout_b)


def test_losses_see_pictures_with_the_colors_of_the_guide(samplers: Samplers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have those of their own guide; the paper's network has none, and the baseline knows no labels."""
    corrected: list[tuple[Tensor, Tensor]] = []

    def watched(image: Tensor, source: PersonBatch, guide: Paste, labels: Tensor) -> Tensor:
        corrected.append((match_guide_colors(image, source, guide, labels), labels))
        return corrected[-1][0]

    monkeypatch.setattr(appearance, "match_guide_colors", watched)
    stage = painting(samplers, "appearance.color_correction=true")
    _, judged = stage.losses(stage.sample(torch.Generator().manual_seed(0)).load(stage.train))
    assert len(corrected) == 2
    fakes = judged["image"][1]
    assert torch.equal(fakes[:, :3], torch.cat([image for image, _ in corrected]).detach())
    assert torch.equal(one_hot(torch.cat([labels for _, labels in corrected]))[:, 1:], fakes[:, 3:])
    corrected.clear()
    without = ("appearance.network.guide_channels=0", "appearance.network.blend=false", "appearance.weights.warp_l1=0")
    losses_of(painting(samplers, "appearance.color_correction=true", *without))
    losses_of(painting(samplers, "appearance.color_correction=true", *VARIANTS["baseline"]))
    losses_of(painting(samplers, "appearance.color_correction=false"))
    assert not corrected


def test_appearance_validation_ranks_the_truth_first(samplers: Samplers) -> None:
    stage = painting(samplers, "appearance.color_correction=false")

    class Truth(nn.Module):
        config = stage.model.config

        def forward(self, *_: object) -> Tensor:
            return stage.held_out.batch(stage.held_out_indices[:, 1]).images

    scores = stage.validate(nn.ModuleDict({"appearance": Truth()}))
    assert scores["ssim"] == pytest.approx(1, abs=1e-4)
    assert scores["spt_mask_ssim"] == pytest.approx(1, abs=1e-4)
    assert 0 < scores["paste_ssim"] < 0.99
    assert (
        scores["paste_ssim"] < scores["paste_spt_mask_ssim"] < 1
    )  # of what lies outside the mask, nothing is compared


def test_what_is_carried_is_no_part_of_a_person(samplers: Samplers, tmp_path: Path) -> None:
    photos = PersonDataset(Store(write_photos(tmp_path / "photos.h5")), with_masks=True)
    stored = photos.load(torch.arange(6))
    persons, carried = painting(samplers)._prepare_persons(stored), stored.extras("cpu").carried[:, 0] == 1
    was, found = (images.permute(0, 2, 3, 1) for images in (stored.to("cpu").images, persons.images))
    assert torch.allclose(was[carried], torch.tensor([1.0, -1.0, 1.0]))
    assert ((found[carried] - torch.tensor([1.0, -1.0, 1.0])).abs().amax(1) > 0.1).all()
    figure = persons.labels > 0
    assert torch.equal(found[figure], was[figure])

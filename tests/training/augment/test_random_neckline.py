from __future__ import annotations

import numpy as np
import torch

from pgen.body.batch import PersonBatch
from pgen.body.labels import Label
from pgen.data.readers.synthetic import synthetic_example
from pgen.training.augment.batch_rng import BatchRng
from pgen.training.augment.random_neckline import randomize_necklines

torch.set_num_threads(1)
COUNT = 12
SEEDS = torch.arange(COUNT)


def people() -> PersonBatch:
    chosen = [synthetic_example(3, index, 0, (128, 128)) for index in range(COUNT)]
    return PersonBatch(
        torch.from_numpy(np.stack([e.image for e in chosen])).permute(0, 3, 1, 2).float() / 255,
        torch.from_numpy(np.stack([e.parsing for e in chosen])).long(),
        torch.from_numpy(np.stack([e.pose for e in chosen])),
    )


def test_necklines_change_and_nothing_else() -> None:
    views = people()
    cut = randomize_necklines(views, BatchRng(SEEDS))
    changed = cut.labels != views.labels
    assert changed.any((1, 2)).sum() >= COUNT // 3
    assert torch.isin(views.labels[changed], torch.tensor([Label.UPPER, Label.FACE])).all()
    assert torch.isin(cut.labels[changed], torch.tensor([Label.UPPER, Label.FACE])).all()
    near = torch.nn.functional.max_pool2d(changed.float()[:, None], 7, 1, 3).bool().expand_as(cut.images)
    assert torch.equal(cut.images[~near], views.images[~near])
    assert ((cut.images >= 0) & (cut.images <= 1)).all()


def test_new_skin_is_as_the_face_and_new_cloth_as_the_cloth() -> None:
    views = people()
    cut = randomize_necklines(views, BatchRng(SEEDS))
    for label in (Label.FACE, Label.UPPER):
        new = (cut.labels == label) & (views.labels != label)
        assert new.sum() > 20
        for image, before, now, labels in zip(cut.images, views.images, new, views.labels, strict=True):
            if now.sum() > 5:
                usual = before[:, labels == label].median(1).values
                tint = image[:, now].median(1).values
                assert (tint / tint.sum() - usual / usual.sum()).abs().max() < 0.1


def test_who_cannot_have_another_stays() -> None:
    views = people()
    headless = torch.where(views.labels == Label.FACE, Label.HAIR, views.labels)
    unknown = torch.full_like(views.poses, torch.nan)
    for other in (PersonBatch(views.images, headless, views.poses), PersonBatch(views.images, views.labels, unknown)):
        cut = randomize_necklines(other, BatchRng(SEEDS))
        assert torch.equal(cut.images, other.images)
        assert torch.equal(cut.labels, other.labels)


def test_a_sample_is_the_same_in_any_part_of_a_batch() -> None:
    views = people()
    part = PersonBatch(views.images[4:6], views.labels[4:6], views.poses[4:6])
    assert torch.equal(
        randomize_necklines(part, BatchRng(SEEDS[4:6])).images, randomize_necklines(views, BatchRng(SEEDS)).images[4:6]
    )

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pgen.body.batch import PersonBatch, flip_persons
from pgen.body.joints import TORSO_JOINTS, Joint, known_joints
from pgen.body.labels import Label
from pgen.data import dataset as samples
from pgen.data.dataset import Augmentation, PersonDataset, augment, zoom_persons
from pgen.data.store import Store
from pgen.errors import InputError
from tests.data.examples import write_store
from tests.models.people import views

torch.set_num_threads(1)

BOTH = torch.tensor([True, True])


def equal(a: PersonBatch, b: PersonBatch) -> bool:
    return all(
        torch.allclose(x.float(), y.float(), equal_nan=True)
        for x, y in zip((a.images, a.labels, a.poses), (b.images, b.labels, b.poses), strict=True)
    )


def dotted(size: tuple[int, int], joints: tuple[int, ...]) -> PersonBatch:
    """People whose photo and map are empty but for a 3 × 3 dot at each of ``joints``, in its own label."""
    people = views(size)
    people.poses = people.poses.round()
    people.images, people.labels = torch.full_like(people.images, -1), torch.zeros_like(people.labels)
    for sample in range(2):
        for label, joint in enumerate(joints, start=1):
            x, y = people.poses[sample, joint].long().tolist()
            people.images[sample, :, y - 1 : y + 2, x - 1 : x + 2] = 1
            people.labels[sample, y - 1 : y + 2, x - 1 : x + 2] = label
    return people


def centre(mask: Tensor) -> Tensor:
    """Centre of mass (x, y) of (H, W)."""
    rows, columns = (torch.arange(n, dtype=torch.float32) for n in mask.shape)
    return torch.stack([(mask.sum(0) * columns).sum(), (mask.sum(1) * rows).sum()]) / mask.sum()


def test_sampler_counts_within_its_split(tmp_path: Path) -> None:
    with Store(write_store(tmp_path / "a.h5", 6, 3)) as store:
        train, test = PersonDataset(store, "train"), PersonDataset(store, "test")
        assert (len(train), len(test), train.size) == (4, 2, (128, 128))
        assert (train.persons, test.persons) == (["p1", "p2", "p1", "p2"], ["p0", "p0"])
        found = train.batch(torch.tensor([2, 0]))
        assert train.names[2] == store.names[4]
        expected = store.image(4).astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(found.images[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)
    assert (found.images.min(), found.images.max()) == (-1, 1)
    assert found.labels.dtype == torch.long
    np.testing.assert_array_equal(found.labels[1], store.parsing(1))
    np.testing.assert_array_equal(found.poses[0], store.poses[4])


def test_views_from_the_file_are_those_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(write_store(tmp_path / "a.h5", 6, 3)) as store:
        held, read = (PersonDataset(store, in_memory=in_memory) for in_memory in (True, False))
    (tmp_path / "a.h5").rename(tmp_path / "b.h5")
    at = torch.tensor([3, 0, 3])
    with pytest.raises(InputError, match="does not exist"):
        read.batch(at)
    (tmp_path / "b.h5").rename(tmp_path / "a.h5")
    assert equal(held.batch(at), read.batch(at))
    assert torch.equal(held.labels, read.labels)


def test_a_sample_is_a_row_of_the_store(tmp_path: Path) -> None:
    with Store(write_store(tmp_path / "a.h5", 6, 3)) as store:
        for in_memory in (True, False):
            dataset = pickle.loads(pickle.dumps(PersonDataset(store, in_memory=in_memory)))
            assert isinstance(dataset, torch.utils.data.Dataset)
            sample = pickle.loads(pickle.dumps(dataset[2]))
            np.testing.assert_array_equal(sample.image.permute(1, 2, 0), store.image(4))
            np.testing.assert_array_equal(sample.labels, store.parsing(4))
            np.testing.assert_array_equal(sample.pose, store.poses[4])
            assert (sample.image.dtype, sample.labels.dtype, sample.pose.dtype) == (*[torch.uint8] * 2, torch.float32)
            assert (sample.name, sample.person) == (store.names[4], store.persons[4])
            with pytest.raises(IndexError):
                dataset[4]


def test_what_does_not_fit_the_memory_is_read_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_needed = 4 * 128 * 128 * 4  # of four images and maps
    with Store(write_store(tmp_path / "a.h5", 6, 3)) as store:
        for memory, sharing, held in ((4, 1, True), (4, 2, False), (2, 1, False), (8, 2, True)):
            monkeypatch.setattr(samples, "_memory", lambda memory=memory: memory * bytes_needed)
            assert PersonDataset(store, sharing=sharing).is_in_memory == held


def test_a_split_without_images_is_refused(tmp_path: Path) -> None:
    with Store(write_store(tmp_path / "a.h5", 2, 1)) as store, pytest.raises(InputError, match="no train images"):
        PersonDataset(store, "train")


@pytest.mark.parametrize("size", [(64, 64), (64, 32)])
def test_mirrored_twice_is_the_same(size: tuple[int, int]) -> None:
    people = views(size)
    people.poses[0, 3] = torch.nan
    assert equal(flip_persons(flip_persons(people, BOTH), BOTH), people)
    assert not equal(flip_persons(people, BOTH), people)
    half = flip_persons(people, torch.tensor([True, False]))
    assert torch.equal(half.images[1], people.images[1])
    assert torch.equal(half.images[0], people.images[0].flip(2))


def test_mirroring_changes_left_and_right_of_labels_and_joints() -> None:
    people = views((64, 40))
    people.poses[0, Joint.L_WRIST] = torch.nan
    result = flip_persons(people, BOTH)
    for one, other in ((Label.L_ARM, Label.R_ARM), (Label.R_LEG, Label.L_LEG), (Label.UPPER, Label.UPPER)):
        assert torch.equal(result.labels == one, (people.labels == other).flip(2))
    for one, other in ((Joint.L_SHOULDER, Joint.R_SHOULDER), (Joint.R_EYE, Joint.L_EYE), (Joint.NOSE, Joint.NOSE)):
        torch.testing.assert_close(result.poses[:, one, 0], 39 - people.poses[:, other, 0])
        torch.testing.assert_close(result.poses[:, one, 1], people.poses[:, other, 1])
    assert result.poses[0, Joint.R_WRIST].isnan().all()
    assert known_joints(result.poses)[0, Joint.L_WRIST]


def test_mirrored_joints_stay_on_their_pixels() -> None:
    joints = (Joint.R_ELBOW, Joint.L_KNEE)
    people = dotted((64, 40), joints)
    result = flip_persons(people, BOTH)
    for sample in range(2):
        for joint in (Joint.L_ELBOW, Joint.R_KNEE):
            x, y = result.poses[sample, joint].long().tolist()
            assert (result.images[sample, :, y - 1 : y + 2, x - 1 : x + 2] == 1).all()


@pytest.mark.parametrize("size", [(64, 64), (64, 48)])
@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.06, -0.03)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_zoom_moves_pixels_labels_and_joints_together(
    size: tuple[int, int], zoom: float, shift: tuple[float, float], precision: str
) -> None:
    joints = (Joint.R_SHOULDER, Joint.L_HIP, Joint.R_KNEE, Joint.NECK)
    people = dotted(size, joints)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        result = zoom_persons(people, torch.full((2,), zoom), torch.tensor([shift] * 2))
    middle = (torch.tensor([size[1], size[0]]) - 1) / 2
    for sample in range(2):
        for label, joint in enumerate(joints, start=1):
            expected = (people.poses[sample, joint] - middle) * zoom + middle
            expected = expected + torch.tensor([shift[0] * size[1], shift[1] * size[0]])
            torch.testing.assert_close(result.poses[sample, joint], expected)
            x, y = expected.round().long().tolist()
            near = torch.zeros(size)
            near[y - 3 : y + 4, x - 3 : x + 4] = 1
            spot = (result.images[sample, 0] + 1) * near
            assert (centre(spot) - expected).norm() < 0.12
            assert (centre((result.labels[sample] == label).float()) - expected).norm() < 0.75


def test_no_zoom_changes_nothing() -> None:
    people = views((64, 48))
    same = zoom_persons(people, torch.ones(2), torch.zeros(2, 2))
    torch.testing.assert_close(same.images, people.images, atol=1e-4, rtol=0)
    assert torch.equal(same.labels, people.labels)
    torch.testing.assert_close(same.poses, people.poses)


def test_joints_that_leave_the_frame_become_missing() -> None:
    people = views()
    result = zoom_persons(people, torch.tensor([1.0, 1.0]), torch.tensor([[0.0, 0.2], [0.0, 0.0]]))
    gone = people.poses[0, :, 1] + 0.2 * 64 > 63.5
    assert gone.any()
    assert torch.equal(known_joints(result.poses)[0], ~gone)
    assert known_joints(result.poses)[1].all()


def test_samples_that_would_lose_their_torso_stay() -> None:
    people = views()
    people.poses[1, Joint.NOSE] = torch.nan
    result = zoom_persons(people, torch.tensor([1.1, 1.1]), torch.tensor([[0.05, 0.0], [0.0, 0.6]]))
    assert not torch.equal(result.images[0], people.images[0])
    assert torch.equal(result.images[1], people.images[1])
    assert torch.equal(result.labels[1], people.labels[1])
    torch.testing.assert_close(result.poses[1], people.poses[1], equal_nan=True)


def drawn(batch: int, seed: int, flip: bool, zoom: float) -> Augmentation:
    return Augmentation.draw(batch, torch.Generator().manual_seed(seed), flip, zoom)


def test_augmentation_of_a_part_is_a_part_of_the_augmentation() -> None:
    people, change = views(count=8), drawn(8, 3, True, 0.3)
    assert 0 < change.flip.sum() < 8
    whole = augment(people, change)
    part = augment(PersonBatch(people.images[3:5], people.labels[3:5], people.poses[3:5]), change[3:5])
    assert equal(part, PersonBatch(whole.images[3:5], whole.labels[3:5], whole.poses[3:5]))


def test_augmentation_is_the_generator_s() -> None:
    people = views(count=8)
    first, again = (augment(people, drawn(8, 3, True, 0.3)) for _ in range(2))
    assert equal(first, again)
    assert not equal(first, augment(people, drawn(8, 4, True, 0.3)))
    assert known_joints(first.poses)[:, list(TORSO_JOINTS)].all()
    assert equal(augment(people, drawn(8, 3, False, 0.0)), people)


def test_augmentation_keeps_its_limits() -> None:
    people = views(count=64)
    for flip in (False, True):
        result = augment(people, drawn(64, 0, flip, 0.25))
        torso = [Joint.NECK, Joint.R_HIP]
        length = (result.poses[:, torso[0]] - result.poses[:, torso[1]]).norm(dim=1)
        was = (people.poses[:, torso[0]] - people.poses[:, torso[1]]).norm(dim=1)
        ratio = length / was
        assert 1 / 1.3 < ratio.min() < 0.9
        assert 1.1 < ratio.max() < 1.3
        turned = result.poses[:, Joint.R_SHOULDER, 0] > result.poses[:, Joint.L_SHOULDER, 0]
        assert not turned.any()  # mirroring swaps the names too


def test_people_are_scaled_down_as_they_are_read(tmp_path: Path) -> None:
    with Store(write_store(tmp_path / "a.h5")) as store:
        whole = PersonDataset(store, "test", in_memory=True)
        half = (whole.size[0] // 2, whole.size[1] // 2)
        for in_memory in (True, False):
            small = PersonDataset(store, "test", in_memory=in_memory, size=half, with_masks=True)
            persons, expected = small.batch(torch.arange(2)), whole.batch(torch.arange(2)).halve()
            assert (small.size, persons.size, small[0].image.shape) == (half, half, (3, *half))
            torch.testing.assert_close(persons.poses, expected.poses, equal_nan=True)
            assert (persons.labels == expected.labels).float().mean() > 0.95
            assert torch.equal(small.labels.long()[:2], persons.labels)
            assert (persons.images - expected.images).abs().mean() < 0.15  # noise, and other filters
        pairs = torch.tensor([[0, 1]])
        scaled, usual = (one.transfer(pairs).affines for one in (small, whole))
        torch.testing.assert_close(scaled[..., :2], usual[..., :2], atol=1e-3, rtol=1e-3)
        for size in ((2 * half[0] + 2, 2 * half[1] + 2), (half[0], half[1] - 9)):
            with pytest.raises(InputError, match="choose a preset of their size, set its frame"):
                PersonDataset(store, size=size)

from __future__ import annotations

import torch

from pgen.body.batch import find_likeliest, from_pictures, keep_grey, to_float, to_pictures, to_uint8


def test_values_are_rounded_as_saving_does() -> None:
    values = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert to_uint8(values).tolist() == [0, 0, 128, 191, 255, 255]


def test_pictures_have_their_channels_last() -> None:
    found = to_pictures(torch.linspace(-1, 1, 24).reshape(1, 3, 2, 4))
    assert found.shape == (1, 2, 4, 3)
    assert found[0, 0, 0].tolist() == [0, round(8 / 23 * 255), round(16 / 23 * 255)]


def test_bytes_come_through() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(to_float(values)), values)
    pictures = values.reshape(1, 2, 32, 4)[..., :3].contiguous().numpy()
    assert (to_pictures(from_pictures(pictures)) == pictures).all()


def test_of_equally_likely_labels_the_first_is_chosen() -> None:
    scores = torch.randint(0, 3, (2, 10, 8, 9), generator=torch.Generator().manual_seed(0))
    assert torch.equal(find_likeliest(scores), scores.argmax(1))
    assert find_likeliest(torch.zeros(1, 10, 2, 2)).tolist() == [[[0, 0], [0, 0]]]


def test_what_is_made_of_grey_photos_is_grey() -> None:
    made = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    sources = torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(1)).repeat(1, 3, 1, 1)
    sources[1, 0, 0, 0] += 0.5  # one pixel of color
    found = keep_grey(made, sources)
    torch.testing.assert_close(
        found[0], (made[0] * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0).expand(3, -1, -1)
    )
    assert torch.equal(found[1], made[1])
    assert torch.equal(keep_grey(made, sources[1:]), made)

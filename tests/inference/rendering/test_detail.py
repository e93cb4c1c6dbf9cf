from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from pgen.body.labels import Label
from pgen.inference.predictor import Predictor
from pgen.inference.rendering.detail import add_detail, carry_detail
from tests.inference.test_texture_transfer import photo


def test_threads_of_a_large_photo_are_carried_to_a_large_photo(model: Predictor) -> None:
    plain = photo(model, Label.PANTS, (120, 120, 120), scale=4)
    cloth = plain.parsing == Label.UPPER
    threads = np.where(cloth, 25 * (-1) ** np.arange(512), 0)[..., None]
    giver = model.networks.frame_person(replace(plain, photo=(plain.photo + threads).astype(np.uint8)))
    taker = model.networks.frame_person(plain)
    detail = carry_detail(giver, taker, plain.parsing, {Label.UPPER: Label.UPPER})
    inner = ndimage.binary_erosion(cloth, iterations=18)
    np.testing.assert_allclose(detail[inner].mean(axis=1), np.broadcast_to(threads[..., 0], cloth.shape)[inner], atol=3)
    assert (detail[~cloth] == 0).all()
    assert add_detail(plain.image, detail)[inner].std() > 15


def test_pictures_of_the_networks_size_have_no_more_detail(model: Predictor) -> None:
    large = photo(model, Label.PANTS, (9, 9, 9), scale=2)
    step = large.photo.shape[0] // model.frame[0]
    small = model.person(large.photo[::step, ::step], large.pose / step, large.parsing[::step, ::step])
    for giver, taker in ((small, large), (large, small)):
        framed = (model.networks.frame_person(one) for one in (giver, taker))
        assert not carry_detail(*framed, taker.parsing, {Label.UPPER: Label.UPPER}).any()

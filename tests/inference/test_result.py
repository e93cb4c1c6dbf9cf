from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pgen.body.labels import PALETTE
from pgen.inference.predictor import Predictor
from tests.data.examples import STANDING, example


@pytest.mark.parametrize(
    ("size", "shown"), [((128, 64), (256, 128)), ((300, 400), (300, 400)), ((1024, 768), (512, 384))]
)
def test_panels(model: Predictor, size: tuple[int, int], shown: tuple[int, int]) -> None:
    a = example(0)
    image = np.asarray(Image.fromarray(a.image).resize(size[::-1]))
    labels = np.asarray(Image.fromarray(a.parsing).resize(size[::-1], Image.Resampling.NEAREST))
    pose = STANDING / 128 * size[::-1]
    result = model.person(image, pose, labels).generate(pose)
    panels = result.panels()
    captions = [caption for caption, _ in panels]
    assert captions == ["source: the photo", "pose: the pose", "parsing map", "result"]
    assert {picture.shape for _, picture in panels} == {(*shown, 3)}
    colours = {tuple(colour) for colour in panels[2][1].reshape(-1, 3).tolist()}
    assert colours <= {tuple(colour) for colour in PALETTE.tolist()}
    assert {max(picture.shape) for _, picture in result.panels(largest=100)} == {100}
    sheet = result.sheet()
    assert sheet.shape[1] > 4 * shown[1]
    assert sheet.dtype == np.uint8

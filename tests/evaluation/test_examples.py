from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgen.evaluation.methods import BASELINES
from pgen.evaluation.page import draw_examples
from pgen.evaluation.photos import Pair, StorePhotos
from tests.data.examples import write_store


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> StorePhotos:
    return StorePhotos(write_store(tmp_path_factory.mktemp("store") / "s.h5"))


def test_a_sheet_of_random_pairs(photos: StorePhotos, tmp_path: Path) -> None:
    pairs = [Pair(f"00{k}.png", f"00{k + 1}.png") for k in range(1, 4)]
    systems = [BASELINES["copy-source"], BASELINES["affine-paste"]]
    first, again, other = (draw_examples(systems, photos, pairs, 2, seed, across=1) for seed in (0, 0, 2))
    assert np.array_equal(first, again)
    assert first.shape == other.shape
    assert not np.array_equal(first, other)
    every = draw_examples(systems, photos, pairs, 5, 0, across=1)  # no more than there are
    assert every.shape[0] > first.shape[0]
    narrow = draw_examples(systems[:1], photos, pairs, 2, 0, across=1)
    assert narrow.shape[1] < first.shape[1]

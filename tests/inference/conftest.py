from __future__ import annotations

from pathlib import Path

import pytest

from pgen.inference.predictor import Predictor, load
from tests.inference.tiny import write_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="session")
def model(weights: Path) -> Predictor:
    return load(weights, "cpu")

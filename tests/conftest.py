"""What tests of several rooms share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

if sys.dont_write_bytecode:  # dozens of processes would each compile torch and more anew: seconds
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" in os.environ:  # workers fill the processors; threads beside them would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

# A busy machine must not fail a test: no test asserts a time. Examples are the same each time; PGEN_EXPLORE=1 looks for
# others.
settings.register_profile("steady", deadline=None, derandomize=not os.environ.get("PGEN_EXPLORE"))
settings.load_profile("steady")


#: Modules whose tests wait for other processes. They go first, that no worker is left with them at the end.
WAITING = ("test_browser.py", "test_train.py", "test_distributed.py", "test_killed.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU where there is none; torch is asked only if there is such a test."""
    items.sort(key=lambda item: item.path.name not in WAITING)
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked:
        import torch

        if not torch.cuda.is_available():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason="there is no GPU"))


GOLDEN_DIR = Path(os.environ.get("PGEN_GOLDEN_DIR") or Path(__file__).parent / "golden")


@pytest.fixture(scope="session")
def golden() -> Callable[[str], np.lib.npyio.NpzFile]:
    """``golden("body")`` opens the reference arrays of body.npz in PGEN_GOLDEN_DIR, else in tests/golden."""

    def read(name: str) -> np.lib.npyio.NpzFile:
        return np.load(GOLDEN_DIR / f"{name}.npz", allow_pickle=False)

    return read


@pytest.fixture
def no_silhouettes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renderers do not look for people in photos that came with pose and map, which takes most of a small result."""
    monkeypatch.setattr("pgen.inference.rendering.render.Renderer._find_silhouette", lambda renderer, person: None)

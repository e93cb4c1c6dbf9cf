"""A studio and a tab of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("starlette", reason="needs the extra studio")

from starlette.testclient import TestClient

from tests.inference.tiny import write_weights
from tests.studio.pages import Page, open_studio


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("studio")
    weights = write_weights(folder / "tiny.safetensors")
    with pytest.MonkeyPatch.context() as monkeypatch, open_studio(folder, weights, monkeypatch) as client:
        yield client


@pytest.fixture
def page(client: TestClient) -> Page:
    return Page(client)

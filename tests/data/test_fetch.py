from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pgen.data import fetch
from pgen.data.fetch import find_cached_weights

URL = "https://example.org/models/network-0123abcd.pth"


def test_the_cache_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert find_cached_weights(URL, fetch=False) is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "network-0123abcd.pth").touch()
    assert find_cached_weights(URL, fetch=True) == tmp_path / "checkpoints" / "network-0123abcd.pth"


def test_a_damaged_download_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def download(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        assert hash_prefix == "0123abcd"
        raise RuntimeError("invalid hash value")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda request, timeout: Answer())
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert find_cached_weights(URL, fetch=True) is None

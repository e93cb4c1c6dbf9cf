"""Tabs that are gone, and those that only seem so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pgen.errors import InputError
from pgen.studio import tabs
from pgen.studio.worker import ModelSettings


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "_GRACE", 0.2)
    monkeypatch.setattr(tabs, "_FORGOTTEN", 0.6)
    monkeypatch.setattr(tabs, "_BEAT", 0.05)


async def listen(opened: tabs.Tabs, tab: str, seconds: float) -> None:
    async def follow() -> None:
        async for _ in opened.listen(tab):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(follow(), seconds)


def is_open(opened: tabs.Tabs, tab: str) -> bool:
    try:
        opened.find(tab)
    except InputError:
        return False
    return True


def test_a_page_loaded_anew_late_keeps_its_tab_and_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[str] = []

    async def follow() -> None:
        opened = tabs.Tabs(ModelSettings(), tmp_path)
        monkeypatch.setattr(opened.jobs, "cancel_all", cancelled.append)
        tab = opened.open()
        for seconds in (0.15, 0.4):  # away when the time counted from the opening is over
            await listen(opened, tab, seconds)
            await asyncio.sleep(0.1)
            assert opened.open(tab) == tab
        assert is_open(opened, tab)
        assert cancelled == []

    asyncio.run(follow())


def test_a_tab_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def follow() -> None:
        opened = tabs.Tabs(ModelSettings(), tmp_path)
        tab = opened.open()
        await listen(opened, tab, 0.1)
        await asyncio.sleep(0.4)
        assert is_open(opened, tab)
        await asyncio.sleep(0.4)
        assert not is_open(opened, tab)
        assert list(tmp_path.iterdir()) == []

    asyncio.run(follow())

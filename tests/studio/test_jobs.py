"""The queue, with a worker that does nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from pgen.studio import jobs
from pgen.studio.requests import Manipulate, Order, PhotoFiles
from pgen.studio.worker import Message, ModelSettings


class IdleWorker:
    """Takes requests, and says only that it is ready."""

    ended = 0

    def __init__(self, settings: ModelSettings, folder: Path) -> None:
        pass

    def listen(self, listener: Callable[[Message], None]) -> None:
        listener(Message(None, "ready", {}))

    def send(self, job: str, request: object) -> None:
        pass

    def stop(self, job: str) -> None:
        pass

    def end(self) -> None:
        IdleWorker.ended += 1


@pytest.mark.parametrize(("kind", "ended"), [("preview", 0), ("manipulate", 1)])
def test_only_what_takes_long_is_ended_with_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, ended: int
) -> None:
    monkeypatch.setattr(jobs, "Worker", IdleWorker)
    monkeypatch.setattr(jobs, "_PATIENCE", 0.02)
    monkeypatch.setattr(IdleWorker, "ended", 0)

    async def follow() -> None:
        queue = jobs.Jobs(ModelSettings(), tmp_path, lambda tab, told: None)
        queue.start()
        await asyncio.sleep(0.01)
        request = Manipulate(PhotoFiles(tmp_path / "large.jpg"), {}, tmp_path / "shown")
        job = queue.add("tab", Order(kind, request, lambda answer: None))
        assert list(queue.list_files_in_use("tab")) == [tmp_path / "large.jpg"]
        assert list(queue.list_files_in_use("other")) == []
        queue.cancel(job.id)
        await asyncio.sleep(0.06)
        assert IdleWorker.ended == ended

    asyncio.run(follow())

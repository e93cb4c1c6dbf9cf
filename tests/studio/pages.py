"""A studio for tests: small networks, in a thread instead of a process, so that it answers at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import pgen
from pgen.cli.command_lines import write_command
from pgen.studio import examples, jobs, tabs
from pgen.studio.server import Access, Studio
from pgen.studio.work import Work
from pgen.studio.worker import Message, ModelSettings, explain

TOKEN, PORT = "secret", 7860
SIZE = (160, 120)  #: of examples
ADDRESS = f"http://127.0.0.1:{PORT}"


class StoppedError(Exception):
    """As the worker's own."""


class ThreadWorker:
    """What `pgen.studio.worker.Worker` does, without a process."""

    ended = 0

    def __init__(self, settings: ModelSettings, folder: Path) -> None:
        self._work, self._folder = Work(pgen.load(settings.weights, "cpu")), folder
        self._requests: queue.Queue[Any] = queue.Queue()
        self._stopped: set[str] = set()

    def listen(self, listener: Callable[[Message], None]) -> None:
        threading.Thread(target=self._run, args=(listener,), daemon=True).start()

    def send(self, job: str, request: Any) -> None:
        self._requests.put((job, request))

    def stop(self, job: str) -> None:
        self._stopped.add(job)

    def end(self) -> None:
        ThreadWorker.ended += 1
        self._requests.put(None)

    def _run(self, listener: Callable[[Message], None]) -> None:
        listener(Message(None, "ready", {"origin": "tiny", "device": "cpu"}))
        while (given := self._requests.get()) is not None:
            job, request = given

            def advance(done: int, total: int, note: str, so_far: Any = None, job: str = job) -> None:
                if job in self._stopped:
                    raise StoppedError
                listener(Message(job, "progress", (done, total, note, so_far)))

            try:
                listener(Message(job, "done", self._work.answer(request, advance)))
            except StoppedError:
                listener(Message(job, "stopped"))
            except Exception as error:
                listener(Message(job, "failed", explain(error, self._folder)))


class Page:
    """A tab, as the page's own scripts see it."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.info = client.post("/api/tabs").json()
        self.base = f"/api/tabs/{self.info['tab']}"

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda path, **content: getattr(self.client, method)(f"{self.base}{path}", **content)

    def wait(self, response: Any) -> dict[str, Any]:
        """The job of ``response``, once it has ended."""
        assert response.status_code == 202, response.text
        end = time.monotonic() + 60
        while time.monotonic() < end:
            job = next(job for job in self.get("/jobs").json() if job["id"] == response.json()["id"])
            if job["state"] in jobs.ENDED:
                return job
            time.sleep(0.01)
        raise AssertionError("the job does not end")

    def open(self, path: str, **content: Any) -> dict[str, Any]:
        """The photo that a request opens: what is known of it, with its id."""
        job = self.wait(self.post(f"/photos{path}", **content))
        assert job["state"] == "done", job["error"]
        return job["answer"] | {"id": job["about"]["photo"]}

    def open_again(self, photo: str) -> dict[str, Any]:
        """The same of a photo that is open, as a page that is loaded anew has it."""
        return self.wait(self.patch(f"/photos/{photo}", json={}))["answer"]


@contextmanager
def open_studio(folder: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client that has the key, of a studio whose files are in ``folder``."""
    monkeypatch.setattr(jobs, "Worker", ThreadWorker)
    monkeypatch.setattr(tabs, "_GRACE", 600)  # these tabs listen to nothing
    monkeypatch.setattr(examples, "_SIZE", SIZE)
    settings = ModelSettings(str(weights))
    access = Access("127.0.0.1", PORT, TOKEN)
    studio = Studio(settings, folder, access, lambda request: write_command(request, settings))
    with TestClient(studio.app, ADDRESS, headers={"Origin": ADDRESS}) as client:
        assert client.get(f"/?token={TOKEN}").status_code == 200
        yield client

"""Jobs of all tabs, one after another: whose turn it is, how far it is, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgen.errors import PgenError
from pgen.studio.requests import Order
from pgen.studio.worker import Message, ModelSettings, Worker

_PATIENCE = 4.0  # seconds that a job has to leave off before the worker is ended
_MOST_WAITING = 64  # jobs of one tab
# What a step takes at first, in seconds, until it has been seen, and how much a new one counts.
_FIRST_GUESS, _NEWEST = 2.0, 0.4
_QUICK = ("read", "target", "preview")
ENDED = ("done", "failed", "cancelled")


@dataclass
class Job:
    """Something that was asked for."""

    id: str
    tab: str
    order: Order
    state: str = "queued"
    done: int = 0
    total: int = 1
    note: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    begun: float = 0.0
    stepped: float = 0.0

    @property
    def kind(self) -> str:
        """That of the order."""
        return self.order.kind


class Jobs:
    """The queue, and the worker that it feeds. Used in one event loop.

    Args:
        settings, folder: as `Worker` takes them.
        notify: called with the tab, None for all, and what the page is to be told.
    """

    def __init__(
        self, settings: ModelSettings, folder: Path, notify: Callable[[str | None, dict[str, Any]], None]
    ) -> None:
        self._settings, self._folder, self._notify = settings, folder, notify
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._served: dict[str, int] = {}
        self._paces: dict[str, float] = {}
        self._worker: Worker | None = None
        self._numbers = 0
        self.model: dict[str, Any] = {"state": "loading"}

    def start(self) -> None:
        """Start the worker, which loads the networks."""
        loop, worker = asyncio.get_running_loop(), Worker(self._settings, self._folder)

        def listen(message: Message) -> None:
            with suppress(RuntimeError):  # the loop is closed, and with it everything ends
                loop.call_soon_threadsafe(self._hear, worker, message)

        self._worker = worker
        worker.listen(listen)

    def end(self) -> None:
        """End the worker at once."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def add(self, tab: str, order: Order) -> Job:
        """Put an order into the queue. Raises `PgenError` if too many of the tab wait, or nothing can work."""
        if self.model["state"] == "failed":
            raise PgenError(self.model["error"])
        if sum(job.tab == tab for job in self._waiting) >= _MOST_WAITING:
            raise PgenError(f"{_MOST_WAITING} jobs are waiting already; wait for some of them, or cancel them")
        self._numbers += 1
        job = Job(f"job{self._numbers}", tab, order)
        if order.kind == "preview":  # only the newest is of interest
            self.cancel(*(other.id for other in self._jobs.values() if other.tab == tab and other.kind == "preview"))
        self._jobs[job.id] = job
        self._waiting.append(job)
        self._tell(job)
        self._advance()
        return job

    def cancel(self, *ids: str) -> None:
        """Take jobs out of the queue, or stop them."""
        for job in [self._jobs[id_] for id_ in ids if id_ in self._jobs]:
            if job in self._waiting:
                self._waiting.remove(job)
                self._end_job(job, "cancelled")
            elif job is self._running and job.state == "running" and self._worker is not None:
                job.state, job.note = "stopping", "stopping"
                self._worker.stop(job.id)
                if job.kind != "preview":  # the next one is worth waiting for, not a new worker
                    asyncio.get_running_loop().call_later(_PATIENCE, self._lose_patience, job)
                self._tell(job)

    def cancel_all(self, tab: str) -> None:
        """The same of all jobs of a tab."""
        self.cancel(*(job.id for job in self._jobs.values() if job.tab == tab))

    def forget(self, tab: str) -> None:
        """Drop what is known of a tab's jobs that have ended."""
        self._jobs = {id_: job for id_, job in self._jobs.items() if job.tab != tab or job.state not in ENDED}

    def forget_result(self, tab: str, name: str) -> None:
        """Drop a picture or an animation, whose file was removed, from the answers of the tab's jobs."""
        for answer in [job.answer for job in self._jobs.values() if job.tab == tab and "results" in job.answer]:
            answer["results"] = [result for result in answer["results"] if result.get("picture") != name]
            answer["gif"] = None if answer.get("gif") == name else answer.get("gif")

    def find(self, tab: str, id_: str) -> Job | None:
        """The tab's job of that id."""
        job = self._jobs.get(id_)
        return job if job is not None and job.tab == tab else None

    def list_files_in_use(self, tab: str) -> Iterator[Path]:
        """What the tab's jobs read that have not ended."""
        for job in self._jobs.values():
            if job.tab == tab and job.state not in ENDED:
                yield from job.order.request.files

    def list_jobs(self, tab: str) -> list[dict[str, Any]]:
        """All of the tab, as `describe` has them."""
        return [self.describe(job) for job in self._jobs.values() if job.tab == tab]

    def describe(self, job: Job) -> dict[str, Any]:
        """What the page is told of a job."""
        place = self._waiting.index(job) + (self._running is not None) if job in self._waiting else 0
        left = None
        if job.state == "running":
            left = max(0.0, (job.total - job.done) * self._pace(job) - (time.monotonic() - job.stepped))
        return {
            "type": "job", "id": job.id, "kind": job.kind, "state": job.state, "place": place, "done": job.done,
            "total": job.total, "note": job.note, "seconds_left": left, "error": job.error, "answer": job.answer,
            "about": job.order.about,
        }  # fmt: skip

    def _advance(self) -> None:
        """Begin the next job if none is under way: what is quick first, of the tab that was served least recently"""
        if self._running is not None or not self._waiting or self.model["state"] != "ready" or self._worker is None:
            return
        job = min(self._waiting, key=lambda job: (job.kind not in _QUICK, self._served.get(job.tab, 0)))
        self._waiting.remove(job)
        self._served[job.tab] = self._numbers
        self._numbers += 1
        self._running, job.state, job.begun = job, "running", time.monotonic()
        job.stepped = job.begun
        self._worker.send(job.id, job.order.request)
        for waiting in (job, *self._waiting):
            self._tell(waiting)

    def _hear(self, worker: Worker, message: Message) -> None:
        if worker is not self._worker:  # of one that was ended
            return
        job = self._running
        if message.kind == "ready":
            self.model = {"state": "ready", **message.content}
            self._notify(None, {"type": "model", **self.model})
        elif message.kind == "failed" and message.job is None:
            self.model = {"state": "failed", "error": message.content}
            self._notify(None, {"type": "model", **self.model})
            for waiting in list(self._waiting):
                self._waiting.remove(waiting)
                self._end_job(waiting, "failed", message.content)
        elif message.kind == "ended":
            self._replace_worker("the process that paints has died; is there memory enough? Try a smaller photo")
        elif job is not None and message.job == job.id:
            self._hear_of(job, message)
        self._advance()

    def _hear_of(self, job: Job, message: Message) -> None:
        if message.kind == "progress":
            now = time.monotonic()
            if message.content[0] > job.done:
                taken = (now - job.stepped) / (message.content[0] - job.done)
                self._paces[job.kind] = (1 - _NEWEST) * self._pace(job) + _NEWEST * taken
                job.stepped = now
            job.done, job.total, job.note, so_far = message.content
            if so_far is not None:
                job.order.finish(so_far)
                job.answer = so_far
            self._tell(job)
            return
        self._running = None
        if message.kind == "failed":
            self._end_job(job, "failed", message.content)
        elif message.kind == "stopped" or job.state == "stopping":
            self._end_job(job, "cancelled")
        else:
            job.answer = message.content
            try:
                job.order.finish(job.answer)
            except PgenError as error:
                self._end_job(job, "failed", str(error))
            else:
                job.done = job.total
                self._end_job(job, "done")

    def _lose_patience(self, job: Job) -> None:
        if job is self._running and job.state == "stopping":
            self._replace_worker("")

    def _replace_worker(self, reason: str) -> None:
        """End the worker with what it is at, and start another."""
        job, self._running = self._running, None
        was_ready = self.model["state"] == "ready"
        self.end()
        if job is not None:
            self._end_job(job, "failed" if reason and job.state == "running" else "cancelled", reason or None)
        if was_ready:
            self.model = {"state": "loading"}
            self._notify(None, {"type": "model", **self.model})
            self.start()
        elif self.model["state"] == "loading":
            self.model = {"state": "failed", "error": reason}
            self._notify(None, {"type": "model", **self.model})

    def _end_job(self, job: Job, state: str, error: str | None = None) -> None:
        job.state, job.note = state, ""
        if state != "done":
            told = job.order.give_up(error or "")
            job.error = told if error else error
        self._tell(job)

    def _pace(self, job: Job) -> float:
        return self._paces.get(job.kind, _FIRST_GUESS)

    def _tell(self, job: Job) -> None:
        self._notify(job.tab, self.describe(job))

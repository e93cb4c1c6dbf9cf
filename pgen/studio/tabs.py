"""The tabs of browsers that are open: each with its workspace, and those who listen to what is new."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pgen.errors import InputError, PgenError
from pgen.studio.jobs import Jobs
from pgen.studio.worker import ModelSettings
from pgen.studio.workspace import Workspace

_MOST = 64
# Seconds after which what a tab that is gone has asked for is cancelled, and its files are removed; between two signs
# of life, which show whether it is gone.
_GRACE, _FORGOTTEN, _BEAT = 6.0, 900.0, 5.0


class Tabs:
    """All tabs, and the jobs that they share.

    Attributes:
        folder: where the folders of tabs are made.
    """

    def __init__(self, settings: ModelSettings, folder: Path) -> None:
        self.folder = folder
        self.jobs = Jobs(settings, folder, self._notify)
        self._workspaces: dict[str, Workspace] = {}
        self._listeners: dict[str, set[asyncio.Queue[dict[str, Any]]]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}  # of tabs to which nobody listens

    def open(self, before: str | None = None) -> str:
        """A new tab, or the one that its page was ``before`` it was loaded anew. Raises `PgenError` for too many."""
        if before in self._workspaces:
            self._watch(before)
            return before
        if len(self._workspaces) >= _MOST:
            raise PgenError(f"{_MOST} tabs are open; close some, and try again in a quarter of an hour")
        tab = secrets.token_urlsafe(9)
        self._workspaces[tab] = Workspace(self.folder / f"tab-{tab}")
        self._listeners[tab] = set()
        self._watch(tab)
        return tab

    def find(self, tab: str) -> Workspace:
        """The tab's workspace. Raises `InputError` if there is none."""
        if tab not in self._workspaces:
            raise InputError("the studio does not know this tab any more; load the page again")
        return self._workspaces[tab]

    async def listen(self, tab: str) -> AsyncIterator[str]:
        """What happens to the tab's jobs, as events of a stream; first of all what has happened so far."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listeners[tab].add(queue)
        self._watch(tab)
        try:
            for event in ({"type": "model", **self.jobs.model}, *self.jobs.list_jobs(tab)):
                yield _write_event(event)
            while True:
                try:
                    yield _write_event(await asyncio.wait_for(queue.get(), _BEAT))
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._listeners.get(tab, set()).discard(queue)
            self._watch(tab)

    def _watch(self, tab: str) -> None:
        """Count anew how long the tab is gone, from now on; not at all if somebody listens."""
        if tab in self._timers:
            self._timers.pop(tab).cancel()
        if tab in self._workspaces and not self._listeners[tab]:
            self._timers[tab] = asyncio.get_running_loop().call_later(_GRACE, self._leave, tab)

    def _leave(self, tab: str) -> None:
        self.jobs.cancel_all(tab)
        self._timers[tab] = asyncio.get_running_loop().call_later(_FORGOTTEN - _GRACE, self.close, tab)

    def close(self, tab: str) -> None:
        """Forget a tab and its files."""
        self.jobs.cancel_all(tab)
        self.jobs.forget(tab)
        workspace = self._workspaces.pop(tab, None)
        self._listeners.pop(tab, None)
        self._watch(tab)
        if workspace is not None:
            shutil.rmtree(workspace.folder, ignore_errors=True)

    def _notify(self, tab: str | None, event: dict[str, Any]) -> None:
        for queue in [queue for name, found in self._listeners.items() if tab in (None, name) for queue in found]:
            queue.put_nowait(event)


def _write_event(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event)}\n\n"

"""The routes of the page: each reads what it is sent, checks it, and answers with JSON."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pgen.body.edits.registry import EDITS
from pgen.body.joints import BONES, FLIP_JOINTS, JOINTS
from pgen.body.labels import FLIP_LABELS, LABELS, PALETTE
from pgen.body.viz import BONE_COLORS
from pgen.data.named_poses import load_named_poses
from pgen.errors import InputError, PgenError
from pgen.studio import orders, photos
from pgen.studio.bodies import read_body, read_object
from pgen.studio.examples import render_examples
from pgen.studio.guard import Guard
from pgen.studio.requests import Order, PhotoFiles, Request
from pgen.studio.tabs import Tabs
from pgen.studio.worker import ModelSettings, explain
from pgen.studio.workspace import MOST_BYTES
from pgen.version import VERSION

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".json": "application/json",
    ".labels": "application/octet-stream",
}  # fmt: skip


@dataclass(frozen=True)
class Access:
    """Where the server listens, and the secret that the address brings along."""

    host: str
    port: int
    token: str


class Studio:
    """The server's application.

    Args:
        settings: the networks.
        folder: for all files; whoever made it removes it.
        access: who may talk to it.
        describe: the command line that does what a request does.
    """

    def __init__(
        self, settings: ModelSettings, folder: Path, access: Access, describe: Callable[[Request], str]
    ) -> None:
        self.tabs = Tabs(settings, folder)
        self.describe = describe
        self._examples: dict[str, PhotoFiles] = {}
        self._rendered = asyncio.Event()
        under = "/api/tabs/{tab}"
        routes = [
            Route("/", self._page),
            Route("/api/tabs", self._open, methods=["POST"]),
            Route("/api/examples/{name}", self._example),
            Route(f"{under}/events", self._events),
            Route(f"{under}/jobs", self._jobs),
            Route(f"{under}/jobs/{{job}}", self._cancel, methods=["DELETE"]),
            Route(f"{under}/files/{{name}}", self._file),
            Route(f"{under}/results/{{name}}", self._remove_result, methods=["DELETE"]),
            Route(f"{under}/zip", self._zip),
            Route(f"{under}/photos", self._add_photo, methods=["POST"]),
            Route(f"{under}/photos/{{photo}}", self._change_photo, methods=["PATCH"]),
            Route(f"{under}/photos/{{photo}}", self._remove_photo, methods=["DELETE"]),
            Route(f"{under}/photos/{{photo}}/annotation", self._add_annotation, methods=["PUT"]),
            Route(f"{under}/photos/{{photo}}/labels", self._paint, methods=["PUT"]),
            Route(f"{under}/targets", self._add_target, methods=["POST"]),
            Route(f"{under}/orders/{{kind}}", self._order, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]
        handlers = {PgenError: self._explain, InputError: self._explain}
        app = Starlette(routes=routes, exception_handlers=handlers, lifespan=self._live)  # type: ignore[arg-type]
        self.app: ASGIApp = Guard(app, access.token, access.host, access.port)

    @contextlib.asynccontextmanager
    async def _live(self, app: Starlette) -> AsyncIterator[None]:
        self.tabs.jobs.start()
        rendering = asyncio.create_task(self._render_examples())
        try:
            yield
        finally:
            rendering.cancel()
            self.tabs.jobs.end()

    async def _render_examples(self) -> None:
        folder = self.tabs.folder / "examples"
        folder.mkdir()
        try:
            self._examples = await asyncio.to_thread(render_examples, folder)
        finally:
            self._rendered.set()

    async def _page(self, request: HttpRequest) -> Response:
        return FileResponse(_STATIC / "index.html")

    async def _open(self, request: HttpRequest) -> Response:
        await self._rendered.wait()
        poses = {
            name: {"pose": photos.list_joints(pose.pose), "size": list((pose.frame or (256, 256))[::-1])}
            for name, pose in load_named_poses().items()
        }
        edits = {name: {"choices": list(edit.choices), "share": edit.takes_share} for name, edit in EDITS.items()}
        tab = self.tabs.open(request.query_params.get("tab"))
        return JSONResponse({
            "tab": tab, "photos": list(self.tabs.find(tab).photos),
            "version": VERSION, "model": self.tabs.jobs.model, "poses": poses,
            "joints": JOINTS, "bones": BONES, "bone_colors": BONE_COLORS, "flip_joints": FLIP_JOINTS,
            "labels": LABELS, "palette": PALETTE.tolist(), "flip_labels": FLIP_LABELS, "edits": edits,
            "regions": list(orders.REGIONS), "examples": list(self._examples), "most_bytes": MOST_BYTES,
        })  # fmt: skip

    async def _example(self, request: HttpRequest) -> Response:
        example = self._examples.get(request.path_params["name"])
        if example is None:
            raise InputError("there is no such example")
        return FileResponse(example.image, media_type="image/jpeg")

    async def _events(self, request: HttpRequest) -> Response:
        tab = request.path_params["tab"]
        self.tabs.find(tab)
        return StreamingResponse(self.tabs.listen(tab), media_type="text/event-stream")

    async def _jobs(self, request: HttpRequest) -> Response:
        self.tabs.find(request.path_params["tab"])
        return JSONResponse(self.tabs.jobs.list_jobs(request.path_params["tab"]))

    async def _cancel(self, request: HttpRequest) -> Response:
        job = self.tabs.jobs.find(request.path_params["tab"], request.path_params["job"])
        if job is None:
            raise InputError("there is no such job")
        self.tabs.jobs.cancel(job.id)
        return JSONResponse(self.tabs.jobs.describe(job))

    async def _file(self, request: HttpRequest) -> Response:
        path = self.tabs.find(request.path_params["tab"]).find(request.path_params["name"])
        if path.suffix not in _TYPES:
            raise InputError("files of this kind are not shown")
        named = path.name if "download" in request.query_params else None
        return FileResponse(path, media_type=_TYPES[path.suffix], filename=named)

    async def _remove_result(self, request: HttpRequest) -> Response:
        name = request.path_params["name"]
        workspace = self.tabs.find(request.path_params["tab"])
        if name not in workspace.commands:
            raise InputError("there is no such result")
        workspace.remove([name, f"{Path(name).stem}_sheet.png"])
        self.tabs.jobs.forget_result(request.path_params["tab"], name)
        return JSONResponse({})

    async def _zip(self, request: HttpRequest) -> Response:
        workspace = self.tabs.find(request.path_params["tab"])
        if not workspace.commands:
            raise InputError("there are no results yet")
        path = self.tabs.folder / f"{request.path_params['tab']}-{workspace.number('zip')}.zip"
        await asyncio.to_thread(workspace.pack, path)
        gone = BackgroundTask(path.unlink, missing_ok=True)
        return FileResponse(path, media_type="application/zip", filename="pgen-studio.zip", background=gone)

    async def _add_photo(self, request: HttpRequest) -> Response:
        workspace = self.tabs.find(request.path_params["tab"])
        name = request.query_params.get("example")
        if name is not None:
            if name not in self._examples:
                raise InputError(f"there is no example {name!r}")
            return self._accept(request, photos.open_example(workspace, self._examples[name]))
        name = request.query_params.get("name", "")
        return self._accept(request, photos.open_photo(workspace, name, await read_body(request, name)))

    async def _change_photo(self, request: HttpRequest) -> Response:
        workspace, photo = self._find_photo(request)
        order = photos.change_photo(workspace, request.path_params["photo"], await read_object(request))
        if order is None:
            return JSONResponse(photos.list_annotations(workspace, photo))
        return self._accept(request, order)

    async def _remove_photo(self, request: HttpRequest) -> Response:
        workspace, _ = self._find_photo(request)
        in_use = self.tabs.jobs.list_files_in_use(request.path_params["tab"])
        workspace.close_photo(request.path_params["photo"], in_use)
        return JSONResponse({})

    async def _add_annotation(self, request: HttpRequest) -> Response:
        workspace, _ = self._find_photo(request)
        name = request.query_params.get("name", "")
        data = await read_body(request, name)
        return self._accept(request, photos.open_annotation(workspace, request.path_params["photo"], name, data))

    async def _paint(self, request: HttpRequest) -> Response:
        workspace, photo = self._find_photo(request)
        labels = photos.parse_labels(photo, await read_body(request))
        is_edit = request.query_params.get("for") == "edit"
        answer = await asyncio.to_thread(photos.keep_labels, workspace, photo, labels, is_edit)
        return JSONResponse(answer)

    async def _add_target(self, request: HttpRequest) -> Response:
        workspace = self.tabs.find(request.path_params["tab"])
        if request.headers.get("content-type") == "application/json":
            return JSONResponse(orders.keep_drawn_target(workspace, await read_object(request)))
        data = await read_body(request, request.query_params.get("name", ""))
        return self._accept(request, orders.keep_target(workspace, request.query_params, data))

    async def _order(self, request: HttpRequest) -> Response:
        workspace = self.tabs.find(request.path_params["tab"])
        order = orders.ORDERS.get(request.path_params["kind"])
        if order is None:
            raise InputError(
                f"there is nothing called {request.path_params['kind']!r}; ask for {', '.join(orders.ORDERS)}"
            )
        return self._accept(request, order(workspace, await read_object(request), self.describe))

    def _accept(self, request: HttpRequest, order: Order) -> Response:
        try:
            job = self.tabs.jobs.add(request.path_params["tab"], order)
        except PgenError:
            order.give_up("")
            raise
        return JSONResponse(self.tabs.jobs.describe(job), 202)

    def _find_photo(self, request: HttpRequest) -> Any:
        workspace = self.tabs.find(request.path_params["tab"])
        return workspace, workspace.photo(request.path_params["photo"])

    async def _explain(self, request: HttpRequest, error: PgenError) -> Response:
        """What went wrong, as the command line would say it; without the names of folders."""
        text = explain(error, self.tabs.folder)
        return JSONResponse({"error": text}, 400 if isinstance(error, InputError) else 409)

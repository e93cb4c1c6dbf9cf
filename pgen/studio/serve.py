"""Running the server until it is told to end."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from pgen.errors import InputError
from pgen.studio.requests import Request
from pgen.studio.worker import ModelSettings

_GRACE = 1  # seconds for answers that are under way at the end


def serve(
    settings: ModelSettings,
    describe: Callable[[Request], str],
    tell: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    open_browser: bool = True,
) -> None:
    """Serve the page on ``host`` and ``port``, 0 for any that is free, until Ctrl-C.

    Args:
        settings: the networks.
        describe: the command line that does what a request does.
        tell: told the address, with the key that it needs.
        open_browser: open it, too.

    Raises:
        InputError: the extra ``studio`` is not installed, or one cannot listen there.
    """
    try:
        import uvicorn

        from pgen.studio.server import Access, Studio
    except ModuleNotFoundError as error:
        raise InputError(f"the page needs {error.name}, which is not installed: pip install 'pgen[studio]'") from None
    with (
        tempfile.TemporaryDirectory(prefix="pgen-studio-", ignore_cleanup_errors=True) as folder,
        listen(host, port) as listening,
    ):
        access = Access(host, listening.getsockname()[1], secrets.token_urlsafe(24))
        studio = Studio(settings, Path(folder).resolve(), access, describe)
        config = uvicorn.Config(studio.app, log_level="critical", access_log=False, timeout_graceful_shutdown=_GRACE)
        address = find_address(access.host, access.port, access.token)
        tell(address)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket on which to listen. Raises `InputError`, about ``host`` or ``port``."""
    try:
        family, *_, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError):
        raise InputError(
            f"{host} is no address of this machine; give 127.0.0.1, or 0.0.0.0 for all", option="host"
        ) from None
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot listen on {host}, port {port}: {reason}; choose another port", option="port"
        ) from None
    return listening


def find_address(host: str, port: int, token: str) -> str:
    """What a browser on this machine is to open."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/?token={token}"

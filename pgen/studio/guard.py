"""Who may talk to the page's server: the page itself, opened with the address that was told to its user.

A server on one's own machine can be reached by every page that is open in a browser, so being local protects nothing.
Refused are requests for another host name (DNS that was rebound), from another page (Origin, Sec-Fetch-Site), and
without the secret, which the address brings once and a cookie from then on.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Passes on to ``app`` what comes from its own page.

    Args:
        token: the secret.
        host: where the server listens: by that name, on a loopback address also by each name of it, and on all
            addresses by any address and this machine's name.
        port: and on which port.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self._app, self._token, self._cookie = app, token, f"pgen_studio_{port}"
        self._host, self._port = host, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the start and end of the server; there are no other kinds
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_entry = scope["path"] == "/" and self._is_token(QueryParams(scope["query_string"]).get("token", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    own.setdefault(name, value)
                if is_entry:
                    own.append("Set-Cookie", f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        reason = self._find_reason(headers, scope["method"], is_entry)
        if reason is None and not is_entry and not self._is_token(_read_cookie(headers, self._cookie)):
            reason = "Open the address that was printed when the studio was started: it brings a key along."
        if reason is not None:
            is_entry = False
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _find_reason(self, headers: Headers, method: str, is_entry: bool) -> str | None:
        """Why a request is refused, cookie or not; None if it is not. Any page may link to the address with the key."""
        host = headers.get("host", "")
        if not self._is_own_name(host):
            return "This is not a name of this server."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "Another page may not use this server."
        if not is_entry and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "Another page may not use this server."
        if origin is None and method not in ("GET", "HEAD") and headers.get("x-requested-with") != "pgen-studio":
            return "Only the page may change anything here."
        return None

    def _is_own_name(self, host: str) -> bool:
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?", host)
        if match is None or int(match[2] or 80) != self._port:
            return False
        name = match[1].strip("[]").lower()
        names = {self._host.lower()}
        address = _parse_address(name)
        own = _parse_address(self._host)
        if self._host == "localhost" or (own is not None and own.is_loopback):
            return name in names | {"localhost"} or (address is not None and address.is_loopback)
        if own is not None and own.is_unspecified:
            return address is not None or name in {"localhost", socket.gethostname().lower()}
        return name in names

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


def _read_cookie(headers: Headers, name: str) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


def _parse_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None

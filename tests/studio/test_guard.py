"""Who is let in."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from pgen.studio.guard import Guard
from tests.studio.pages import ADDRESS, PORT, TOKEN


def test_the_key_is_needed_and_becomes_a_cookie(client: TestClient) -> None:
    stranger = TestClient(client.app, ADDRESS)
    for path in ("/", "/?token=guess", "/static/main.js", "/api/tabs/x/files/y"):
        assert stranger.get(path).status_code == 403
    cookie = stranger.get(f"/?token={TOKEN}").headers["set-cookie"]
    assert f"pgen_studio_{PORT}={TOKEN}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", "", f"[::1:{PORT}", "x y"])
def test_other_names_of_the_server_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"])
def test_own_names_are_not(client: TestClient, host: str) -> None:
    name = f"{host}:{PORT}"
    assert client.get("/", headers={"Host": name, "Origin": f"http://{name}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{PORT + 1}"},
        {"Origin": f"https://127.0.0.1:{PORT}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_page_cannot_use_it(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/tabs", headers=headers).status_code == 403
    assert client.get("/static/main.js", headers=headers).status_code == 403


def test_without_an_origin_nothing_is_changed(client: TestClient) -> None:
    del client.headers["Origin"]
    try:
        assert client.get("/").status_code == 200
        assert client.post("/api/tabs").status_code == 403
        assert client.post("/api/tabs", headers={"X-Requested-With": "pgen-studio"}).status_code == 200
    finally:
        client.headers["Origin"] = ADDRESS


def test_nothing_may_be_read_from_elsewhere_or_framed(client: TestClient) -> None:
    headers = client.get("/").headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("listens", "host", "is_own"),
    [
        ("0.0.0.0", "192.168.1.7", True),
        ("0.0.0.0", "evil.example", False),
        ("192.168.1.7", "192.168.1.7", True),
        ("192.168.1.7", "10.0.0.1", False),
        ("::1", "[::1]", True),
        ("::1", "evil.example", False),
    ],
)
def test_names_where_others_may_come(listens: str, host: str, is_own: bool) -> None:
    guard = Guard(lambda *_: None, TOKEN, listens, PORT)  # type: ignore[arg-type, return-value]
    assert guard._is_own_name(f"{host}:{PORT}") is is_own

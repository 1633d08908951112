"""The session's cookie between browser and app: the app neither sees it nor sets it, and keeps its own."""

import pytest

from doorward_server.domain.cookies import SESSION_COOKIE
from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Connection, request_bytes
from tests.e2e.support.stack import Published

OURS = f"{SESSION_COOKIE}=1.{'A' * 128}"


def cookies(app: RecordingApp) -> list[str]:
    """What the app got to see."""
    return [value for name, value in app.last.headers if name.lower() == "cookie"]


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ([], []),
        (["a=1; b=2"], ["a=1; b=2"]),
        ([OURS], []),
        ([f"{OURS};"], []),
        ([f"a=1; {OURS}; b=2"], ["a=1; b=2"]),
        ([f"{OURS}; a=1"], ["a=1"]),
        ([f"a=1;{OURS};b=2"], ["a=1;b=2"]),
        ([f'a="1,2=3"; {OURS}; b=\xe9\xff; c'], ['a="1,2=3"; b=\xe9\xff; c']),  # not UTF-8
        ([f"  {SESSION_COOKIE} = v ; a=1"], ["a=1"]),
        ([f"{OURS}; a=1; {OURS}"], ["a=1"]),
        ([f"{SESSION_COOKIE}; a=1"], ["a=1"]),
        # Only look like ours
        (
            [f"x{OURS}; {SESSION_COOKIE}2=v; a={SESSION_COOKIE}"],
            [f"x{OURS}; {SESSION_COOKIE}2=v; a={SESSION_COOKIE}"],
        ),
        ([f"{SESSION_COOKIE.lower()}=v"], [f"{SESSION_COOKIE.lower()}=v"]),
        # Long ones
        ([f"{OURS}; a={' ' * 20_000}{'=' * 20_000}; b"], [f"a={' ' * 20_000}{'=' * 20_000}; b"]),
    ],
)
def test_the_apps_own_cookies_pass_byte_for_byte(
    seen_through: Published, app: RecordingApp, sent: list[str], seen: list[str]
) -> None:
    """Ours is cut out wherever it stands, and nothing else is changed."""
    assert seen_through.get(headers=[("Cookie", value) for value in sent]).status == 200
    assert cookies(app) == seen


def test_cookies_in_several_headers(seen_through: Published, app: RecordingApp) -> None:
    """Ours is found in each of them."""
    headers = [("Cookie", "a=1"), ("Cookie", OURS), ("Cookie", f"{OURS}; b=2")]
    assert seen_through.get(headers=headers).status == 200
    assert "; ".join(cookies(app)) == "a=1; b=2"


def test_a_websocket_does_not_show_it(seen_through: Published, app: RecordingApp) -> None:
    """The request that opens one is like any other."""
    headers = [
        *seen_through.credential.items(),
        *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Cookie", f"{OURS}; a=1")),
    ]
    with Connection(seen_through.address) as connection:
        connection.send(request_bytes("GET", "/", host=seen_through.host, headers=headers))
        connection.answer()
    assert cookies(app) == ["a=1"]


def test_an_app_does_not_set_it(seen_through: Published, app: RecordingApp) -> None:
    """Whatever spelling a browser would take for ours is dropped; the others stay, in their order."""
    own = ["a=1; Path=/; Secure", 'b="2, 3"; Expires=Thu, 01 Jan 2026 00:00:00 GMT', f"x{OURS}", "c=\xff"]
    ours = [f"{OURS}; Path=/; Secure", f" {SESSION_COOKIE} =x; Secure; Path=/", SESSION_COOKIE, f"={OURS}"]
    lines = "".join(f"Set-Cookie: {value}\r\n" for pair in zip(own, ours, strict=True) for value in pair)
    app.respond = lambda _: f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok".encode("latin-1")
    assert seen_through.get().all("set-cookie") == own


def test_an_app_sets_its_own(seen_through: Published, app: RecordingApp) -> None:
    """Where ours is not among them, nothing is looked at twice."""
    app.respond = lambda _: (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )
    assert seen_through.get().all("set-cookie") == ["a=1", "b=2"]

"""Login on an app's own host, from the address to the app, on the platform as users run it."""

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.e2e.support.apps import Received, RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import Answer, Connection, exchange, request_bytes
from tests.e2e.support.visitor import FORM, NAVIGATION, SESSION, Visitor
from tests.support.waiting import wait_for


@dataclass
class Site:
    """A platform with one app."""

    platform: Platform
    app: RecordingApp
    app_id: str
    host: str

    def token(self, *options: str, selector: str = "group=A") -> tuple[str, str]:
        """A READ_ONLY token: its id and secret."""
        scope = ("--role", "read-only", "--region", "GRA", "--selector", selector)
        made = self.platform.json("tokens", "create", "visitor", *scope, *options)
        return made["token"]["tokenId"], made["secret"]

    def visitor(self, host: str | None = None) -> Visitor:
        """Somebody who was never here."""
        return Visitor(self.platform.address, self.host if host is None else host)

    def logged_in(self) -> tuple[str, Visitor]:
        """A visitor with a session, and the id of the token."""
        token_id, secret = self.token()
        visitor = self.visitor()
        assert visitor.log_in(secret).status == 303
        return token_id, visitor

    def cli(self, *arguments: str) -> None:
        """Run a command that must succeed."""
        done = self.platform.cli(*arguments)
        assert done.returncode == 0, done.stderr


def a_site(platform: Platform, app: RecordingApp) -> Site:
    """The app, published and running."""
    made = platform.publish(app.port, label="group=A")
    return Site(platform, app, made["appId"], made["status"]["url"].removeprefix("http://"))


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    """With two replicas: what is said of one holds for all."""
    with running_platform(check_processes="2") as platform:
        yield platform


@pytest.fixture
def site(running: Platform, app: RecordingApp) -> Site:
    """That platform with an app of the test's own."""
    return a_site(running, app)


def is_login(answer: Answer) -> bool:
    """Whether a browser is sent to the login page."""
    return answer.status == 303 and answer.all("location")[0].startswith("/.doorward/login?next=")


def test_a_person_comes_from_the_address_to_the_app(site: Site) -> None:
    """By way of the login page, to the very page that was asked for; the app knows who, and never by what."""
    token_id, secret = site.token()
    visitor = site.visitor()
    connected = visitor.log_in(secret, "/x/y?a=b&c=%2F%2Fd")
    assert (connected.status, connected.all("location")) == (303, ["/x/y?a=b&c=%2F%2Fd"])
    assert FORM not in visitor.cookies
    assert visitor.go(connected.all("location")[0]).status == 200
    seen = site.app.last
    headers = {name.lower(): value for name, value in seen.headers}
    assert seen.target == "/x/y?a=b&c=%2F%2Fd"
    assert headers["x-doorward-token-id"] == token_id
    assert headers["x-doorward-role"] == "READ_ONLY"
    assert "cookie" not in headers
    assert len(site.app.requests) == 1
    everything = repr(seen) + repr(connected.headers)
    assert secret not in everything
    assert secret.split("_")[2] not in base64.urlsafe_b64decode(visitor.session[2:]).decode("latin-1")


def test_the_apps_own_cookies_live_beside_ours(site: Site) -> None:
    """Set and sent as if we were not there, and the app cannot end or plant a session by its cookies."""
    _, visitor = site.logged_in()
    session = visitor.session
    site.app.respond = lambda _: (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\n"
        b"Set-Cookie: __Host-doorward=planted; Path=/; Secure\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    assert visitor.go("/").all("set-cookie") == ["a=1; Path=/"]
    assert visitor.session == session
    assert visitor.go("/").status == 200
    assert [value for name, value in site.app.last.headers if name.lower() == "cookie"] == ["a=1"]


@pytest.mark.parametrize(
    "headers", [(), (("Accept", "*/*"),), (("Sec-Fetch-Mode", "cors"), ("Accept", "text/html"))]
)
def test_programs_are_not_sent_to_a_page(site: Site, headers: tuple[tuple[str, str], ...]) -> None:
    """Without a session, and with one that has ended, they get 401 with a challenge."""
    visitor = site.visitor()
    answer = visitor.send("GET", "/", headers=headers)
    assert (answer.status, answer.all("www-authenticate")) == (401, ['Bearer realm="doorward"'])
    visitor.cookies[SESSION] = "1." + "A" * 128
    answer = visitor.send("GET", "/", headers=headers)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.all("www-authenticate")[0]
    assert is_login(visitor.go("/"))
    assert site.app.requests == []


def test_tokens_that_do_not_log_in_are_explained(site: Site) -> None:
    """Wrong, expired, of another app, of a former generation, or no token at all; none is shown again."""
    visitor = site.visitor()
    token_id, secret = site.token()
    page = visitor.go("/.doorward/login?next=/")
    _, elsewhere = site.token(selector="group=B")
    answer = visitor.submit(page, token=elsewhere)
    assert (answer.status, b"This token does not open this app" in answer.body) == (403, True)
    site.cli("tokens", "regenerate", token_id, "--grace", "1h")
    answer = visitor.submit(page, token=secret)
    assert (answer.status, b"This token has a newer secret" in answer.body) == (403, True)
    site.cli("tokens", "delete", token_id, "--yes")
    answer = visitor.submit(page, token=secret)
    assert (answer.status, b"This token does not work" in answer.body) == (403, True)
    answer = visitor.submit(page, token=secret[:-1])
    assert (answer.status, b"This is not a whole token" in answer.body) == (400, True)
    assert secret[:-1].encode() not in answer.body
    assert SESSION not in visitor.cookies
    # An app that does not exist looks like one that this token is not for.
    nowhere = site.visitor(site.host.replace(site.app_id, str(uuid4())))
    answer = nowhere.submit(nowhere.go("/.doorward/login"), token=elsewhere)
    assert (answer.status, b"This token does not open this app" in answer.body) == (403, True)


def test_logging_out_ends_a_copied_cookie_on_every_replica(site: Site) -> None:
    """When the page says so, the session is over everywhere; another session of the token goes on."""
    token_id, secret = site.token()
    visitor, other = site.visitor(), site.visitor()
    visitor.log_in(secret)
    other.log_in(secret)
    thief = Visitor(visitor.address, visitor.host, dict(visitor.cookies))
    assert thief.go("/").status == 200
    assert visitor.go("/.doorward/logout").status == 200
    assert visitor.go("/").status == 200  # a link logs nobody out
    answer = visitor.log_out()
    assert (answer.status, b"You are logged out" in answer.body) == (200, True)
    assert SESSION not in visitor.cookies
    for _ in range(20):
        assert thief.fetch("/").status == 401
    assert is_login(thief.go("/"))
    assert other.go("/").status == 200
    audit = site.platform.json("audit", "list", "--action", "DeleteSession")
    assert any(event["actorTokenId"] == token_id for event in audit)


def test_what_ends_a_token_ends_its_sessions(site: Site) -> None:
    """When the call returns: a new secret, also with a grace period; an earlier end; deletion."""
    for command in (
        ("tokens", "regenerate", "{id}"),
        ("tokens", "regenerate", "{id}", "--grace", "1h"),
        ("tokens", "delete", "{id}", "--yes"),
    ):
        token_id, visitor = site.logged_in()
        assert visitor.fetch("/").status == 200
        site.cli(*(part.format(id=token_id) for part in command))
        for _ in range(10):
            assert visitor.fetch("/").status == 401
    token_id, visitor = site.logged_in()
    site.cli("tokens", "update", token_id, "--expires-in", "2s")
    wait_for(lambda: visitor.fetch("/").status == 401, what="the token expires")


def test_what_narrows_a_scope_narrows_its_sessions(site: Site) -> None:
    """An app that is labelled anew is closed to a session as to the token."""
    _, visitor = site.logged_in()
    assert visitor.fetch("/").status == 200
    site.cli("apps", "update", site.app_id, "--label", "group=B")
    for _ in range(10):
        assert visitor.fetch("/").status == 403
    assert len(site.app.requests) == 1


def test_a_session_is_for_one_app(site: Site, running: Platform) -> None:
    """Carried to another app of the same token, it opens nothing."""
    _, visitor = site.logged_in()
    with RecordingApp() as second:
        other = a_site(running, second)
        stranger = Visitor(visitor.address, other.host, dict(visitor.cookies))
        assert stranger.fetch("/").status == 401
        assert second.requests == []


def test_pages_of_other_apps_cannot_use_a_session(site: Site) -> None:
    """The browser sends the cookie, for to it all apps are one site; form, image and WebSocket fail."""
    _, visitor = site.logged_in()
    next_door = site.host.replace(site.app_id, str(uuid4()))
    for method, headers in (
        (
            "POST",
            [
                ("Sec-Fetch-Site", "same-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Origin", f"http://{next_door}"),
            ],
        ),
        ("GET", [("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "no-cors")]),
        ("POST", [("Origin", f"http://{next_door}")]),
        ("POST", [("Origin", "null")]),
        ("GET", [("Origin", f"http://{next_door}"), ("Connection", "Upgrade"), ("Upgrade", "websocket")]),
    ):
        assert visitor.send(method, "/", headers=headers).status == 401
    assert site.app.requests == []
    link = [("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html")]
    assert visitor.send("GET", "/", headers=link).status == 200


def test_a_tossed_cookie_opens_nothing(site: Site) -> None:
    """Two sessions in one request are refused, whichever comes first. Browsers that heed __Host- have one."""
    _, visitor = site.logged_in()
    for pair in ((visitor.session, "planted"), ("planted", visitor.session), (visitor.session,) * 2):
        cookie = "; ".join(f"{SESSION}={value}" for value in pair)
        answer = exchange(
            visitor.address, "GET", "/", host=site.host, headers=[*NAVIGATION, ("Cookie", cookie)]
        )
        assert answer.status == 400
    assert site.app.requests == []


def test_a_login_makes_a_new_session(site: Site) -> None:
    """Whatever the browser brings along: an id cannot be fixed beforehand."""
    _, secret = site.token()
    visitor = site.visitor()
    visitor.cookies[SESSION] = planted = "1." + "A" * 128
    visitor.log_in(secret)
    first = visitor.session
    assert first != planted
    visitor.submit(visitor.go("/.doorward/login"), token=secret)
    assert visitor.session != first


def test_login_csrf_is_refused(site: Site) -> None:
    """The page of another app cannot log its visitor in as somebody else."""
    _, secret = site.token()
    visitor = site.visitor()
    page = visitor.go("/.doorward/login")
    body = f"token={secret}&next=/".encode()
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    for headers in (
        [kind, ("Sec-Fetch-Site", "same-site"), ("Origin", "http://elsewhere.app.gra.localhost")],
        [kind, ("Origin", "http://elsewhere.app.gra.localhost")],
        [kind],
    ):
        answer = visitor.send("POST", "/.doorward/login", headers=headers, body=body)
        assert answer.status == 403
    assert SESSION not in visitor.cookies
    assert visitor.submit(page, token=secret).status == 303


def test_nothing_under_our_corner_reaches_an_app(site: Site) -> None:
    """Not with a token, a session, another method, an upgrade or another spelling of the path."""
    _, visitor = site.logged_in()
    _, secret = site.token()
    bearer = ("Authorization", f"Bearer {secret}")
    for target in (
        "/.doorward",
        "/.doorward/",
        "/.doorward/x",
        "/.doorward/login/x",
        "/x/../.doorward/login",
    ):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            assert visitor.send(method, target, headers=[bearer], body=b"x").status in (200, 403, 404, 405)
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), bearer]
    assert visitor.send("GET", "/.doorward/login", headers=upgrade).status != 101
    assert site.app.requests == []


def test_wrong_tokens_are_throttled_whatever_address_is_claimed(site: Site) -> None:
    """The client is who is connected. Throttled in this test alone, for later ones share the address."""
    with running_platform() as platform:
        visitor = Visitor(platform.address, f"{uuid4()}.app.gra.localhost")
        page = visitor.go("/.doorward/login")
        statuses = []
        for number in range(12):
            forged = [
                ("X-Forwarded-For", f"192.0.2.{number}"),
                ("X-Envoy-External-Address", f"192.0.2.{number}"),
            ]
            statuses.append(visitor.submit(page, headers=forged, token="dw_wrong").status)  # noqa: S106
        assert statuses == [400] * 10 + [429] * 2


def test_a_session_ends_when_idle_and_at_last(app: RecordingApp) -> None:
    """Used, it is renewed by an answer of the app's; and it never lasts longer than it may."""
    with running_platform(session_idle_timeout="4", session_max_age="9") as platform:
        site = a_site(platform, app)
        _, visitor = site.logged_in()
        first = visitor.session
        idle = Visitor(visitor.address, visitor.host, dict(visitor.cookies))
        wait_for(
            lambda: visitor.fetch("/").status == 200 and visitor.session != first, what="a renewed cookie"
        )
        # Another copy of the first cookie is idle meanwhile: nobody renews it.
        wait_for(
            lambda: is_login(Visitor(idle.address, idle.host, {SESSION: first}).go("/")), what="it is idle"
        )
        assert visitor.fetch("/").status == 200
        wait_for(lambda: visitor.fetch("/").status == 401, what="it is over, however it is used")


def test_a_websocket_opens_with_a_session(site: Site) -> None:
    """From the app's own page; what it says and what the app says pass."""
    _, visitor = site.logged_in()
    site.app.respond = lambda _: (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
    )
    headers = [
        *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", f"http://{site.host}")),
        *(("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")),
        ("Cookie", f"{SESSION}={visitor.session}; a=1"),
    ]
    with Connection(visitor.address) as connection:
        connection.send(request_bytes("GET", "/socket", host=site.host, headers=headers))
        assert connection.head().status == 101
    assert [value for name, value in site.app.last.headers if name.lower() == "cookie"] == ["a=1"]


def test_events_arrive_as_they_are_sent(site: Site) -> None:
    """Server-sent events, asked for by a script of the app's page with the session."""
    _, visitor = site.logged_in()

    def stream(received: Received) -> None:
        received.socket.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"d\r\ndata: first\n\n\r\n"
        )
        # The rest when the first was seen.
        seen.wait(10)
        received.socket.sendall(b"e\r\ndata: second\n\n\r\n0\r\n\r\n")

    seen = threading.Event()
    site.app.respond = stream
    headers = [
        *(("Accept", "text/event-stream"), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors")),
        ("Cookie", f"{SESSION}={visitor.session}"),
    ]
    with Connection(visitor.address) as connection:
        connection.send(request_bytes("GET", "/events", host=site.host, headers=headers))
        with connection.head() as response:
            assert response.status == 200
            assert response.readline() == b"data: first\n"
            seen.set()
            assert response.read() == b"\ndata: second\n\n"


def test_nothing_of_it_is_logged(site: Site) -> None:
    """Neither tokens nor sessions, typed right or wrong."""
    token_id, secret = site.token()
    visitor = site.visitor()
    visitor.log_in(secret, "/x")
    session = visitor.session
    visitor.submit(visitor.go("/.doorward/login"), token=secret[:-1])
    visitor.log_out()
    log = site.platform.log.read_text()
    assert token_id in log
    for text in (secret, secret[:-1], session, session[:60]):
        assert text not in log

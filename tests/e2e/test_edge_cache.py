"""Envoy repeats what check has allowed, exactly that, and for a moment: with check looked into."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import TIMEOUT, Answer, Connection, Headers, request_bytes
from tests.e2e.support.stack import FakeStack, Published, fake_stack, new_host
from tests.support.waiting import wait_for

LIFETIME = 1000


@pytest.fixture(scope="module")
def remembering() -> Iterator[FakeStack]:
    """An Envoy with the edge cache, and a check that lets it remember."""
    with fake_stack(edge_cache=True) as stack:
        yield stack


@pytest.fixture
def stack(remembering: FakeStack) -> FakeStack:
    """The same, with the rules of a check that lets every allow be remembered for every path."""
    remembering.rules.remembered, remembering.rules.any_path = LIFETIME, True
    return remembering


@pytest.fixture
def visited(stack: FakeStack, app: RecordingApp) -> Published:
    """An app behind it."""
    return stack.publish("127.0.0.1", app.port)


@dataclass(frozen=True, slots=True)
class Visitor:
    """One connection to Envoy, so one of its workers: each remembers for itself."""

    stack: FakeStack
    connection: Connection
    host: str

    def send(self, headers: Headers, target: str = "/", method: str = "GET") -> tuple[Answer, bool]:
        """Send a request; its answer, and whether check was asked."""
        before = len(self.stack.checks[0].seen)
        self.connection.send(request_bytes(method, target, host=self.host, headers=headers))
        answer = self.connection.answer(method)
        return answer, len(self.stack.checks[0].seen) > before

    def until_hit(self, headers: Headers, target: str = "/") -> Answer:
        """Send the same request until check is not asked; the answer to that one."""

        def hit() -> Answer | None:
            answer, asked = self.send(headers, target)
            return None if asked else answer

        return wait_for(hit, what="an answer from memory")


@contextmanager
def visiting(stack: FakeStack, published: Published) -> Iterator[Visitor]:
    """A client of an app."""
    with Connection(stack.address) as connection:
        yield Visitor(stack, connection, published.host)


def credential_of(published: Published) -> list[tuple[str, str]]:
    """As pairs."""
    return list(published.credential.items())


def test_a_hit_is_to_the_app_what_check_made_of_the_request(
    stack: FakeStack, visited: Published, app: RecordingApp
) -> None:
    """Same identity, same headers in the same order, no credential; and check is not asked."""
    headers = [*credential_of(visited), ("Cookie", "own=1"), ("X-Own", "2"), ("X-Doorward-Role", "ADMIN")]
    with visiting(stack, visited) as visitor:
        _, asked = visitor.send(headers)
        assert asked
        assert visitor.until_hit(headers).status == 200
    first, last = (
        [(name, value) for name, value in request.headers if name != "x-request-id"]
        for request in (app.requests[0], app.last)
    )
    # The identity is appended, in no certain order.
    assert last[:-3] == first[:-3]
    assert sorted(last[-3:]) == sorted(first[-3:])
    assert app.last.all("x-doorward-role") == ["READ_ONLY"]
    assert "authorization" not in app.last.names()


def test_a_hit_is_logged_as_what_it_repeats(stack: FakeStack, visited: Published) -> None:
    """The access log names app, token, role and reason all the same, and says that check was not asked."""
    with visiting(stack, visited) as visitor:
        answer, asked = visitor.send(credential_of(visited), "/edge-asked")
        assert (answer.status, asked) == (200, True)
        visitor.until_hit(credential_of(visited))

        def hit() -> str | None:
            target = f"/edge-hit-{len(stack.checks[0].seen)}"
            return None if visitor.send(credential_of(visited), target)[1] else target

        asked_entry = stack.envoy.logged("/edge-asked")
        entry = stack.envoy.logged(wait_for(hit, what="a hit"))
    names = ("app_id", "token_id", "role", "region", "reason", "upstream")
    assert entry["reason"] == "ALLOWED"
    assert {name: entry[name] for name in names} == {name: asked_entry[name] for name in names}
    assert (asked_entry["cached"], entry["cached"]) == (None, True)


def test_hits_make_nothing_live_longer(stack: FakeStack, visited: Published) -> None:
    """Under constant use, check is asked again when the time is over, and what it says then counts."""
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        address = stack.rules.apps.pop(visited.app_id)
        try:

            def denied() -> bool:
                answer, asked = visitor.send(credential_of(visited))
                assert asked == (answer.status == 403)
                return asked

            wait_for(denied, what="check is asked again")
            assert visitor.send(credential_of(visited))[1]
        finally:
            stack.rules.apps[visited.app_id] = address


def test_without_leave_nothing_is_remembered(stack: FakeStack, visited: Published) -> None:
    """A check that does not say so is asked each time, whatever Envoy could do."""
    stack.rules.remembered = 0
    with visiting(stack, visited) as visitor:
        for _ in range(5):
            answer, asked = visitor.send(credential_of(visited))
            assert (answer.status, asked) == (200, True)


CHANGES: dict[str, Callable[[str], Headers]] = {
    "no credential": lambda _: [],
    "another credential": lambda secret: [("Authorization", f"Bearer {secret}x")],
    "another case": lambda secret: [("Authorization", f"Bearer {secret.swapcase()}")],
    "another place": lambda secret: [("Doorward-Token", secret)],
    "a second place": lambda secret: [("Authorization", f"Bearer {secret}"), ("Doorward-Token", "x")],
    "sent twice": lambda secret: [("Authorization", f"Bearer {secret}")] * 2,
    "a cookie": lambda secret: [("Authorization", f"Bearer {secret}"), ("Cookie", "a=1")],
    "odd bytes": lambda secret: [("Authorization", f"Bearer {secret}"), ("Cookie", "a=\xff")],
    "a long value": lambda secret: [("Authorization", f"Bearer {secret}"), ("Cookie", "x" * 2000)],
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_credential_is_another_question(stack: FakeStack, visited: Published, change: str) -> None:
    """With anything changed that a decision looks at, check is asked."""
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        _, asked = visitor.send(CHANGES[change](visited.secret))
        assert asked


def test_another_host_is_another_question(stack: FakeStack, visited: Published) -> None:
    """What opens one app is asked about at another host, on the same connection."""
    with Connection(stack.address) as connection:
        Visitor(stack, connection, visited.host).until_hit(credential_of(visited))
        answer, asked = Visitor(stack, connection, f"{new_host()}:{stack.envoy.port}").send(
            credential_of(visited)
        )
    assert (answer.status, asked) == (403, True)


def test_a_denial_is_never_remembered(stack: FakeStack, visited: Published) -> None:
    """Each is check's own, and nothing that was allowed before is worth anything to it."""
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        for _ in range(3):
            answer, asked = visitor.send([])
            assert (answer.status, asked) == (401, True)


def test_where_paths_count_another_path_is_another_question(stack: FakeStack, visited: Published) -> None:
    """An app with operator paths is asked about path by path."""
    stack.rules.any_path = False
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited), "/open")
        for other in ("/admin", "/open/", "/open?x", "/Open", "//open"):
            assert visitor.send(credential_of(visited), other)[1]


@pytest.mark.parametrize(
    ("method", "target", "more"),
    [
        ("OPTIONS", "/", [("Origin", "http://x"), ("Access-Control-Request-Method", "GET")]),
        ("TRACE", "/", []),
        ("PROPFIND", "/", []),
        ("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket")]),
        ("GET", "/" + "x" * 3000, []),
        ("GET", "/", [("Doorward-Token", "x"), ("Doorward-Token", "y")]),
    ],
)
def test_an_unusual_request_is_asked_about(
    stack: FakeStack, visited: Published, method: str, target: str, more: list[tuple[str, str]]
) -> None:
    """Preflights, upgrades, unknown methods, odd bytes, repeated headers: check decides."""
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        _, asked = visitor.send([*credential_of(visited), *more], target, method)
        assert asked


def test_a_path_that_cannot_be_asked_about_is_not_answered_from_memory(
    stack: FakeStack, visited: Published, app: RecordingApp
) -> None:
    """Bytes that are no UTF-8 do not fit into a Check, so they are refused, as without the cache."""
    with visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        reached = len(app.requests)
        answer, _ = visitor.send(credential_of(visited), "/caf\xe9")
    assert answer.status != 200
    assert len(app.requests) == reached


@pytest.mark.parametrize(
    "forged",
    [
        [("hit", "true"), ("doorward.edge_cache", "hit"), ("doorward.edge_cache:hit", "true")],
        [("x-envoy-filter-metadata", '{"doorward.edge_cache": {"hit": true}}')],
        [("x-envoy-auth-partial-body", "true"), ("x-envoy-peer-metadata", "eyJoaXQiOnRydWV9")],
        [("x-doorward-remember", "1"), ("remember", '{"milliseconds": 1000}')],
    ],
)
def test_a_client_cannot_say_that_it_is_a_hit(
    stack: FakeStack, visited: Published, app: RecordingApp, forged: list[tuple[str, str]]
) -> None:
    """No header becomes metadata: without a credential, the answer is check's 401."""
    with visiting(stack, visited) as visitor:
        for target in ("/", "/?doorward.edge_cache=hit"):
            answer, asked = visitor.send(forged, target)
            assert (answer.status, asked) == (401, True)
    assert app.requests == []


def test_an_app_cannot_have_itself_remembered(stack: FakeStack, app: RecordingApp) -> None:
    """Whatever an app answers, only check's word counts."""
    stack.rules.remembered = 0
    app.respond = lambda _: (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nremember: 1000\r\nx-doorward-remember: any\r\n"
        b"x-envoy-dynamic-metadata: doorward.edge_cache\r\n\r\n"
    )
    visited = stack.publish("127.0.0.1", app.port)
    with visiting(stack, visited) as visitor:
        for _ in range(3):
            assert visitor.send(credential_of(visited))[1]


def test_http_2_is_remembered_alike(stack: FakeStack, visited: Published, app: RecordingApp) -> None:
    """Cookies that HTTP/2 sends piece by piece count as a whole."""
    host, port = visited.address
    with httpx.Client(http1=False, http2=True, timeout=TIMEOUT, trust_env=False) as client:

        def asked(cookie: str) -> bool:
            seen = len(stack.checks[0].seen)
            headers = {"Host": visited.host, "Cookie": cookie, **visited.credential}
            assert client.get(f"http://{host}:{port}/x", headers=headers).status_code == 200
            return len(stack.checks[0].seen) > seen

        wait_for(lambda: not asked("a=1; b=2"), what="a hit")
        assert app.last.all("cookie") == ["a=1; b=2"]
        assert asked("a=1; b=3")
        assert asked("a=1")


def test_an_address_that_has_moved_is_found_again(stack: FakeStack, visited: Published) -> None:
    """For a lifetime, Envoy may connect to where the app was; then to where it is."""
    with RecordingApp() as moved, visiting(stack, visited) as visitor:
        visitor.until_hit(credential_of(visited))
        stack.rules.apps[visited.app_id] = ("127.0.0.1", moved.port)

        def arrived() -> bool:
            visitor.send(credential_of(visited))
            return bool(moved.requests)

        wait_for(arrived, what="the app is reached at its new address")


def test_an_outage_of_check_is_noticed_a_lifetime_later(app: RecordingApp) -> None:
    """Who was allowed just before it goes on for that long; everybody else is denied at once."""
    with fake_stack(edge_cache=True) as stack:
        stack.rules.remembered = LIFETIME
        visited = stack.publish("127.0.0.1", app.port)
        with visiting(stack, visited) as visitor:
            visitor.until_hit(credential_of(visited))
            stack.checks[0].close()
            reached = len(app.requests)
            assert visitor.send([*credential_of(visited), ("Cookie", "new=1")])[0].status == 503
            assert len(app.requests) == reached
            wait_for(lambda: visitor.send(credential_of(visited))[0].status == 503, what="503")
            assert visitor.send(credential_of(visited))[0].status == 503


def test_without_the_edge_cache_leave_to_remember_is_no_use(
    seen_through: Published, glass: FakeStack
) -> None:
    """By default, Envoy asks each time, also a check that would let it remember."""
    glass.rules.remembered = LIFETIME
    try:
        with visiting(glass, seen_through) as visitor:
            for _ in range(5):
                answer, asked = visitor.send(credential_of(seen_through))
                assert (answer.status, asked) == (200, True)
    finally:
        glass.rules.remembered = 0

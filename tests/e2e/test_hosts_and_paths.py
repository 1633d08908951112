"""Which app a host means, and that its paths arrive as they were sent."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Connection, exchange, request_bytes
from tests.e2e.support.stack import FakeStack, Published


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("{name}:{port}", "{name}:{port}"),
        ("{name}", "{name}"),
        ("{name}:80", "{name}:80"),
        ("{name}.:{port}", "{name}:{port}"),
        ("{name}.", "{name}"),
        ("{upper}:{port}", "{upper}:{port}"),
    ],
)
def test_a_host_means_the_same_app_however_it_is_written(
    published: Published, app: RecordingApp, sent: str, seen: str
) -> None:
    """Port, case and one trailing dot do not matter, and the app sees its Host as sent, but for the dot."""
    name, _, port = published.host.partition(":")
    words = {"name": name, "port": port, "upper": name.upper()}
    assert published.get(host=sent.format(**words)).status == 200
    assert app.last.all("host") == [seen.format(**words)]


@pytest.mark.parametrize(
    "form",
    ["{name},{name}", "x.{name}", "user@{name}", "{name}:port", "{name} {name}", "127.0.0.2", ""],
)
def test_a_malformed_host_is_no_app(published: Published, app: RecordingApp, form: str) -> None:
    """A host that is empty, doubled or decorated reaches nothing, whatever credential comes with it."""
    name = published.host.partition(":")[0]
    with Connection(published.address) as connection:
        host = form.format(name=name)
        connection.send(
            request_bytes("GET", "/", host=None, headers=[("Host", host), *published.credential.items()])
        )
        assert connection.answer().status in {400, 403}
    assert app.requests == []


@pytest.mark.parametrize("second", ["{host}", "localhost", "example.com"])
def test_two_hosts_are_no_app(published: Published, app: RecordingApp, second: str) -> None:
    """A second Host header does not make a second reading possible."""
    doubled = [("Host", second.format(host=published.host))]
    assert published.get(headers=doubled).status in {400, 403}
    assert app.requests == []


def test_a_request_without_a_host_is_refused(published: Published, app: RecordingApp) -> None:
    """HTTP/1.1 wants a Host (RFC 9112 §3.2)."""
    answer = exchange(published.address, "GET", "/", host=None, headers=published.credential)
    assert answer.status == 400
    assert app.requests == []


def test_the_host_of_an_absolute_target_decides(published: Published, app: RecordingApp) -> None:
    """A proxy-style request line cannot smuggle a second host past check (RFC 9112 §3.2.2)."""
    assert published.get("http://other.app.gra.localhost/").status == 403
    assert app.requests == []


def test_every_request_of_a_connection_is_decided_alone(published: Published, app: RecordingApp) -> None:
    """A connection that was let through once opens nothing for the next request on it."""
    with Connection(published.address) as connection:
        for credential, status in [(published.credential, 200), ({}, 401), (published.credential, 200)]:
            connection.send(request_bytes("GET", "/", host=published.host, headers=credential.items()))
            assert connection.answer().status == status
    assert len(app.requests) == 2


@pytest.mark.parametrize(
    "target",
    [
        "/models/org%2Fname:generate",
        "/a//b",
        "//a///",
        "/a%5Cb",
        "/a%20b%2c%3B",
        "/a;b=c/d;e",
        "/%C3%A9/%e9",
        "/100%",
        "/a?x=%zz&&y=//../.\\&z=%41+%2B",
        "/?",
        "/a?/../b",
        "/a/b...",
        "/.doorwardx",
    ],
)
def test_a_path_arrives_as_it_was_sent(published: Published, app: RecordingApp, target: str) -> None:
    """Path and query reach check and app byte for byte: slashes are not merged, `%2F` is not decoded."""
    assert published.get(target).status == 200
    assert app.last.target == target


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/a/../b", "/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a\\b", "/a/b"),
        ("/%41%7e", "/A~"),
        ("/../../etc/passwd", "/etc/passwd"),
    ],
)
def test_check_and_app_see_the_same_normal_path(
    seen_through: Published, glass: FakeStack, app: RecordingApp, target: str, seen: str
) -> None:
    """Where RFC 3986 §6.2.2 knows one normal form, check decides on that form and the app gets it."""
    assert seen_through.get(target).status == 200
    assert app.last.target == seen
    assert glass.checks[0].seen[-1].attributes.request.http.path == seen


@pytest.mark.parametrize(
    "target",
    [
        "/.doorward/",
        "/.doorward/login?next=/",
        "/.doorward",
        "/%2edoorward/x",
        "/%2Edoo%72ward/x",
        "/x/../.doorward/x",
        "/x/%2e%2e/.doorward/x",
        "/.doorward\\x",
        "/./.doorward/x",
    ],
)
@pytest.mark.parametrize("with_token", [True, False])
def test_doorwards_own_paths_never_reach_an_app(
    published: Published, app: RecordingApp, target: str, with_token: bool
) -> None:
    """`/.doorward/` is Doorward's on every app's host, however the path is spelled."""
    headers = published.credential if with_token else {}
    assert exchange(published.address, "GET", target, host=published.host, headers=headers).status == 404
    assert app.requests == []


@pytest.mark.parametrize("target", ["//.doorward/x", "/.doorward%2fx", "/.DOORWARD/x", "/..%2f.doorward/x"])
def test_what_only_looks_like_doorwards_own_paths_needs_a_token(
    published: Published, app: RecordingApp, target: str
) -> None:
    """A path that Envoy does not read as `/.doorward/` is the app's, and checked as any other."""
    assert exchange(published.address, "GET", target, host=published.host).status == 401
    assert app.requests == []
    assert published.get(target).status == 200

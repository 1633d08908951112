"""CORS preflight requests, which browsers send without a credential, behind the real check."""

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Answer, Headers, exchange
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import Published

ORIGIN = ("Origin", "https://page.example")
METHOD = ("Access-Control-Request-Method", "PUT")


def send(published: Published, method: str, *headers: tuple[str, str]) -> Answer:
    """A request without a credential."""
    return exchange(published.address, method, "/x", host=published.host, headers=headers)


def test_an_app_that_wants_them_gets_them(stack: RealStack, app: RecordingApp) -> None:
    """The preflight passes without a token, as it was sent; the request that follows needs one."""
    published = stack.publish("127.0.0.1", app.port, cors_preflight=True)
    assert send(published, "OPTIONS", ORIGIN, METHOD).status == 200
    assert (app.last.method, app.last.target) == ("OPTIONS", "/x")
    assert app.last.all("origin") == [ORIGIN[1]]
    assert app.last.all("access-control-request-method") == [METHOD[1]]
    assert "x-doorward-token-id" not in app.last.names()
    assert send(published, "PUT", ORIGIN).status == 401
    assert published.send("PUT", headers=[ORIGIN]).status == 200
    assert len(app.requests) == 2


def test_what_only_looks_like_one_needs_a_token(stack: RealStack, app: RecordingApp) -> None:
    """Another method, or one header of the two: not a preflight."""
    published = stack.publish("127.0.0.1", app.port, cors_preflight=True)
    lookalikes: list[tuple[str, Headers]] = [
        ("OPTIONS", [ORIGIN]),
        ("OPTIONS", [METHOD]),
        ("OPTIONS", []),
        ("GET", [ORIGIN, METHOD]),
        ("POST", [ORIGIN, METHOD]),
    ]
    assert [send(published, method, *headers).status for method, headers in lookalikes] == [401] * 5
    wrong = ("Authorization", f"Bearer {published.secret[:-1]}")
    assert send(published, "OPTIONS", ORIGIN, METHOD, wrong).status == 400
    assert app.requests == []


def test_an_app_that_did_not_ask_for_them_gets_none(published: Published, app: RecordingApp) -> None:
    """By default a preflight needs a token like any other request."""
    assert send(published, "OPTIONS", ORIGIN, METHOD).status == 401
    assert app.requests == []
    assert published.send("OPTIONS", headers=[ORIGIN, METHOD]).status == 200

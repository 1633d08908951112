"""Pages of other origins and the API: what a browser is told through the real Envoy."""

from collections.abc import Iterator

import pytest

from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import Answer
from tests.e2e.support.real_stack import RealStack

PAGE = "https://page.example"
STRANGER = "https://page.example.com"
RPC = "/doorward.v1.TokenService/WhoAmI"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One that lets one origin in."""
    with running_platform(api_cors_origins=f'["{PAGE}"]') as running:
        yield running


def preflight(platform: Platform, origin: str, *, host: str = "api.localhost") -> Answer:
    """What a browser asks before it calls."""
    asked = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type,grpc-timeout,x-grpc-web"),
    ]
    return platform.visit(host, RPC, method="OPTIONS", headers=asked)


def allowed(answer: Answer) -> list[str]:
    """The origins that an answer lets in."""
    return answer.all("access-control-allow-origin")


def test_a_page_of_an_allowed_origin_may_call(platform: Platform) -> None:
    """Its preflight is answered by Envoy, with what the clients for browsers send; no cookie goes with it."""
    answer = preflight(platform, PAGE)
    assert answer.status == 200
    assert allowed(answer) == [PAGE]
    (headers,) = answer.all("access-control-allow-headers")
    assert {"authorization", "content-type", "grpc-timeout", "x-grpc-web"} <= set(headers.split(", "))
    assert answer.all("access-control-allow-credentials") == []


def test_it_sees_of_an_answer_what_a_client_reads(platform: Platform) -> None:
    """Errors included: those are what a page has to show."""
    for token, status in ((platform.admin_token, 200), (None, 401)):
        answer = platform.visit("api.localhost", "/v1/me", token=token, headers=[("Origin", PAGE)])
        assert answer.status == status
        assert allowed(answer) == [PAGE]
        (shown,) = answer.all("access-control-expose-headers")
        assert {"doorward-request-id", "grpc-status", "grpc-message"} <= set(shown.split(", "))


@pytest.mark.parametrize("origin", [STRANGER, "http://page.example", "null"])
def test_a_page_of_another_origin_may_not(platform: Platform, origin: str) -> None:
    """A longer name, another scheme and a page without an origin are others."""
    assert allowed(preflight(platform, origin)) == []
    answer = platform.visit(
        "api.localhost", "/v1/me", token=platform.admin_token, headers=[("Origin", origin)]
    )
    assert allowed(answer) == []


def test_apps_decide_for_themselves(platform: Platform) -> None:
    """The setting is the API's: on an app's host it changes nothing."""
    answer = preflight(platform, PAGE, host="00000000-0000-4000-8000-000000000000.app.gra.localhost")
    assert answer.status == 401
    assert allowed(answer) == []


def test_by_default_no_page_may(stack: RealStack) -> None:
    """Who sets nothing allows nobody."""
    assert allowed(preflight(stack.platform, PAGE)) == []

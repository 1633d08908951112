"""The console on its own host, through the real Envoy: who gets in, and what stays apart."""

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.console_site import Site, a_site
from tests.e2e.support.console_visitor import CONSOLE_SESSION, ConsoleVisitor
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.visitor import NAVIGATION, SESSION, Visitor


@pytest.fixture
def site(platform: Platform, app: RecordingApp) -> Site:
    """That platform with an app and an OPERATOR's token of the test's own."""
    return a_site(platform, app)


def test_a_token_signs_in_and_out(site: Site) -> None:
    """From the address to the list of what the token covers; signed out, a copy of the cookie is nothing."""
    visitor = ConsoleVisitor.of(site.platform)
    sent = visitor.go("/apps?selector=a%3Db")
    assert (sent.status, sent.all("location")) == (303, ["/sign-in?next=%2Fapps%3Fselector%3Da%253Db"])
    assert visitor.sign_in(site.token, "/apps").all("location") == ["/apps"]
    page = visitor.go("/apps")
    assert page.status == 200
    assert site.app_id.encode() in page.body
    assert b"OPERATOR" in page.body
    copy = dict(visitor.cookies)
    assert site.token not in str(copy)
    assert visitor.sign_out().status == 200
    assert CONSOLE_SESSION not in visitor.cookies
    visitor.cookies = copy
    assert visitor.go("/apps").status == 303


def test_its_address_is_told(site: Site) -> None:
    """By `doorward up`, with what else a person needs to know."""
    assert (
        f"console      http://console.localhost:{site.platform.address[1]}" in site.platform.log.read_text()
    )


@pytest.mark.parametrize("how", ["regenerate", "regenerate with grace", "delete"])
def test_a_session_is_dead_when_the_call_returns(site: Site, how: str) -> None:
    """With its token's secret; a grace period is for programs."""
    visitor = site.signed_in()
    assert visitor.go("/apps").status == 200
    command = {
        "regenerate": ("regenerate", site.token_id),
        "regenerate with grace": ("regenerate", site.token_id, "--grace", "1h"),
        "delete": ("delete", site.token_id, "--yes"),
    }[how]
    done = site.platform.cli("tokens", *command)
    assert done.returncode == 0, done.stderr
    sent = visitor.go("/apps")
    assert sent.status == 303
    assert sent.all("location")[0].endswith("&ended=1")


def test_an_apps_session_is_nothing_to_the_console_and_the_api(site: Site) -> None:
    """By whatever name it comes: as its own cookie, as the console's, or as a credential of the API."""
    visitor = Visitor(site.platform.address, site.host)
    assert visitor.log_in(site.token).status == 303
    stranger = ConsoleVisitor.of(site.platform)
    for name in (SESSION, CONSOLE_SESSION):
        stranger.cookies = {name: visitor.session}
        assert stranger.go("/apps").status == 303
    assert site.rest(("doorward-session", visitor.session)) == 401
    assert site.rest(("Cookie", f"{SESSION}={visitor.session}")) == 401
    assert site.rest(("Authorization", f"Bearer {visitor.session}")) == 401


def test_the_consoles_session_opens_no_app(site: Site) -> None:
    """By whatever name it comes; nor does it make a session that does."""
    visitor = site.signed_in()
    session = visitor.console_session
    at_app = Visitor(site.platform.address, site.host)
    for name in (SESSION, CONSOLE_SESSION):
        at_app.cookies = {name: session}
        sent = at_app.go("/")
        assert sent.status == 303
        assert sent.all("location")[0].startswith("/.doorward/login")
    for headers in (
        [("Authorization", f"Bearer {session}")],
        [("Doorward-Token", session)],
        [("doorward-session", session)],
    ):
        answer = exchange(site.platform.address, "GET", "/", host=site.host, headers=headers)
        assert answer.status in {400, 401}
    assert site.app.requests == []
    made = exchange(
        site.platform.address,
        "POST",
        "/v1/sessions",
        host="api.localhost",
        headers=[("doorward-session", session), ("Content-Type", "application/json")],
        body=b'{"host": "%s"}' % site.host.encode(),
    )
    assert made.status == 401


def test_the_api_takes_it_as_metadata_and_never_as_a_cookie(site: Site) -> None:
    """A browser sends cookies along; what it sends nobody by itself cannot be had by another site's page."""
    session = site.signed_in().console_session
    assert site.rest(("doorward-session", session)) == 200
    assert site.rest(("Cookie", f"{CONSOLE_SESSION}={session}")) == 401
    assert site.rest(("doorward-session", session), ("doorward-session", session)) == 401


def test_forged_identity_headers_are_nothing(site: Site) -> None:
    """Neither who is there nor where from is believed, whoever says so."""
    stranger = ConsoleVisitor.of(site.platform)
    forged = [
        ("x-doorward-role", "ADMIN"),
        ("x-doorward-token-id", site.token_id),
        ("X_Doorward_Role", "ADMIN"),
        ("x-envoy-external-address", "192.0.2.7"),
        *NAVIGATION,
    ]
    assert stranger.send("GET", "/apps", headers=forged).status == 303
    visitor = site.signed_in()
    page = visitor.send("GET", "/apps", headers=forged)
    assert page.status == 200
    assert b"OPERATOR" in page.body
    assert b"ADMIN" not in page.body.partition(b"<main")[0]


def test_wrong_tokens_are_throttled_whatever_address_is_claimed() -> None:
    """By the address that Envoy was connected from."""
    with running_platform() as platform:
        visitor = ConsoleVisitor.of(platform)
        page = visitor.go("/sign-in")
        statuses = []
        for number in range(12):
            claimed = f"192.0.2.{number}"
            headers = [("X-Forwarded-For", claimed), ("x-envoy-external-address", claimed)]
            statuses.append(visitor.submit(page, headers=headers, token="dw_" + "x" * 62).status)
        assert statuses[0] == 400
        assert statuses[-1] == 429


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_do_nothing(site: Site, method: str) -> None:
    """With a session and without."""
    for visitor in (site.signed_in(), ConsoleVisitor.of(site.platform)):
        for target in ("/apps", "/sign-in"):
            assert visitor.send(method, target).status == 405


def test_envoy_is_no_tunnel_there(site: Site) -> None:
    """CONNECT to the console's host is refused."""
    host = f"console.localhost:{site.platform.address[1]}"
    answer = exchange(site.platform.address, "CONNECT", host, host=host)
    assert answer.status in {403, 404}


def test_a_cookie_that_is_tossed_in_is_not_taken(site: Site) -> None:
    """A second one of the name, as from a sibling host of a browser that does not know the prefix."""
    visitor = site.signed_in()
    own, other = visitor.console_session, site.signed_in().console_session
    for cookies in (
        f"{CONSOLE_SESSION}={other}; {CONSOLE_SESSION}={own}",
        f"{CONSOLE_SESSION}={own},{other}",
    ):
        answer = exchange(
            site.platform.address,
            "GET",
            "/apps",
            host=visitor.host,
            headers=[("Cookie", cookies), *NAVIGATION],
        )
        assert answer.status == 303


@pytest.mark.parametrize("target", ["//evil.example", "/%5cevil.example", "https://evil.example"])
def test_the_sign_in_leads_nowhere_else(site: Site, target: str) -> None:
    """A link to it cannot lead to another site."""
    assert ConsoleVisitor.of(site.platform).sign_in(site.token, target).all("location") == ["/"]


def test_other_hosts_have_no_console(site: Site) -> None:
    """Not an app's, not the API's, and not one that is nearly its own."""
    session = site.signed_in().console_session
    for host in (site.host, "api.localhost", "console.localhost.evil.example", "xconsole.localhost"):
        answer = exchange(
            site.platform.address,
            "GET",
            "/sign-in",
            host=host,
            headers=[("Cookie", f"{CONSOLE_SESSION}={session}"), *NAVIGATION],
        )
        assert answer.status in {303, 403, 404}
        assert b"Sign in" not in answer.body
    for host in ("CONSOLE.localhost", "console.localhost."):
        answer = exchange(site.platform.address, "GET", "/sign-in", host=host, headers=NAVIGATION)
        assert answer.status == 200

"""Requests that another origin's page has made."""

import pytest

from doorward_server.domain.origins import is_foreign

HOST = "a.app.gra.localhost:8080"
OWN = b"http://a.app.gra.localhost:8080"


@pytest.mark.parametrize(
    ("method", "headers", "foreign"),
    [
        # Programs, and browsers that send neither
        ("GET", {}, False),
        ("POST", {}, False),
        # The app's own pages, and what somebody types
        ("POST", {"site": [b"same-origin"], "mode": [b"cors"], "origin": [OWN]}, False),
        ("POST", {"site": [b"same-origin"], "mode": [b"navigate"], "origin": [b"null"]}, False),
        ("GET", {"site": [b"none"], "mode": [b"navigate"]}, False),
        # Links from elsewhere
        ("GET", {"site": [b"cross-site"], "mode": [b"navigate"]}, False),
        ("HEAD", {"site": [b"same-site"], "mode": [b"navigate"]}, False),
        # Pages of other apps, one site with this one
        ("POST", {"site": [b"same-site"], "mode": [b"navigate"]}, True),
        ("GET", {"site": [b"same-site"], "mode": [b"no-cors"]}, True),
        ("GET", {"site": [b"same-site"], "mode": [b"websocket"]}, True),
        ("POST", {"site": [b"cross-site"], "mode": [b"cors"]}, True),
        ("GET", {"site": [b"same-origin", b"same-site"]}, True),
        ("GET", {"site": [b"Same-Origin"]}, True),
        # Where only Origin is sent
        ("GET", {"origin": [OWN]}, False),
        ("GET", {"origin": [OWN.upper()]}, False),
        ("POST", {"origin": [b"https" + OWN[4:]]}, False),  # TLS may end in front of Envoy
        ("GET", {"origin": [b"http://b.app.gra.localhost:8080"]}, True),
        ("GET", {"origin": [b"http://a.app.gra.localhost"]}, True),
        ("GET", {"origin": [b"http://a.app.gra.localhost:8080.evil.example"]}, True),
        ("POST", {"origin": [b"null"]}, True),
        ("POST", {"origin": [b""]}, True),
        ("POST", {"origin": [OWN, OWN]}, True),
    ],
)
def test_a_page_of_another_origin_is_told(
    method: str, headers: dict[str, list[bytes]], foreign: bool
) -> None:
    """By what the browser says of the page, which no page can change."""
    everything: dict[str, list[bytes]] = {"site": [], "mode": [], "origin": []} | headers
    assert is_foreign(method, HOST, **everything) is foreign


@pytest.mark.parametrize("origin", [b"", b"null", b"a", b"http:/"])
def test_an_origin_without_a_host_is_not_the_host_without_a_name(origin: bytes) -> None:
    """A route may name the app and the request no host: `null` and the like are foreign there as well."""
    assert is_foreign("POST", "", site=[], mode=[], origin=[origin])

"""Credentials that are sent twice, through the real Envoy and check."""

import base64

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import Published

OWN, OTHER = ("Authorization", "Bearer own1"), ("Authorization", "Bearer own2")
OURS = ("Authorization", "Bearer {secret}")
BASIC = ("Authorization", "Basic {basic}")
TOKEN = ("Doorward-Token", "{secret}")


def send(published: Published, headers: tuple[tuple[str, str], ...]) -> int:
    """Send these headers in this order; the status of the answer."""
    basic = base64.b64encode(f"x:{published.secret}".encode()).decode()
    filled = [(name, value.format(secret=published.secret, basic=basic)) for name, value in headers]
    return exchange(published.address, "GET", "/", host=published.host, headers=filled).status


@pytest.mark.parametrize(
    "headers",
    [
        (OURS, OURS),
        (OURS, OWN),
        (OWN, OURS),
        (OWN, BASIC),
        (BASIC, OWN),
        (OWN, OURS, OTHER),
        (OWN, OURS, TOKEN),
        (BASIC, OWN, TOKEN),
        (TOKEN, TOKEN),
        (OWN, TOKEN, TOKEN),
        (TOKEN, ("Doorward-Token", "")),
    ],
)
def test_a_token_beside_another_credential_is_refused(
    published: Published, app: RecordingApp, headers: tuple[tuple[str, str], ...]
) -> None:
    """Nobody has to guess which one counts, and the app sees none of them."""
    assert send(published, headers) == 400
    assert app.requests == []


def test_two_of_the_apps_own_are_its_own(published: Published, app: RecordingApp) -> None:
    """They open nothing; beside a token they reach the app, joined by Envoy, and the token does not."""
    assert send(published, (OWN, OTHER)) == 401
    assert app.requests == []
    assert send(published, (OWN, OTHER, TOKEN)) == 200
    assert app.last.all("authorization") == ["Bearer own1,Bearer own2"]
    assert "doorward-token" not in app.last.names()

"""What the access log says of the decisions of the real check."""

from typing import Any

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import Published

FACTS = ("status", "reason", "app_id", "region", "token_id", "role")


def facts(stack: RealStack, path: str) -> dict[str, Any]:
    """What is logged of the decision on the request with that path."""
    entry = stack.logged(path)
    return {name: entry[name] for name in FACTS}


def test_who_was_allowed_is_named(stack: RealStack, published: Published) -> None:
    """App, region, token and role, and that the token is why."""
    assert published.get("/reason-allowed").status == 200
    assert facts(stack, "/reason-allowed") == {
        "status": 200,
        "reason": "ALLOWED",
        "app_id": published.app_id,
        "region": "GRA",
        "token_id": published.secret.split("_")[1],
        "role": "READ_ONLY",
    }


def test_who_was_denied_is_named(stack: RealStack, published: Published) -> None:
    """A token that does not open the app is in the log with the app that it tried."""
    secret = stack.secret(role="ROLE_OPERATOR", selector="group=nobodys")
    headers = {"Authorization": f"Bearer {secret}"}
    assert (
        exchange(published.address, "GET", "/reason-scope", host=published.host, headers=headers).status
        == 403
    )
    assert facts(stack, "/reason-scope") == {
        "status": 403,
        "reason": "OUT_OF_SCOPE",
        "app_id": published.app_id,
        "region": "GRA",
        "token_id": secret.split("_")[1],
        "role": "OPERATOR",
    }


@pytest.mark.parametrize(
    ("reason", "status", "headers"),
    [
        ("NO_CREDENTIAL", 401, []),
        ("MALFORMED_CREDENTIAL", 400, [("Authorization", "Bearer dw_cut-short")]),
        ("REPEATED_CREDENTIAL", 400, [("Doorward-Token", "a"), ("Doorward-Token", "b")]),
    ],
)
def test_a_credential_that_is_none_is_nobodys(
    stack: RealStack, published: Published, reason: str, status: int, headers: list[tuple[str, str]]
) -> None:
    """The app is named, a token is not."""
    path = f"/reason-{reason}"
    assert exchange(published.address, "GET", path, host=published.host, headers=headers).status == status
    expected = {"status": status, "reason": reason, "app_id": published.app_id, "region": "GRA"}
    assert facts(stack, path) == {**expected, "token_id": None, "role": None}


def test_a_public_app_and_a_preflight_say_so(stack: RealStack, app: RecordingApp) -> None:
    """Whoever passes without a token does so for a reason that is logged."""
    public = stack.publish("127.0.0.1", app.port, access="ACCESS_PUBLIC")
    assert exchange(public.address, "GET", "/reason-public", host=public.host).status == 200
    assert facts(stack, "/reason-public")["reason"] == "PUBLIC_APP"
    open_to_pages = stack.publish("127.0.0.1", app.port, cors_preflight=True)
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "PUT"}
    host = open_to_pages.host
    assert exchange(stack.address, "OPTIONS", "/reason-cors", host=host, headers=headers).status == 200
    expected = {"status": 200, "reason": "CORS_PREFLIGHT", "app_id": open_to_pages.app_id, "region": "GRA"}
    assert facts(stack, "/reason-cors") == {**expected, "token_id": None, "role": None}

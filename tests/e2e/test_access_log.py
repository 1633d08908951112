"""What Envoy writes about each request, and what it never writes."""

import json
import secrets

import pytest

from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, FakeStack, Published
from tests.support.waiting import wait_for


def test_an_allowed_request_names_app_token_and_reason(seen_through: Published, glass: FakeStack) -> None:
    """Who used what, when, how, and why it was allowed."""
    seen_through.send(
        "POST", "/log-allowed?token=in-the-query", headers=[("X-Request-Id", "r-1")], body=b"12345"
    )
    entry = glass.envoy.logged("/log-allowed")
    expected = {
        "method": "POST",
        "host": seen_through.host,
        "status": 200,
        "flags": "-",
        "bytes_received": 5,
        "bytes_sent": 13,
        "protocol": "HTTP/1.1",
        "client": "127.0.0.1",
        "request_id": "r-1",
        "app_id": seen_through.app_id,
        "token_id": "token0000001",
        "role": "READ_ONLY",
        "region": "GRA",
        "reason": "ALLOWED",
    }
    assert {name: entry[name] for name in expected} == expected
    assert isinstance(entry["duration_ms"], int)
    assert entry["time"].endswith("Z")


def test_a_denied_request_has_its_reason(seen_through: Published, glass: FakeStack) -> None:
    """A denial is logged with check's reason, and without an upstream."""
    exchange(seen_through.address, "GET", "/log-denied", host=seen_through.host)
    entry = glass.envoy.logged("/log-denied")
    assert (entry["status"], entry["reason"], entry["upstream"]) == (401, "NO_CREDENTIAL", None)


def test_a_call_of_the_api_is_logged_as_it_was_sent(glass: FakeStack) -> None:
    """A REST call is logged by its own method and path, not by those of the RPC."""
    exchange(glass.address, "GET", "/v1/apps/log-api", host=API_HOST)
    entry = glass.envoy.logged("/v1/apps/log-api")
    assert (entry["method"], entry["status"]) == ("GET", 200)


def test_no_secret_is_written(seen_through: Published, glass: FakeStack) -> None:
    """Neither log has a credential, a cookie, a query or a body, whatever became of the request."""
    secret = "dw_log-secret"  # noqa: S105 - it opens nothing
    headers = [
        ("Authorization", f"Bearer {secret}"),
        ("Doorward-Token", secret),
        ("Cookie", f"session={secret}"),
        ("X-Api-Key", secret),
        ("Referer", f"http://x/?{secret}"),
        ("User-Agent", secret),
    ]
    for host in (seen_through.host, API_HOST):
        for target in (f"/no-secret?token={secret}", f"/v1/apps?nope={secret}", f"/.doorward/?{secret}"):
            exchange(glass.address, "POST", target, host=host, headers=headers, body=secret.encode())
    seen_through.get("/log-last")
    glass.envoy.logged("/log-last")
    text = glass.envoy.access_log() + glass.envoy.log.read_text()
    assert secret not in text
    assert seen_through.credential["Authorization"] not in text


def test_a_hostile_request_cannot_forge_an_entry(seen_through: Published, glass: FakeStack) -> None:
    """Quotes and braces of a client stay inside their string, and long values are cut."""
    host = 'a"}{"status":200,"app_id":"x'
    exchange(seen_through.address, "GET", '/log-forged","reason":"ALLOWED', host=host)
    seen_through.get("/log-long/" + "x" * 9000, headers=[("X-Request-Id", "y" * 9000)])

    def find() -> list[str]:
        return [line for line in glass.envoy.access_log().splitlines() if "/log-long/" in line]

    (line,) = wait_for(find, what="the entry")
    assert len(line) < 4096
    for entry in glass.envoy.access_log().rpartition("\n")[0].splitlines():
        assert json.loads(entry).get("app_id") != "x"


@pytest.mark.parametrize(
    "target", ["/v1/tokens/{}", "/v1/tokens/{}/x", "/v1/apps?states={}", "/v1/apps?{}=1", "/{}/in-a-path"]
)
def test_a_token_in_an_address_is_neither_written_nor_answered(
    seen_through: Published, glass: FakeStack, target: str
) -> None:
    """Who takes a token for a token's id leaves it in no log, and sees it in no error of Envoy's."""
    secret = f"dw_{'x' * 12}_{secrets.token_hex(24)}Z"
    marker = f"log-after-{secrets.token_hex(4)}"
    for host in (seen_through.host, API_HOST):
        answer = exchange(glass.address, "GET", target.format(secret), host=host)
        assert secret not in answer.body.decode()
    seen_through.get(f"/{marker}")
    glass.envoy.logged(f"/{marker}")
    assert secret not in glass.envoy.access_log()
    assert "withheld: it holds a token" in glass.envoy.access_log()


def test_a_token_in_the_names_of_a_body_is_not_answered(glass: FakeStack) -> None:
    """An error that names an unknown field leaves out what looks like a token."""
    secret = f"dw_{'x' * 12}_{secrets.token_hex(24)}Z"
    body = json.dumps({secret: "x"}).encode()
    headers = [("Content-Type", "application/json")]
    answer = exchange(glass.address, "POST", "/v1/tokens", host=API_HOST, headers=headers, body=body)
    assert answer.status == 400
    assert b"dw_..." in answer.body
    assert secret.encode() not in answer.body

"""What an app may believe about its caller."""

import json
from base64 import b64encode

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, FakeStack, Published

FORGED = [
    "X-Doorward-Role",
    "x-doorward-role",
    "X_Doorward_Role",
    "X-Doorward_Role",
    "x_doorward-token-id",
    "X-DOORWARD-APP-ID",
    "X-Doorward-Something-New",
]


@pytest.mark.parametrize("name", FORGED)
def test_an_identity_header_of_the_client_never_reaches_an_app(
    published: Published, app: RecordingApp, name: str
) -> None:
    """Whatever the spelling, the app sees what check said and nothing that the client said."""
    assert published.get(headers=[(name, "forged"), (name, "forged")]).status == 200
    assert "forged" not in [value for _, value in app.last.headers]
    assert app.last.all("x-doorward-role") == ["READ_ONLY"]
    assert app.last.all("x-doorward-app-id") == [published.app_id]
    assert len(app.last.all("x-doorward-token-id")) == 1
    assert {header for header in app.last.names() if "doorward" in header.replace("_", "-")} == {
        "x-doorward-app-id",
        "x-doorward-role",
        "x-doorward-token-id",
    }


@pytest.mark.parametrize("name", FORGED)
def test_an_identity_header_of_the_client_never_reaches_the_api(glass: FakeStack, name: str) -> None:
    """The api gets no such header either."""
    exchange(glass.address, "GET", "/v1/apps", host=API_HOST, headers=[(name, "forged")])
    assert "forged" not in glass.api.calls[-1].metadata.values()


def test_a_client_cannot_have_the_identity_stripped(published: Published, app: RecordingApp) -> None:
    """Naming an identity header in Connection does not take it away (RFC 9110 §7.6.1)."""
    published.get(headers=[("Connection", "x-doorward-role, x-doorward-app-id, close")])
    assert app.last.all("x-doorward-role") == ["READ_ONLY"]


def test_an_app_never_sees_the_token(published: Published, app: RecordingApp) -> None:
    """The header that held the credential is gone, whichever of the three it was."""
    basic = b64encode(f"anybody:{published.secret}".encode()).decode()
    for header in [
        ("Authorization", f"Bearer {published.secret}"),
        ("Authorization", f"Basic {basic}"),
        ("Doorward-Token", published.secret),
    ]:
        answer = exchange(published.address, "GET", "/", host=published.host, headers=[header])
        assert answer.status == 200
        assert not {"authorization", "doorward-token"} & app.last.names()
        assert not any(published.secret in value or basic in value for _, value in app.last.headers)


def test_an_app_gets_its_own_credentials_byte_for_byte(published: Published, app: RecordingApp) -> None:
    """A Bearer that is not ours and the app's cookies pass as they are, beside a token of ours."""
    own = [("Authorization", "Bearer app's own+/=="), ("Cookie", 'a=1; b="x y";c=%20; d')]
    headers = [("Doorward-Token", published.secret), *own]
    assert exchange(published.address, "GET", "/", host=published.host, headers=headers).status == 200
    assert "doorward-token" not in app.last.names()
    assert app.last.all("authorization") == ["Bearer app's own+/=="]
    assert app.last.all("cookie") == ['a=1; b="x y";c=%20; d']


@pytest.mark.parametrize(
    ("credential", "status"), [(None, 401), ("Bearer dw_wrong", 400), ("Bearer", 401), ("Basic eDp5", 401)]
)
def test_without_the_right_credential_an_app_sees_nothing(
    published: Published, app: RecordingApp, credential: str | None, status: int
) -> None:
    """A request that check denies stops at Envoy, and the denial is check's own."""
    headers = [("Authorization", credential)] if credential else []
    answer = exchange(published.address, "POST", "/", host=published.host, headers=headers, body=b"x")
    assert answer.status == status
    assert answer.all("www-authenticate")[0].startswith('Bearer realm="doorward"')
    assert answer.all("content-type") == ["application/problem+json"]
    assert json.loads(answer.body)["status"] == status
    assert app.requests == []


def test_check_sees_all_of_a_credential_that_is_sent_twice(
    seen_through: Published, glass: FakeStack, app: RecordingApp
) -> None:
    """Check can tell two credential headers from one, so it can refuse them."""
    doubled = [("Authorization", "Bearer other"), ("Doorward-Token", "a"), ("Doorward-Token", "b")]
    assert seen_through.get(headers=doubled).status == 400
    assert app.requests == []
    headers = glass.checks[0].seen[-1].attributes.request.http.header_map.headers
    seen = [(header.key, header.raw_value.decode()) for header in headers]
    # Authorization is one of the headers that Envoy keeps as one value; a comma is in no token.
    assert ("authorization", f"{seen_through.credential['Authorization']},Bearer other") in seen
    assert [value for key, value in seen if key == "doorward-token"] == ["a", "b"]


def test_check_sees_what_a_decision_needs_and_no_more(seen_through: Published, glass: FakeStack) -> None:
    """Headers of the app's own business stay out of the question."""
    seen_through.get(
        "/x?y=z", headers=[("X-Api-Key", "the app's"), ("Accept", "text/html"), ("Cookie", "a=1")]
    )
    http = glass.checks[0].seen[-1].attributes.request.http
    assert (http.method, http.path, http.host) == ("GET", "/x?y=z", seen_through.host)
    names = {header.key for header in http.header_map.headers}
    assert names == {":authority", "authorization", "accept", "cookie"}

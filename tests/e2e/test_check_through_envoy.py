"""What check is asked, and that its answer is the one that the client gets."""

import json

import pytest

from tests.e2e.conformance.plain_paths import NORMAL
from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import FakeStack, Published


@pytest.mark.parametrize(("target", "seen"), NORMAL.values())
def test_check_and_app_see_the_same_normal_path(
    seen_through: Published, glass: FakeStack, app: RecordingApp, target: str, seen: str
) -> None:
    """Where RFC 3986 §6.2.2 knows one normal form, check decides on that form and the app gets it."""
    assert seen_through.get(target).status == 200
    assert app.last.target == seen
    assert glass.checks[0].seen[-1].attributes.request.http.path == seen


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

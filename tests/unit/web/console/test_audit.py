"""The page of what was done."""

from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1.app_service_pb2 import ListAppsResponse
from doorward.v1.audit_service_pb2 import AuditEvent, ListAuditEventsResponse
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import ListTokensResponse
from tests.unit.web.console.apps import APP_ID
from tests.unit.web.console.conftest import Console, text_of
from tests.unit.web.console.fake_api import RefusedError

EVENTS = [
    AuditEvent(
        event_id=2,
        time=Timestamp(seconds=1_900_000_000),
        actor_token_id="0123456789ab",  # noqa: S106 - an id
        action="DeleteToken",
        resource_type="token",
        resource_id="ba9876543210",
        policy_revision=7,
        details={"display_name": "<b>demo</b>", "expire_time": "2030-01-01T00:00:00+00:00", "region": ""},
    ),
    AuditEvent(event_id=1, action="Bootstrap", resource_type="token", resource_id="0123456789ab"),
    AuditEvent(event_id=0, action="StopApp", resource_type="app", resource_id=APP_ID),
    AuditEvent(event_id=0, action="CreateSession", resource_type="session", details={"app_id": APP_ID}),
    AuditEvent(event_id=0, action="DoNewThings", resource_type="moon", resource_id="m"),
]


@pytest.fixture(autouse=True)
def answers(console: Console) -> dict[str, Any]:
    """Some events, and the one token that is left."""
    console.api.answers |= {
        "ListAuditEvents": lambda _: ListAuditEventsResponse(audit_events=EVENTS),
        "ListTokens": lambda _: ListTokensResponse(
            tokens=[Token(token_id="0123456789ab", display_name="first")]  # noqa: S106 - an id
        ),
        "ListApps": lambda _: ListAppsResponse(),
    }
    return console.api.answers


async def test_it_says_who_did_what_to_what(console: Console) -> None:
    """In words, with names where they are known, and ids; nothing of it is markup."""
    page = await console.open("/audit")
    rows = page.text.split("<tr ")[2:]
    said = text_of(page)
    assert "first" in rows[0]
    assert "deleted a token" in rows[0]
    assert "ba9876543210" in rows[0]
    assert "&lt;b&gt;demo&lt;/b&gt;" in rows[0]
    assert '<time datetime="2030-01-01T00:00:00+00:00">' in rows[0]
    assert ">region<" not in rows[0]
    assert "Doorward itself" in rows[1]
    assert "set the platform up" in rows[1]
    assert rows[2].count(f'href="/apps/{APP_ID}"') == 1
    assert rows[3].count(f'href="/apps/{APP_ID}"') == 1
    assert "DoNewThings" in said


async def test_the_filter_is_asked_for_and_kept(console: Console, answers: dict[str, Any]) -> None:
    """Also on the next page."""
    answers["ListAuditEvents"] = lambda _: ListAuditEventsResponse(audit_events=EVENTS, next_page_token="n")  # noqa: S106
    given: dict[str, Any] = {"actor": "0123456789ab", "action": "DeleteToken", "since": "2030-01-31T14:00"}
    given["zone"] = "Europe/Paris"
    page = await console.open("/audit", **given)
    (request,) = console.api.asked("ListAuditEvents")
    assert (request.actor_token_id, request.action) == ("0123456789ab", "DeleteToken")
    assert request.start_time.ToJsonString() == "2030-01-31T13:00:00Z"
    assert '<option value="DeleteToken" selected>' in page.text
    assert "(Europe/Paris)" in page.text
    following = (
        "/audit?actor=0123456789ab&amp;action=DeleteToken&amp;since=2030-01-31T14%3A00"
        "&amp;zone=Europe%2FParis&amp;page=n"
    )
    assert f'href="{following}"' in page.text


async def test_a_time_that_is_none_is_said_at_its_field(console: Console) -> None:
    """And nothing is asked for."""
    page = await console.open("/audit", since="yesterday")
    assert page.status_code == 400
    assert 'id="since-error"' in page.text
    assert 'value="yesterday"' in page.text
    assert console.api.asked("ListAuditEvents") == []


async def test_what_api_refuses_is_said_at_its_field(console: Console) -> None:
    """Such as an id that is none."""
    error = RefusedError(
        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", fields={"actor_token_id": "must be an id"}
    )
    console.api.refuse("ListAuditEvents", error)
    page = await console.open("/audit", actor='"><b>')
    assert page.status_code == 400
    assert "Must be an id." in text_of(page)
    assert 'value="&#34;&gt;&lt;b&gt;"' in page.text


async def test_an_empty_page_says_why(console: Console, answers: dict[str, Any]) -> None:
    """Nothing was done at all, or nothing of that kind."""
    answers["ListAuditEvents"] = lambda _: ListAuditEventsResponse()
    assert "Nothing was done yet" in text_of(await console.open("/audit"))
    page = await console.open("/audit", action="StopApp")
    assert "Nothing of that kind was done" in text_of(page)
    assert 'href="/audit"' in page.text

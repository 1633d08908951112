"""AuditService and SessionService over gRPC."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1 import audit_service_pb2, session_service_pb2, token_service_pb2
from tests.integration.rpc.conftest import Api, bearer


async def test_events_name_who_did_what_in_which_request(api: Api) -> None:
    """With the id that the caller sent, the revision and what changed."""
    token, _ = await api.token(selector="group=A")
    delete = token_service_pb2.DeleteTokenRequest(token_id=token.token_id)
    metadata = (*bearer(api.admin), ("doorward-request-id", "my-request.1"))
    running = api.tokens.DeleteToken(delete, metadata=metadata)
    response = await running
    assert dict(await running.initial_metadata())["doorward-request-id"] == "my-request.1"
    me = (await api.call(api.tokens.WhoAmI, token_service_pb2.WhoAmIRequest())).token
    request = audit_service_pb2.ListAuditEventsRequest(
        actor_token_id=me.token_id,
        action="DeleteToken",
        resource_id=token.token_id,
        start_time=Timestamp(seconds=0),
        end_time=Timestamp(seconds=253_402_300_799),
    )
    (event,) = (await api.call(api.audit.ListAuditEvents, request)).audit_events
    assert event.resource_type == "token"
    assert event.request_id == "my-request.1"
    assert event.policy_revision == response.policy_update.revision
    assert event.details["display_name"] == "demo"
    assert event.event_id
    request.end_time.seconds = 0
    assert not (await api.call(api.audit.ListAuditEvents, request)).audit_events


async def test_events_are_paged_newest_first(api: Api) -> None:
    """Ids fall from page to page."""
    for _ in range(3):
        await api.token()
    request = audit_service_pb2.ListAuditEventsRequest(page_size=2)
    seen = []
    while True:
        page = await api.call(api.audit.ListAuditEvents, request)
        seen += [event.event_id for event in page.audit_events]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert len(seen) == 4
    assert seen == sorted(seen, reverse=True)


async def test_a_wrong_filter_is_refused(api: Api) -> None:
    """Rather than answered with no events, which would look as if nothing had happened."""
    request = audit_service_pb2.ListAuditEventsRequest(
        actor_token_id="me",  # noqa: S106 - an id
        action="delete\0token",
        resource_id="hello",
        start_time=Timestamp(nanos=-1),
    )
    refusal = await api.refused(api.audit.ListAuditEvents, request)
    assert set(refusal.violations) == {"actor_token_id", "action", "resource_id", "start_time"}


@pytest.mark.parametrize("name", ["CreateSession", "DeleteSession"])
async def test_sessions_are_not_offered_yet(api: Api, name: str) -> None:
    """Callers are told so, once they have shown who they are."""
    request = getattr(session_service_pb2, f"{name}Request")()
    refusal = await api.refused(getattr(api.sessions, name), request)
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED
    assert refusal.reason == "NOT_IMPLEMENTED"
    assert refusal.metadata == {"method": f"/doorward.v1.SessionService/{name}"}
    stranger = await api.refused(getattr(api.sessions, name), request, metadata=())
    assert stranger.code is grpc.StatusCode.UNAUTHENTICATED

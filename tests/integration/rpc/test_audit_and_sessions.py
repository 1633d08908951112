"""AuditService and SessionService over gRPC."""

from uuid import uuid4

import grpc
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


async def test_a_session_is_begun_and_ended(api: Api) -> None:
    """By the token, for an app in its scope."""
    app = await api.running_app(labels={"group": "A"})
    token, secret = await api.token(selector="group=A")
    host = f"{app.app_id}.app.gra.localhost"
    create = session_service_pb2.CreateSessionRequest(host=f"{host}:8080")
    begun = await api.call(api.sessions.CreateSession, create, token=secret)
    assert begun.session.host == host
    assert begun.session.token_id == token.token_id
    assert begun.session.HasField("expire_time")
    assert len(begun.credential) == 130
    assert begun.credential not in str(begun.session)
    delete = session_service_pb2.DeleteSessionRequest(session_id=begun.session.session_id)
    ended = await api.call(api.sessions.DeleteSession, delete, token=secret)
    assert ended.policy_update.revision > 0
    again = await api.call(api.sessions.DeleteSession, delete, token=secret)
    assert not again.HasField("policy_update")


async def test_a_session_ends_itself_and_opens_nothing_else(api: Api) -> None:
    """Its credential is good for one call of the API, and a token that is there as well comes first."""
    app = await api.running_app()
    _, secret = await api.token()
    create = session_service_pb2.CreateSessionRequest(host=f"{app.app_id}.app.gra.localhost")
    begun = await api.call(api.sessions.CreateSession, create, token=secret)
    session = (("doorward-session", begun.credential),)
    who = token_service_pb2.WhoAmIRequest()
    refusal = await api.refused(api.tokens.WhoAmI, who, metadata=session)
    assert refusal.reason == "CREDENTIAL_INVALID"
    delete = session_service_pb2.DeleteSessionRequest(session_id=begun.session.session_id)
    for metadata, reason in (
        ((*session, *bearer("dw_")), "CREDENTIAL_MALFORMED"),
        ((*session, *session), "CREDENTIAL_MISSING"),
        ((("doorward-session", begun.credential[:-1]),), "CREDENTIAL_INVALID"),
        ((("doorward-session", "x"),), "CREDENTIAL_INVALID"),
    ):
        refusal = await api.refused(api.sessions.DeleteSession, delete, metadata=metadata)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)
        assert begun.credential not in refusal.text
    assert (await api.sessions.DeleteSession(delete, metadata=session)).policy_update.revision


async def test_the_consoles_session_calls_in_the_tokens_place(api: Api) -> None:
    """With its role, and alone; it makes no session, so it never opens an app, and it ends itself."""
    app = await api.running_app()
    token, secret = await api.token()
    create = session_service_pb2.CreateSessionRequest(host="console.localhost:8080")
    begun = await api.call(api.sessions.CreateSession, create, token=secret)
    assert (begun.session.host, begun.session.token_id) == ("console.localhost", token.token_id)
    session = (("doorward-session", begun.credential),)
    who = token_service_pb2.WhoAmIRequest()
    call = api.tokens.WhoAmI(who, metadata=session)
    assert (await call).token.token_id == token.token_id
    assert "doorward-session" not in dict(await call.initial_metadata())
    role = await api.refused(api.tokens.ListTokens, token_service_pb2.ListTokensRequest(), metadata=session)
    assert role.code is grpc.StatusCode.PERMISSION_DENIED
    for host in ("console.localhost", f"{app.app_id}.app.gra.localhost"):
        request = session_service_pb2.CreateSessionRequest(host=host)
        refusal = await api.refused(api.sessions.CreateSession, request, metadata=session)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_MISSING")
    for metadata, reason in (
        ((*session, *bearer("dw_")), "CREDENTIAL_MALFORMED"),
        ((*session, *session), "CREDENTIAL_MISSING"),
        ((("doorward-session", begun.credential[:-1]),), "CREDENTIAL_INVALID"),
    ):
        assert (await api.refused(api.tokens.WhoAmI, who, metadata=metadata)).reason == reason
    api.world.clock.advance(minutes=20)
    call = api.tokens.WhoAmI(who, metadata=session)
    await call
    renewed = dict(await call.initial_metadata())["doorward-session"]
    delete = session_service_pb2.DeleteSessionRequest(session_id=begun.session.session_id)
    await api.sessions.DeleteSession(delete, metadata=session)
    for credential in (begun.credential, renewed):
        refusal = await api.refused(api.tokens.WhoAmI, who, metadata=(("doorward-session", credential),))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIAL_INVALID")


async def test_refusals_of_sessions_name_their_reason(api: Api) -> None:
    """Programs tell them apart by it."""
    app = await api.running_app(labels={"group": "A"})
    token, secret = await api.token(selector="group=B")
    create = session_service_pb2.CreateSessionRequest(host=f"{app.app_id}.app.gra.localhost")
    refusal = await api.refused(api.sessions.CreateSession, create, token=secret)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "APP_NOT_FOUND")
    refusal = await api.refused(api.sessions.CreateSession, session_service_pb2.CreateSessionRequest())
    assert set(refusal.violations) == {"host"}
    delete = session_service_pb2.DeleteSessionRequest(session_id="x")
    refusal = await api.refused(api.sessions.DeleteSession, delete)
    assert set(refusal.violations) == {"session_id"}
    delete.session_id = str(uuid4())
    refusal = await api.refused(api.sessions.DeleteSession, delete)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")
    assert refusal.metadata == {"session_id": delete.session_id}
    regenerate = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id)
    regenerate.grace_period.seconds = 60
    await api.call(api.tokens.RegenerateToken, regenerate)
    refusal = await api.refused(api.sessions.CreateSession, create, token=secret)
    assert refusal.reason == "APP_NOT_FOUND"
    mine = await api.running_app(labels={"group": "B"})
    create.host = f"{mine.app_id}.app.gra.localhost"
    refusal = await api.refused(api.sessions.CreateSession, create, token=secret)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SECRET_SUPERSEDED")
    assert refusal.metadata == {"token_id": token.token_id}
    for name in ("CreateSession", "DeleteSession"):
        request = getattr(session_service_pb2, f"{name}Request")()
        stranger = await api.refused(getattr(api.sessions, name), request, metadata=())
        assert stranger.code is grpc.StatusCode.UNAUTHENTICATED

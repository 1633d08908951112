"""Every cause of an error, as it goes over the wire."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from doorward.v1 import app_pb2, app_service_pb2, role_pb2, session_service_pb2, token_pb2, token_service_pb2
from doorward_server.domain.apps import AppState
from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.domain.roles import Role
from doorward_server.services.ports import StorageUnavailableError
from tests.integration.rpc.conftest import Api, Refusal, all_reasons, bearer, new_app
from tests.integration.services.conftest import SESSION_BURST
from tests.support.fakes import FakeRuntime

WHO_AM_I = token_service_pb2.WhoAmIRequest()
UNKNOWN_APP = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


async def _credential_missing(api: Api) -> Refusal:
    return await api.refused(api.tokens.WhoAmI, WHO_AM_I, metadata=())


async def _credential_malformed(api: Api) -> Refusal:
    return await api.refused(api.tokens.WhoAmI, WHO_AM_I, token="dw_nearly")  # noqa: S106 - no token


async def _credential_invalid(api: Api) -> Refusal:
    return await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=mint_secret(mint_token_id()).reveal())


async def _role_too_low(api: Api) -> Refusal:
    _, secret = await api.token()
    return await api.refused(api.tokens.ListTokens, token_service_pb2.ListTokensRequest(), token=secret)


async def _invalid_field(api: Api) -> Refusal:
    return await api.refused(api.apps.GetApp, app_service_pb2.GetAppRequest(app_id="hello"))


async def _app_not_found(api: Api) -> Refusal:
    return await api.refused(api.apps.GetApp, app_service_pb2.GetAppRequest(app_id=UNKNOWN_APP))


async def _token_not_found(api: Api) -> Refusal:
    request = token_service_pb2.GetTokenRequest(token_id="0" * 12)
    return await api.refused(api.tokens.GetToken, request)


async def _etag_mismatch(api: Api) -> Refusal:
    app = await api.running_app()
    request = app_service_pb2.StopAppRequest(app_id=app.app_id, etag="0")
    return await api.refused(api.apps.StopApp, request)


async def _request_id_reused(api: Api) -> Refusal:
    request = new_app()
    request.request_id = UNKNOWN_APP
    await api.call(api.apps.CreateApp, request)
    request.app.display_name = "another"
    return await api.refused(api.apps.CreateApp, request)


async def _app_state_conflict(api: Api) -> Refusal:
    app = await api.running_app()
    async with api.world.storage.write() as work:
        await work.apps.save(app.in_state(AppState.DELETING, at=api.world.clock()))
    return await api.refused(api.apps.StartApp, app_service_pb2.StartAppRequest(app_id=app.app_id))


async def _runtime_disabled(api: Api) -> Refusal:
    assert isinstance(api.world.runtime, FakeRuntime)
    api.world.runtime._processes = False
    request = new_app()
    request.app.spec.process.command.append("serve")
    return await api.refused(api.apps.CreateApp, request)


async def _last_admin_token(api: Api) -> Refusal:
    tokens = (await api.call(api.tokens.ListTokens, token_service_pb2.ListTokensRequest())).tokens
    me = (await api.call(api.tokens.WhoAmI, WHO_AM_I)).token.token_id
    for other in (token.token_id for token in tokens if token.token_id != me):
        await api.call(api.tokens.DeleteToken, token_service_pb2.DeleteTokenRequest(token_id=other))
    return await api.refused(api.tokens.DeleteToken, token_service_pb2.DeleteTokenRequest(token_id=me))


async def _hashing_queue_full(api: Api) -> Refusal:
    while api.world.hasher._places.acquire(blocking=False):
        pass
    token = token_pb2.Token(display_name="x", role=role_pb2.ROLE_READ_ONLY, region="GRA", all_apps=True)
    request = token_service_pb2.CreateTokenRequest(token=token)
    return await api.refused(api.tokens.CreateToken, request)


async def _storage_unavailable(api: Api) -> Refusal:
    def broken() -> None:
        raise StorageUnavailableError("postgresql://db.internal/doorward: refused")

    api.world.storage.read = broken  # type: ignore[method-assign,assignment]  # a database that is down
    return await api.refused(api.tokens.WhoAmI, WHO_AM_I)


async def _not_implemented(api: Api) -> Refusal:
    unserved: Any = api.channel.unary_unary(
        "/doorward.v1.TokenService/Unknown",
        request_serializer=token_service_pb2.WhoAmIRequest.SerializeToString,
    )
    return await api.refused(unserved, WHO_AM_I)


async def _secret_superseded(api: Api) -> Refusal:
    app = await api.running_app()
    token, secret = await api.token()
    regenerate = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id)
    regenerate.grace_period.seconds = 60
    await api.call(api.tokens.RegenerateToken, regenerate)
    create = session_service_pb2.CreateSessionRequest(host=f"{app.app_id}.app.gra.localhost")
    return await api.refused(api.sessions.CreateSession, create, token=secret)


async def _session_not_found(api: Api) -> Refusal:
    delete = session_service_pb2.DeleteSessionRequest(session_id=str(uuid4()))
    return await api.refused(api.sessions.DeleteSession, delete)


async def _too_many_sessions(api: Api) -> Refusal:
    app = await api.running_app()
    _, secret = await api.token()
    create = session_service_pb2.CreateSessionRequest(host=f"{app.app_id}.app.gra.localhost")
    for _ in range(SESSION_BURST):
        await api.call(api.sessions.CreateSession, create, token=secret)
    return await api.refused(api.sessions.CreateSession, create, token=secret)


async def _internal(api: Api) -> Refusal:
    def broken() -> None:
        raise RuntimeError("defect with s3cret")

    api.world.storage.read = broken  # type: ignore[method-assign,assignment]  # whatever nobody thought of
    return await api.refused(api.tokens.WhoAmI, WHO_AM_I)


async def _server_stopping(api: Api) -> Refusal:
    app = await api.running_app()
    stream = api.apps.WatchApp(app_service_pb2.WatchAppRequest(app_id=app.app_id), metadata=bearer(api.admin))
    await stream.read()
    await api.server.stop(10)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stream.read()
    return Refusal.of(failed.value)


CAUSES: dict[str, tuple[Callable[[Api], Awaitable[Refusal]], grpc.StatusCode, set[str]]] = {
    "CREDENTIAL_MISSING": (_credential_missing, grpc.StatusCode.UNAUTHENTICATED, set()),
    "CREDENTIAL_MALFORMED": (_credential_malformed, grpc.StatusCode.UNAUTHENTICATED, set()),
    "CREDENTIAL_INVALID": (_credential_invalid, grpc.StatusCode.UNAUTHENTICATED, set()),
    "ROLE_TOO_LOW": (_role_too_low, grpc.StatusCode.PERMISSION_DENIED, {"role", "required_role"}),
    "INVALID_FIELD": (_invalid_field, grpc.StatusCode.INVALID_ARGUMENT, {"field"}),
    "APP_NOT_FOUND": (_app_not_found, grpc.StatusCode.NOT_FOUND, {"app_id"}),
    "TOKEN_NOT_FOUND": (_token_not_found, grpc.StatusCode.NOT_FOUND, {"token_id"}),
    "ETAG_MISMATCH": (_etag_mismatch, grpc.StatusCode.ABORTED, set()),
    "REQUEST_ID_REUSED": (_request_id_reused, grpc.StatusCode.ALREADY_EXISTS, {"request_id"}),
    "APP_STATE_CONFLICT": (
        _app_state_conflict,
        grpc.StatusCode.FAILED_PRECONDITION,
        {"app_id", "state"},
    ),
    "RUNTIME_DISABLED": (_runtime_disabled, grpc.StatusCode.FAILED_PRECONDITION, {"source"}),
    "LAST_ADMIN_TOKEN": (_last_admin_token, grpc.StatusCode.FAILED_PRECONDITION, {"token_id"}),
    "HASHING_QUEUE_FULL": (_hashing_queue_full, grpc.StatusCode.RESOURCE_EXHAUSTED, set()),
    "STORAGE_UNAVAILABLE": (_storage_unavailable, grpc.StatusCode.UNAVAILABLE, set()),
    "NOT_IMPLEMENTED": (_not_implemented, grpc.StatusCode.UNIMPLEMENTED, {"method"}),
    "INTERNAL": (_internal, grpc.StatusCode.INTERNAL, {"request_id"}),
    "SERVER_STOPPING": (_server_stopping, grpc.StatusCode.UNAVAILABLE, set()),
    "SECRET_SUPERSEDED": (_secret_superseded, grpc.StatusCode.FAILED_PRECONDITION, {"token_id"}),
    "SESSION_NOT_FOUND": (_session_not_found, grpc.StatusCode.NOT_FOUND, {"session_id"}),
    "TOO_MANY_SESSIONS": (_too_many_sessions, grpc.StatusCode.RESOURCE_EXHAUSTED, {"token_id"}),
}
"""What brings about each reason, with the status and the names of the metadata."""


def test_every_reason_has_a_cause() -> None:
    """No reason is promised that the server never answers."""
    assert set(CAUSES) == all_reasons() - {"UNSPECIFIED"}


@pytest.mark.parametrize("reason", CAUSES)
async def test_every_reason_goes_over_the_wire(api: Api, reason: str) -> None:
    """With its status and metadata as error_reason.proto has them."""
    cause, code, metadata = CAUSES[reason]
    refusal = await cause(api)
    assert refusal.reason == reason
    assert refusal.code is code
    assert set(refusal.metadata) == metadata
    assert refusal.text
    assert refusal.sent_metadata["doorward-request-id"]


async def test_a_full_queue_says_when_to_come_again(api: Api) -> None:
    """As `RetryInfo`."""
    assert (await _hashing_queue_full(api)).retry_after == 1.0


async def test_a_token_with_too_many_sessions_is_told_when_to_come_again(api: Api) -> None:
    """As `RetryInfo`; the clock of these tests moves by itself, a little."""
    retry_after = (await _too_many_sessions(api)).retry_after
    assert retry_after is not None
    assert 59 < retry_after <= 60


@pytest.mark.parametrize(
    ("cause", "challenge"),
    [
        (_credential_missing, 'Bearer realm="doorward"'),
        (_credential_malformed, 'Bearer realm="doorward", error="invalid_request"'),
        (_credential_invalid, 'Bearer realm="doorward", error="invalid_token"'),
    ],
)
async def test_strangers_are_told_what_to_show(
    api: Api, cause: Callable[[Api], Awaitable[Refusal]], challenge: str
) -> None:
    """In metadata, which Envoy makes the header WWW-Authenticate of (RFC 6750 §3)."""
    assert (await cause(api)).sent_metadata["www-authenticate"] == challenge


async def test_a_defect_is_logged_and_told_to_nobody(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets the request's id, under which the log has the rest."""
    refusal = await _internal(api)
    request_id = refusal.metadata["request_id"]
    assert "s3cret" not in refusal.text
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert request_id in record.getMessage()
    assert record.exc_info


async def test_the_database_is_named_to_the_operator_alone(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Callers need not know where it is."""
    refusal = await _storage_unavailable(api)
    assert "db.internal" not in refusal.text
    assert "db.internal" in caplog.text


async def test_errors_stay_within_what_clients_and_proxies_take(api: Api) -> None:
    """Requests that are wrong in long and many ways are answered, rather than reset."""
    request = app_service_pb2.UpdateAppRequest(
        app=app_pb2.App(app_id=UNKNOWN_APP), update_mask=FieldMask(paths=["ü" * 100_000])
    )
    refusal = await api.refused(api.apps.UpdateApp, request)
    assert refusal.reason == "INVALID_FIELD"
    many = app_service_pb2.ListAppsRequest(states=[9999] * 10_000, label_selector="ü" * 100_000)  # type: ignore[list-item]  # hostile
    refusal = await api.refused(api.apps.ListApps, many)
    assert refusal.reason == "INVALID_FIELD"


async def test_no_secret_is_ever_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Not those that are sent, not those that are answered, not those pasted into a wrong field."""
    caplog.set_level(logging.DEBUG)
    token, secret = await api.token(Role.READ_ONLY)
    regenerate = token_service_pb2.RegenerateTokenRequest(token_id=token.token_id)
    fresh = (await api.call(api.tokens.RegenerateToken, regenerate)).secret
    await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=secret)
    await api.call(api.tokens.WhoAmI, WHO_AM_I, token=fresh)
    password = secrets.token_hex()
    await api.refused(api.tokens.WhoAmI, WHO_AM_I, token=password)
    for misplaced in (
        token_service_pb2.GetTokenRequest(token_id=fresh),
        token_service_pb2.GetTokenRequest(token_id=password),
    ):
        await api.refused(api.tokens.GetToken, misplaced)
    selector = token_service_pb2.PreviewSelectorRequest(label_selector=f"group=={fresh}x")
    refusal = await api.refused(api.tokens.PreviewSelector, selector)
    assert fresh not in refusal.text
    metadata = (*bearer(fresh), ("doorward-request-id", fresh), ("cookie", password))
    await api.tokens.WhoAmI(WHO_AM_I, metadata=metadata)
    assert "WhoAmI OK" in caplog.text
    for each in (secret, fresh, password, api.admin):
        assert each not in caplog.text


async def test_a_stopped_app_is_known_to_be_stopped(api: Api) -> None:
    """Stopping twice is no error: the second call finds it done."""
    app = await api.running_app()
    request = app_service_pb2.StopAppRequest(app_id=app.app_id)
    await api.call(api.apps.StopApp, request)
    await api.world.in_state(app.app_id, AppState.STOPPED)
    assert (await api.call(api.apps.StopApp, request)).app.status.state == app_pb2.APP_STATE_STOPPED

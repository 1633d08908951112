"""The RPCs as the Python client offers them: its methods take arguments and not requests."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from doorward import Client, IssuedToken, NewSession
from doorward.v1.app_service_pb2 import CreateAppResponse, GetAppResponse
from doorward.v1.session_service_pb2 import CreateSessionResponse
from doorward.v1.token_service_pb2 import (
    CreateTokenResponse,
    GetTokenResponse,
    RegenerateTokenResponse,
    WhoAmIResponse,
)
from tests.e2e.support.api_calls import METHODS


def read(rpc: str, text: Any) -> Any:
    """Return the request of an RPC, of ProtoJSON."""
    return json_format.ParseDict(text or {}, GetMessageClass(METHODS[rpc].input_type)())


def _same(answer: Any) -> Any:
    return answer


def _created(issued: IssuedToken) -> CreateTokenResponse:
    return CreateTokenResponse(token=issued.token, secret=issued.secret)


def _regenerated(issued: IssuedToken) -> RegenerateTokenResponse:
    return RegenerateTokenResponse(
        token=issued.token, secret=issued.secret, policy_update=issued.policy_update
    )


def _session(new: NewSession) -> CreateSessionResponse:
    return CreateSessionResponse(session=new.session, credential=new.credential)


def _scope(message: Any) -> dict[str, Any]:
    chosen = message.WhichOneof("scope")
    return {
        "region": message.region,
        "selector": message.label_selector if chosen == "label_selector" else None,
        "all_apps": chosen == "all_apps",
    }


def _create_app(client: Client, request: Any) -> Any:
    app = request.app
    return client.apps.create(
        app.display_name,
        region=app.region,
        spec=app.spec,
        labels=dict(app.labels),
        request_id=request.request_id or None,
    )


def _update_app(client: Client, request: Any) -> Any:
    app = request.app
    return client.apps.update(
        app.app_id,
        display_name=app.display_name or None,
        labels=dict(app.labels) or None,
        spec=app.spec if app.HasField("spec") else None,
        update_mask=list(request.update_mask.paths),
        etag=app.etag,
    )


def _create_token(client: Client, request: Any) -> Any:
    token = request.token
    return client.tokens.create(
        token.display_name, role=token.role, request_id=request.request_id or None, **_scope(token)
    )


def _update_token(client: Client, request: Any) -> Any:
    token = request.token
    paths = request.update_mask.paths
    return client.tokens.update(
        token.token_id,
        display_name=token.display_name if "display_name" in paths else None,
        expires=token.expire_time.ToDatetime(UTC) if "expire_time" in paths else None,
        etag=token.etag,
    )


def _regenerate(client: Client, request: Any) -> Any:
    grace = request.grace_period.ToTimedelta() if request.HasField("grace_period") else None
    return client.tokens.regenerate(request.token_id, grace_period=grace, etag=request.etag)


def _list_apps(client: Client, request: Any) -> Any:
    return client.apps.list(
        selector=request.label_selector,
        region=request.region,
        states=list(request.states),
        page_size=request.page_size,
    )


def _preview(client: Client, request: Any) -> Any:
    return client.tokens.preview(page_size=request.page_size, **_scope(request))


def _audit(client: Client, request: Any) -> Any:
    return client.audit.list(resource_id=request.resource_id, page_size=request.page_size)


CALLS: dict[str, tuple[Callable[[Client, Any], Any], Callable[[Any], Any]]] = {
    "CreateApp": (_create_app, lambda app: CreateAppResponse(app=app)),
    "GetApp": (lambda client, r: client.apps.get(r.app_id), lambda app: GetAppResponse(app=app)),
    "UpdateApp": (_update_app, _same),
    "StartApp": (lambda client, r: client.apps.start(r.app_id, etag=r.etag), _same),
    "StopApp": (lambda client, r: client.apps.stop(r.app_id, etag=r.etag), _same),
    "DeleteApp": (lambda client, r: client.apps.delete(r.app_id, etag=r.etag), _same),
    "CreateToken": (_create_token, _created),
    "GetToken": (
        lambda client, r: client.tokens.get(r.token_id),
        lambda token: GetTokenResponse(token=token),
    ),
    "UpdateToken": (_update_token, _same),
    "RegenerateToken": (_regenerate, _regenerated),
    "DeleteToken": (lambda client, r: client.tokens.delete(r.token_id, etag=r.etag), _same),
    "ExplainAccess": (
        lambda client, r: client.tokens.explain(r.token_id, r.app_id, method=r.method, path=r.path),
        _same,
    ),
    "WhoAmI": (lambda client, r: client.whoami(), lambda token: WhoAmIResponse(token=token)),
    "CreateSession": (lambda client, r: client.sessions.create(r.host), _session),
    "DeleteSession": (lambda client, r: client.sessions.delete(r.session_id), _same),
}
"""RPC to the call, and to what makes a response of its result."""

STREAMS: dict[str, Callable[[Client, Any], Any]] = {
    "WatchApp": lambda client, r: client.apps.watch(r.app_id),
    "ReadAppLogs": lambda client, r: client.apps.logs(r.app_id, tail_lines=r.tail_lines, follow=r.follow),
}

LISTS: dict[str, Callable[[Client, Any], Any]] = {
    "ListApps": _list_apps,
    "ListTokens": lambda client, r: client.tokens.list(page_size=r.page_size),
    "PreviewSelector": _preview,
    "ListAuditEvents": _audit,
    "ListReplicas": lambda client, r: client.replicas.list(page_size=r.page_size),
}
"""Lists, of which a plain call is the first page."""

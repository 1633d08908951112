"""The requests of TokenService, and of AuditService, made of Python's own types."""

import uuid
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from google.protobuf.field_mask_pb2 import FieldMask

from doorward._conversions import duration, timestamp
from doorward._conversions import role as role_value
from doorward.v1.audit_service_pb2 import ListAuditEventsRequest
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import (
    CreateTokenRequest,
    DeleteTokenRequest,
    ExplainAccessRequest,
    GetTokenRequest,
    ListTokensRequest,
    PreviewSelectorRequest,
    RegenerateTokenRequest,
    UpdateTokenRequest,
)

Expiry: TypeAlias = datetime | timedelta
"""A point in time with a time zone, or a length of time from now."""


def create_token(
    display_name: str,
    *,
    role: Role.ValueType | str,
    region: str,
    selector: str | None,
    all_apps: bool,
    expires: Expiry | None,
    request_id: str | None,
) -> CreateTokenRequest:
    """Return a request that may be repeated: without a *request_id* it gets one of its own."""
    _refuse_two_scopes(selector, all_apps)
    token = Token(
        display_name=display_name,
        role=role_value(role),
        region=region,
        expire_time=None if expires is None else timestamp(expires),
    )
    if selector is not None:
        token.label_selector = selector
    elif all_apps:
        token.all_apps = True
    return CreateTokenRequest(token=token, request_id=request_id or str(uuid.uuid4()))


def get_token(token_id: str) -> GetTokenRequest:
    """Return the request of GetToken."""
    return GetTokenRequest(token_id=token_id)


def list_tokens(*, page_size: int, page_token: str) -> ListTokensRequest:
    """Return the request for one page."""
    return ListTokensRequest(page_size=page_size, page_token=page_token)


def update_token(
    token_id: str, *, display_name: str | None, expires: Expiry | Literal["never"] | None, etag: str
) -> UpdateTokenRequest:
    """Return a request that changes what is not None."""
    given = {"display_name": display_name, "expire_time": expires}
    paths = [name for name, value in given.items() if value is not None]
    if not paths:
        raise ValueError("nothing to change: give display_name or expires")
    token = Token(token_id=token_id, display_name=display_name or "", etag=etag)
    if expires is not None and expires != "never":
        token.expire_time.CopyFrom(timestamp(expires))
    return UpdateTokenRequest(token=token, update_mask=FieldMask(paths=paths))


def regenerate_token(token_id: str, *, grace_period: timedelta | None, etag: str) -> RegenerateTokenRequest:
    """Return the request of RegenerateToken."""
    return RegenerateTokenRequest(
        token_id=token_id,
        grace_period=None if grace_period is None else duration(grace_period),
        etag=etag,
    )


def delete_token(token_id: str, *, etag: str) -> DeleteTokenRequest:
    """Return the request of DeleteToken."""
    return DeleteTokenRequest(token_id=token_id, etag=etag)


def preview_selector(
    *, region: str, selector: str | None, all_apps: bool, page_size: int, page_token: str
) -> PreviewSelectorRequest:
    """Return the request for one page."""
    _refuse_two_scopes(selector, all_apps)
    request = PreviewSelectorRequest(region=region, page_size=page_size, page_token=page_token)
    if selector is not None:
        request.label_selector = selector
    elif all_apps:
        request.all_apps = True
    return request


def explain_access(token_id: str, app_id: str, *, method: str, path: str) -> ExplainAccessRequest:
    """Return the request of ExplainAccess."""
    return ExplainAccessRequest(token_id=token_id, app_id=app_id, method=method, path=path)


def list_audit_events(
    *,
    actor_token_id: str,
    action: str,
    resource_id: str,
    start: datetime | None,
    end: datetime | None,
    page_size: int,
    page_token: str,
) -> ListAuditEventsRequest:
    """Return the request for one page."""
    return ListAuditEventsRequest(
        actor_token_id=actor_token_id,
        action=action,
        resource_id=resource_id,
        start_time=None if start is None else timestamp(start),
        end_time=None if end is None else timestamp(end),
        page_size=page_size,
        page_token=page_token,
    )


def _refuse_two_scopes(selector: str | None, all_apps: bool) -> None:
    # On the wire the later one would silently win.
    if selector is not None and all_apps:
        raise ValueError("selector and all_apps contradict each other: give one of them")

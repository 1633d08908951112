"""Requests about tokens and what they open."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from doorward.v1 import token_pb2, token_service_pb2
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import (
    AppId,
    RegionName,
    TokenId,
    parse_app_id,
    parse_display_name,
    parse_request_id,
    parse_token_id,
)
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Selector, parse_scope_selector
from doorward_server.rpc.conversion.enums import ROLES
from doorward_server.rpc.conversion.fields import Fields
from doorward_server.rpc.conversion.masks import parse_mask
from doorward_server.rpc.conversion.regions import Regions
from doorward_server.rpc.conversion.times import parse_duration, parse_timestamp
from doorward_server.services.token_service import NewToken, TokenChanges

_MUTABLE: Final = ("display_name", "expire_time")
_MAX_TARGET: Final = 8192
# A token of RFC 9110 §5.6.2, as long as any method is.
_METHOD: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]{1,32}")
# A request target has visible characters alone (RFC 9112 §3.2).
_TARGET: Final = re.compile(r"/[^\x00-\x20\x7f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeQuery:
    """A scope to try."""

    region: RegionName | None
    selector: Selector | None
    """None: every app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuestion:
    """A request of a token to an app."""

    token_id: TokenId
    app_id: AppId
    path: str


class TokenRequests:
    """Parses requests about tokens. Every method raises `InvalidFieldsError`, with all that is wrong."""

    def __init__(self, *, regions: Regions) -> None:
        self._regions = regions

    def create(self, request: token_service_pb2.CreateTokenRequest) -> tuple[NewToken, str]:
        """The token to create, and the id that makes a repeat known."""
        fields, token = Fields(), request.token
        role = fields.take("token.role", ROLES.parse, token.role)
        # ADMIN has no narrower form; whether it was given one is for the domain to say.
        needs_scope = role is not Role.ADMIN
        new = NewToken(
            display_name=fields.take("token.display_name", parse_display_name, token.display_name),
            role=role,
            region=fields.take("token.region", self._regions.parse, token.region)
            if token.region or needs_scope
            else None,
            selector=_scope(fields, token, "token.", required=needs_scope),
            expire_time=_expire_time(fields, token),
        )
        request_id = fields.take_optional("request_id", parse_request_id, request.request_id) or ""
        fields.check()
        return new, request_id

    def preview(self, request: token_service_pb2.PreviewSelectorRequest) -> ScopeQuery:
        """The scope to try."""
        fields = Fields()
        query = ScopeQuery(
            region=fields.take_optional("region", self._regions.parse, request.region),
            selector=_scope(fields, request, "", required=True),
        )
        fields.check()
        return query


def parse_token_path(token_id: str) -> TokenId:
    """The token that a request names in `token_id`; raises `InvalidFieldsError`."""
    fields = Fields()
    parsed = fields.take("token_id", parse_token_id, token_id)
    fields.check()
    return parsed


def parse_token_update(request: token_service_pb2.UpdateTokenRequest) -> tuple[TokenId, TokenChanges]:
    """Which token to change, and what of it; raises `InvalidFieldsError`."""
    fields, token = Fields(), request.token
    token_id = fields.take("token.token_id", parse_token_id, token.token_id)
    named = fields.take(
        "update_mask", lambda mask: parse_mask(mask, _MUTABLE, _populated(token)), request.update_mask
    )
    fields.check()
    changes = TokenChanges(
        display_name=fields.take("token.display_name", parse_display_name, token.display_name)
        if "display_name" in named
        else None,
        expire_time=_expire_time(fields, token) if "expire_time" in named else None,
        set_expire_time="expire_time" in named,
    )
    fields.check()
    return token_id, changes


def parse_regeneration(request: token_service_pb2.RegenerateTokenRequest) -> tuple[TokenId, timedelta]:
    """Which token to regenerate, and how long its former secret goes on; raises `InvalidFieldsError`."""
    fields = Fields()
    token_id = fields.take("token_id", parse_token_id, request.token_id)
    grace_period = fields.take("grace_period", parse_duration, request.grace_period)
    fields.check()
    return token_id, grace_period


def parse_question(request: token_service_pb2.ExplainAccessRequest) -> AccessQuestion:
    """The access to explain; raises `InvalidFieldsError`."""
    fields = Fields()
    question = AccessQuestion(
        token_id=fields.take("token_id", parse_token_id, request.token_id),
        app_id=fields.take("app_id", parse_app_id, request.app_id),
        path=fields.take("path", _parse_target, request.path or "/"),
    )
    # It decides nothing, yet a typing error in it is one.
    fields.take("method", _check_method, request.method or "GET")
    fields.check()
    return question


def _scope(
    fields: Fields,
    message: token_pb2.Token | token_service_pb2.PreviewSelectorRequest,
    prefix: str,
    *,
    required: bool,
) -> Selector | None:
    match message.WhichOneof("scope"):
        case "label_selector":
            return fields.take(f"{prefix}label_selector", parse_scope_selector, message.label_selector)
        case "all_apps" if not message.all_apps:
            return fields.refuse(f"{prefix}all_apps", "must be true when it is set")
        case None if required:
            return fields.refuse(
                f"{prefix}label_selector", "must be set; to open every app of the region, set all_apps"
            )
        case _:
            return None


def _expire_time(fields: Fields, token: token_pb2.Token) -> datetime | None:
    if not token.HasField("expire_time"):
        return None
    return fields.take("token.expire_time", parse_timestamp, token.expire_time)


def _populated(token: token_pb2.Token) -> list[str]:
    named = {"display_name": bool(token.display_name), "expire_time": token.HasField("expire_time")}
    return [name for name, is_set in named.items() if is_set]


def _parse_target(text: str) -> str:
    if len(text) > _MAX_TARGET:
        raise InvalidValueError(f"must have at most {_MAX_TARGET} characters, has {len(text)}")
    if not _TARGET.fullmatch(text):
        raise InvalidValueError("must begin with '/', and have neither spaces nor control characters")
    return text


def _check_method(text: str) -> None:
    if not _METHOD.fullmatch(text):
        raise InvalidValueError("must be an HTTP method such as GET")

"""Tokens as callers see them: never with a secret."""

from datetime import datetime

from doorward.v1 import token_pb2, token_service_pb2
from doorward_server.domain.tokens import Token
from doorward_server.rpc.conversion.enums import ROLES
from doorward_server.rpc.conversion.times import optional_timestamp, timestamp
from doorward_server.services.access_service import Explanation
from doorward_server.services.etags import etag_of


def token_message(token: Token, *, now: datetime) -> token_pb2.Token:
    """A token; *now* tells whether its former secret still works."""
    message = token_pb2.Token(
        token_id=token.token_id,
        display_name=token.display_name,
        role=ROLES.message(token.role),
        region=token.region or "",
        generation=token.generation,
        expire_time=optional_timestamp(token.expire_time),
        last_used_time=optional_timestamp(token.last_used_time),
        create_time=timestamp(token.create_time),
        update_time=timestamp(token.update_time),
        etag=etag_of(token.token_id, token.version),
        previous_generation_expire_time=optional_timestamp(token.previous_generation_expire_time(now)),
    )
    if token.selector is None:
        message.all_apps = True
    else:
        message.label_selector = str(token.selector)
    return message


def explanation(answer: Explanation) -> token_service_pb2.ExplainAccessResponse:
    """What would be decided, and by which rules."""
    return token_service_pb2.ExplainAccessResponse(
        allowed=answer.reason.allowed,
        reason=answer.reason.name,
        http_status=answer.reason.http_status,
        rules=[
            token_service_pb2.AccessRule(
                rule=each.rule.name.lower(), passed=each.passed, detail=each.detail or each.rule.value
            )
            for each in answer.rules
        ],
    )

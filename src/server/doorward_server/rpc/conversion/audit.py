"""The audit, as it is asked for and answered."""

import re
from typing import Final

from doorward.v1 import audit_service_pb2
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import parse_app_id, parse_token_id
from doorward_server.rpc.conversion.fields import Fields
from doorward_server.rpc.conversion.times import parse_timestamp, timestamp
from doorward_server.services.ports import AuditEvent, AuditFilter

_ACTION: Final = re.compile(r"[A-Z][A-Za-z]{0,63}")


def parse_filter(request: audit_service_pb2.ListAuditEventsRequest) -> AuditFilter:
    """Which events to list; raises `InvalidFieldsError`."""
    fields = Fields()
    which = AuditFilter(
        actor=fields.take_optional("actor_token_id", parse_token_id, request.actor_token_id),
        action=fields.take_optional("action", _parse_action, request.action),
        resource_id=fields.take_optional("resource_id", _parse_resource_id, request.resource_id),
        start_time=fields.take("start_time", parse_timestamp, request.start_time)
        if request.HasField("start_time")
        else None,
        end_time=fields.take("end_time", parse_timestamp, request.end_time)
        if request.HasField("end_time")
        else None,
    )
    fields.check()
    return which


def event_message(event: AuditEvent) -> audit_service_pb2.AuditEvent:
    """One event."""
    return audit_service_pb2.AuditEvent(
        event_id=event.event_id,
        time=timestamp(event.time),
        actor_token_id=event.actor or "",
        action=event.action,
        resource_type=event.resource_type,
        resource_id=event.resource_id,
        request_id=event.request_id,
        policy_revision=event.revision or 0,
        details=event.details,
    )


def _parse_action(text: str) -> str:
    if not _ACTION.fullmatch(text):
        raise InvalidValueError("must be the name of an RPC, such as DeleteToken")
    return text


def _parse_resource_id(text: str) -> str:
    for parse in (parse_app_id, parse_token_id):
        try:
            return parse(text)
        except InvalidValueError:
            continue
    raise InvalidValueError("must be the id of an app, which is a UUID, or of a token, 12 letters and digits")

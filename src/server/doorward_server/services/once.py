"""Creates that a caller may repeat (AIP-155)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from doorward_server.services.calls import Call
from doorward_server.services.clock import Clock
from doorward_server.services.errors import RequestIdReusedError
from doorward_server.services.ports import PastRequest, UnitOfWork


async def created_before(work: UnitOfWork, call: Call, request_id: str, request: object) -> str | None:
    """The id of what an earlier create with this request id made, if there was one.

    Raises `RequestIdReusedError` when that one asked for something else.
    """
    if not request_id:
        return None
    past = await work.past_requests.find(call.actor, request_id)
    if past is None:
        return None
    if past.digest != _digest(call, request):
        raise RequestIdReusedError(request_id)
    return past.resource_id


async def remember_create(
    work: UnitOfWork, call: Call, request_id: str, request: object, *, resource_id: str, clock: Clock
) -> None:
    """Remember what a create with a request id has made."""
    if request_id:
        await work.past_requests.add(
            PastRequest(
                caller=call.actor,
                request_id=request_id,
                digest=_digest(call, request),
                resource_id=resource_id,
                time=clock(),
            )
        )


def _digest(call: Call, request: object) -> bytes:
    text = json.dumps([call.action, _plain(request)], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def _plain(value: object) -> object:
    """A value of the domain as JSON has it, every field included: `repr` hides those that may be secret."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(str(each) for each in value)
    return str(value)

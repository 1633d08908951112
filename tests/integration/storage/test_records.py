"""The audit log, past requests and replicas in the database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from doorward_server.domain.ids import Revision
from doorward_server.services.ports import AuditEvent, AuditFilter, PastRequest
from doorward_server.storage import SqlStorage, StorageDefectError
from tests.integration.storage import samples

_SECOND = timedelta(seconds=1)
_ACTOR, _OTHER = samples.token_ids(2)


def _event(number: int, **changes: Any) -> AuditEvent:
    plain = AuditEvent(
        time=samples.NOON + number * _SECOND,
        actor=_ACTOR,
        action="StopApp",
        resource_type="app",
        resource_id=f"app-{number}",
        request_id=f"request-{number}",
        revision=Revision(number),
        details={"state": "STOPPING", "why": "caf\u00e9\0\ud83d"},
    )
    return replace(plain, **changes)


async def test_audit_events_newest_first(storage: SqlStorage) -> None:
    """Events are read back as written, newest first, in pages that follow each other."""
    events = [_event(number) for number in range(1, 6)]
    events.append(_event(6, actor=None, revision=None, details={}))
    async with storage.write() as work:
        for event in events:
            await work.audit.add(event)
    async with storage.read() as work:
        first = await work.audit.page(AuditFilter(), before=None, limit=4)
        rest = await work.audit.page(AuditFilter(), before=first[-1].event_id, limit=4)
    found = [*first, *rest]
    assert [each.event_id for each in found] == sorted({each.event_id for each in found}, reverse=True)
    assert [replace(each, event_id=0) for each in found] == events[::-1]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (AuditFilter(actor=_OTHER), [2]),
        (AuditFilter(action="DeleteApp"), [3]),
        (AuditFilter(resource_id="app-1"), [1]),
        (AuditFilter(resource_id="app\0"), []),
        (AuditFilter(start_time=samples.NOON + 2 * _SECOND), [3, 2]),
        (AuditFilter(end_time=samples.NOON + 2 * _SECOND), [1]),
        (AuditFilter(actor=_ACTOR, start_time=samples.NOON + 2 * _SECOND), [3]),
        (AuditFilter(actor=_OTHER, action="DeleteApp"), []),
    ],
)
async def test_audit_filter(storage: SqlStorage, which: AuditFilter, expected: list[int]) -> None:
    """A filter's conditions must all hold; a range of time includes its start and not its end."""
    async with storage.write() as work:
        await work.audit.add(_event(1))
        await work.audit.add(_event(2, actor=_OTHER))
        await work.audit.add(_event(3, action="DeleteApp"))
    async with storage.read() as work:
        found = await work.audit.page(which, before=None, limit=10)
    assert [each.revision for each in found] == expected


def _past(**changes: Any) -> PastRequest:
    plain = PastRequest(
        caller=_ACTOR,
        request_id="0b7a1a3e-0000-4000-8000-000000000001",
        digest=bytes(range(32)),
        resource_id="app-1",
        time=samples.NOON,
    )
    return replace(plain, **changes)


async def test_past_requests_are_found(storage: SqlStorage) -> None:
    """A create is found by its caller and id, and by nothing less."""
    past = _past()
    async with storage.write() as work:
        assert await work.past_requests.find(past.caller, past.request_id) is None
        await work.past_requests.add(past)
        assert await work.past_requests.find(past.caller, past.request_id) == past
    async with storage.read() as work:
        assert await work.past_requests.find(past.caller, past.request_id) == past
        assert await work.past_requests.find(_OTHER, past.request_id) is None
        assert await work.past_requests.find(past.caller, "another") is None


async def test_past_requests_are_forgotten_after_a_week(storage: SqlStorage) -> None:
    """A create that is older than a week is forgotten when a new one comes, one of exactly a week is not."""
    old = _past(request_id="old", time=samples.NOON - timedelta(days=7, microseconds=1))
    kept = _past(request_id="kept", time=samples.NOON - timedelta(days=7))
    async with storage.write() as work:
        for past in (old, kept, _past()):
            await work.past_requests.add(past)
    async with storage.read() as work:
        assert await work.past_requests.find(_ACTOR, "old") is None
        assert await work.past_requests.find(_ACTOR, "kept") == kept


async def test_same_request_twice(storage: SqlStorage) -> None:
    """A create cannot be remembered twice."""
    async with storage.write() as work:
        await work.past_requests.add(_past())
    with pytest.raises(StorageDefectError, match="past_requests"):
        async with storage.write() as work:
            await work.past_requests.add(_past())


async def test_replicas(storage: SqlStorage) -> None:
    """Replicas are remembered once each, until they are removed."""
    async with storage.write() as work:
        for replica in ("b", "a", "b"):
            await work.replicas.add(replica)
    async with storage.read() as work:
        assert await work.replicas.all() == ["a", "b"]
    async with storage.write() as work:
        await work.replicas.remove("a")
        await work.replicas.remove("unknown")
        assert await work.replicas.all() == ["b"]

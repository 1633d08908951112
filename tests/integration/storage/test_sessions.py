"""Sessions in the database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from doorward_server.domain.ids import Revision
from doorward_server.domain.policy import EndedSession
from doorward_server.services.ports import Change, EntryKind
from doorward_server.storage import SqlStorage, policy_entries
from tests.integration.storage import samples


async def test_a_session_is_read_back_as_written(storage: SqlStorage) -> None:
    """Live, and ended."""
    session, other = samples.session(), samples.session()
    end = samples.NOON + timedelta(minutes=1)
    async with storage.write() as work:
        await work.sessions.add(session)
        await work.sessions.add(other)
    async with storage.write() as work:
        assert await work.sessions.get(session.session_id) == session
        await work.sessions.end(session.session_id, end)
    async with storage.read() as work:
        assert await work.sessions.get(session.session_id) == replace(session, end_time=end)
        assert await work.sessions.get(other.session_id) == other
        assert await work.sessions.get(samples.session().session_id) is None


async def test_sessions_are_forgotten_a_day_after_their_end(storage: SqlStorage) -> None:
    """Not before: a replica whose clock is late must not take an ended one for live."""
    old = samples.session(end_time=samples.NOON)
    at_last = old.expire_time + timedelta(days=1)
    async with storage.write() as work:
        await work.sessions.add(old)
        await work.sessions.add(samples.session(create_time=at_last))
        assert await work.sessions.get(old.session_id) == old
        await work.sessions.add(samples.session(create_time=at_last + timedelta(microseconds=1)))
        assert await work.sessions.get(old.session_id) is None


async def test_replicas_are_told_of_ended_sessions_alone(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, however many are read at once; a live one is in its cookie alone."""
    monkeypatch.setattr(policy_entries, "_BATCH", 2)
    ended = [samples.session(end_time=samples.NOON) for _ in range(5)]
    async with storage.write() as work:
        for session in [samples.session(), *ended]:
            await work.sessions.add(session)
    async with storage.read() as work:
        told = [each async for some in work.policy.ended_sessions() for each in some]
    end = ended[0].expire_time.timestamp()
    expected = [EndedSession(session_id=each.session_id, expire_time=end) for each in ended]
    assert told == sorted(expected, key=lambda each: each.session_id)


async def test_replicas_are_told_of_no_session_with_the_console(storage: SqlStorage) -> None:
    """They would not take it anyway."""
    session = samples.session(app_id=None, end_time=samples.NOON)
    async with storage.write() as work:
        await work.sessions.add(session)
    async with storage.read() as work:
        assert await work.sessions.get(session.session_id) == session
        assert [each async for each in work.policy.ended_sessions()] == []


async def test_the_end_of_a_session_is_a_change(storage: SqlStorage) -> None:
    """With a revision, as that of an app or a token."""
    session = samples.session()
    async with storage.write() as work:
        await work.policy.app_changed(samples.app().app_id)
        assert await work.policy.session_ended(session.session_id) == 2
    async with storage.read() as work:
        assert await work.policy.since(Revision(1), limit=9) == [
            Change(Revision(2), session.session_id, EntryKind.SESSION)
        ]

"""What a replica is told, read from storage: everything, or what has changed."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from doorward_server.domain.ids import AppId, RegionName, Revision, SessionId, TokenId
from doorward_server.domain.policy import EndedSession, PolicyApp, PolicyToken
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import (
    app_message,
    ended_session_message,
    token_message,
    write_app,
    write_ended_session,
    write_token,
)
from doorward_server.services.ports import Change, EntryKind, PolicyHead, Storage, UnitOfWork

_PART_BYTES: Final = 512 * 1024
"""How long a part of a snapshot gets, less its last entry. gRPC takes 4 MiB, and an entry has some 30 KiB."""
_PART_ENTRIES: Final = 1000
_BATCH: Final = 256
"""How many changes are read in one transaction."""


_Entry: TypeAlias = PolicyApp | PolicyToken | EndedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Entries as they are now, and the revision that a replica has with them."""

    changes: policy_pb2.Changes
    revision: Revision
    more: bool
    """Whether there may be more changes already."""


class PolicyFeed:
    """Reads the policy for replicas of one region, or of all. Raises `StorageUnavailableError`."""

    def __init__(self, storage: Storage, *, region: RegionName | None, mac_key_id: str) -> None:
        self._storage = storage
        self._region = region
        self._mac_key_id = mac_key_id

    async def head(self) -> PolicyHead:
        """The policy, and its last revision."""
        async with self._storage.read() as unit:
            return await unit.policy.head()

    async def snapshot(self) -> AsyncGenerator[tuple[policy_pb2.Snapshot, PolicyHead], None]:
        """Everything, in parts of bounded size, all of one revision; at least one part, the last one marked.

        The view of the database stays open between the parts: whoever reads them must not dawdle.
        """
        async with self._storage.read() as unit:
            head = await unit.policy.head()
            part, size, count = policy_pb2.Snapshot(), 0, 0
            async for entry in self._entries(unit):
                size, count = size + _add(part, entry), count + 1
                if size >= _PART_BYTES or count >= _PART_ENTRIES:
                    yield part, head
                    part, size, count = policy_pb2.Snapshot(), 0, 0
            part.last = True
            yield part, head

    async def changes(self, after: Revision) -> Changed | None:
        """What has changed after a revision, or the first of it; None when that is no longer known.

        Entries outside the region are left out. They count as told, so that the revision moves on.
        """
        async with self._storage.read() as unit:
            numbered = await unit.policy.since(after, limit=_BATCH)
            if numbered is None:
                return None
            changes = policy_pb2.Changes()
            for change in _newest(numbered):
                message = await self._message(unit, change)
                if message is not None:
                    changes.changes.append(message)
            return Changed(
                changes=changes,
                revision=numbered[-1].revision if numbered else after,
                more=len(numbered) == _BATCH,
            )

    async def _entries(self, unit: UnitOfWork) -> AsyncIterator[_Entry]:
        async for app in unit.policy.apps(self._region):
            yield app
        async for token in unit.policy.tokens(self._region, mac_key_id=self._mac_key_id):
            yield token
        async for session in unit.policy.ended_sessions():
            yield session

    async def _message(self, unit: UnitOfWork, change: Change) -> policy_pb2.Change | None:
        match change.kind:
            case EntryKind.APP:
                return await self._app(unit, change)
            case EntryKind.TOKEN:
                return await self._token(unit, change)
            case EntryKind.SESSION:
                return await self._session(unit, change)

    async def _app(self, unit: UnitOfWork, change: Change) -> policy_pb2.Change | None:
        app = await unit.apps.get(AppId(change.entry))
        entry = None if app is None else app.policy_entry()
        if entry is None:
            return policy_pb2.Change(deleted_app_id=change.entry)
        if self._region not in {None, entry.region}:
            return None
        return policy_pb2.Change(app=app_message(entry))

    async def _token(self, unit: UnitOfWork, change: Change) -> policy_pb2.Change | None:
        token = await unit.tokens.get(TokenId(change.entry))
        if token is None:
            return policy_pb2.Change(deleted_token_id=change.entry)
        if None not in {self._region, token.region} and self._region != token.region:
            return None
        return policy_pb2.Change(token=token_message(token.policy_entry(mac_key_id=self._mac_key_id)))

    @staticmethod
    async def _session(unit: UnitOfWork, change: Change) -> policy_pb2.Change | None:
        session = await unit.sessions.get(SessionId(change.entry))
        if session is None:
            # It would have ended by itself by now.
            return None
        ended = EndedSession(session_id=session.session_id, expire_time=session.expire_time.timestamp())
        return policy_pb2.Change(ended_session=ended_session_message(ended))


def _add(part: policy_pb2.Snapshot, entry: _Entry) -> int:
    """Add an entry to a part, in place, for copies of a million of them take seconds; answers its bytes."""
    match entry:
        case PolicyApp():
            app = part.apps.add()
            write_app(app, entry)
            return app.ByteSize()
        case PolicyToken():
            token = part.tokens.add()
            write_token(token, entry)
            return token.ByteSize()
        case EndedSession():
            session = part.ended_sessions.add()
            write_ended_session(session, entry)
            return session.ByteSize()


def _newest(changes: Iterable[Change]) -> Iterable[Change]:
    """One change an entry: all of an entry's changes lead to what it is now."""
    return {change.entry: change for change in changes}.values()

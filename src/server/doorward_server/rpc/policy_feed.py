"""What a replica is told, read from storage: everything, or what has changed."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from doorward_server.domain.ids import AppId, RegionName, Revision, SessionId, TokenId
from doorward_server.domain.policy import EndedSession
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, ended_session_message, token_message
from doorward_server.rpc.policy_packing import pack_apps, pack_ended_sessions, pack_tokens
from doorward_server.services.ports import Change, EntryKind, PolicyHead, Storage, UnitOfWork

_PART_BYTES: Final = 128 * 1024
"""How long a part of a snapshot gets, less its last entry. gRPC takes 4 MiB, and an entry has some 30 KiB; a
replica takes a part at once, while Checks wait."""
_BATCH: Final = 256
"""How many changes are read in one transaction."""

_Field: TypeAlias = Literal["apps", "tokens", "ended_sessions"]
_Part: TypeAlias = dict[_Field, list[bytes]]
"""Serialized entries of a snapshot."""


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
            part: _Part = {}
            size = 0
            async for field, entries in self._entries(unit):
                for entry in entries:
                    part.setdefault(field, []).append(entry)
                    size += len(entry)
                    if size >= _PART_BYTES:
                        yield _snapshot(part), head
                        part, size = {}, 0
            yield _snapshot(part, last=True), head

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

    async def _entries(self, unit: UnitOfWork) -> AsyncIterator[tuple[_Field, list[bytes]]]:
        """Every entry, serialized, with the field of a snapshot that it belongs to; some at a time."""
        async for apps in unit.policy.apps(self._region):
            yield "apps", pack_apps(apps)
        async for rows in unit.policy.tokens(self._region, mac_key_id=self._mac_key_id):
            yield "tokens", pack_tokens(rows)
        async for sessions in unit.policy.ended_sessions():
            yield "ended_sessions", pack_ended_sessions(sessions)

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


def _snapshot(part: _Part, *, last: bool = False) -> policy_pb2.Snapshot:
    packed = policy_pb2.PackedSnapshot(**part, last=last)
    return policy_pb2.Snapshot.FromString(packed.SerializeToString())


def _newest(changes: Iterable[Change]) -> Iterable[Change]:
    """One change an entry: all of an entry's changes lead to what it is now."""
    return {change.entry: change for change in changes}.values()

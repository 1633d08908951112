"""One policy stream from the hello to its end."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import Revision, TokenId, parse_token_id
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_feed import Changed, PolicyFeed
from doorward_server.services.leases import Pledge, ReplicaStream, StreamOrderError
from doorward_server.services.ports import PolicyHead, StorageUnavailableError
from doorward_server.services.usage import TokenUsage

Context = grpc.aio.ServicerContext[policy_pb2.StreamPolicyRequest, policy_pb2.StreamPolicyResponse]

_STALL_SECONDS: Final = 30.0
"""How long a replica may take to read one message. A snapshot keeps a view of the database open meanwhile."""

_NOTHING_APPLIED: Final = Revision(0)


class StreamEndedError(Exception):
    """The stream must end."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        """*text* is for the replica's log."""
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every replica is told first. Times are in seconds."""

    lease: float
    heartbeat: float
    region_domains: Mapping[str, str]

    def welcome(self, head: PolicyHead) -> policy_pb2.Welcome:
        """The message of it."""
        return policy_pb2.Welcome(
            policy_id=head.policy_id,
            lease=_duration(self.lease),
            heartbeat=_duration(self.heartbeat),
            region_domains=self.region_domains,
        )


class PolicyStream:
    """Tells one replica the policy, and takes note of what it says."""

    def __init__(
        self,
        *,
        context: Context,
        feed: PolicyFeed,
        stream: ReplicaStream,
        news: asyncio.Event,
        usage: TokenUsage,
    ) -> None:
        """*news* is set by *stream* when there is something to do."""
        self._context = context
        self._feed = feed
        self._stream = stream
        self._news = news
        self._usage = usage
        self._answered = 0
        self._sent = 0

    async def run(
        self,
        hello: policy_pb2.StreamPolicyRequest,
        messages: AsyncIterator[policy_pb2.StreamPolicyRequest],
        terms: Terms,
    ) -> None:
        """Serve the replica from its hello to its goodbye.

        Raises an exception group of `StreamEndedError` or `StorageUnavailableError`.
        """
        async with asyncio.TaskGroup() as tasks:
            self._receive(hello.sequence)
            tasks.create_task(self._listen(messages))
            tasks.create_task(self._tell(hello, terms))

    async def _listen(self, messages: AsyncIterator[policy_pb2.StreamPolicyRequest]) -> None:
        async for message in messages:
            if message.HasField("hello"):
                refuse("hello: only the first message of a stream has one")
            self._receive(message.sequence, Revision(message.applied_revision))
            try:
                self._usage.add(_uses(message.token_uses))
            except InvalidValueError as error:
                refuse(str(error))
            if message.goodbye:
                self._stream.goodbye()
                return
        raise StreamEndedError(grpc.StatusCode.CANCELLED, "the replica ended the stream without a goodbye")

    def _receive(self, sequence: int, applied: Revision = _NOTHING_APPLIED) -> None:
        try:
            self._stream.receive(sequence, applied)
        except StreamOrderError as error:
            refuse(str(error))

    async def _tell(self, hello: policy_pb2.StreamPolicyRequest, terms: Terms) -> None:
        """Send the policy and its changes, and answer, until the replica has said goodbye."""
        head = await self._feed.head()
        await self._send(policy_pb2.StreamPolicyResponse(welcome=terms.welcome(head)))
        position = await self._begin(hello, head)
        # What this process has announced is not all that was ever enforced, so it looks once itself.
        position = await self._catch_up(position, self._stream.pledge())
        while not self._stream.left:
            await self._news.wait()
            self._news.clear()
            if self._stream.replaced:
                raise StreamEndedError(grpc.StatusCode.ABORTED, "the replica has begun a newer stream")
            pledge = self._stream.pledge()
            due = self._answered < pledge.sequence
            if position < pledge.floor or (due and await self._is_behind(position)):
                position = await self._catch_up(position, pledge)
            elif due:
                await self._send(policy_pb2.StreamPolicyResponse(revision=position), answering=pledge)

    async def _is_behind(self, position: Revision) -> bool:
        """Whether there is a change that nobody has announced here.

        So it is with one whose commit broke off without a word on how it ended, or that another process made.
        While the database does not answer, nothing new is committed that anybody was told of.
        """
        try:
            head = await self._feed.head()
        except StorageUnavailableError:
            return False
        return head.revision > position

    async def _begin(self, hello: policy_pb2.StreamPolicyRequest, head: PolicyHead) -> Revision:
        """Bring the replica to a revision from which changes lead on."""
        position = Revision(hello.applied_revision)
        if hello.hello.policy_id == head.policy_id and 0 < position <= head.revision:
            return position
        return await self._send_snapshot()

    async def _send_snapshot(self) -> Revision:
        revision = Revision(0)
        async with aclosing(self._feed.snapshot()) as parts:
            async for part, head in parts:
                revision = head.revision
                reached = revision if part.last else 0
                await self._send(policy_pb2.StreamPolicyResponse(snapshot=part, revision=reached))
        return revision

    async def _catch_up(self, position: Revision, pledge: Pledge) -> Revision:
        """Send all changes after *position*, the last ones with the answer."""
        while (changed := await self._feed.changes(position)) is None or changed.more:
            if changed is None:
                position = await self._send_snapshot()
            else:
                await self._send(_response(changed))
                position = changed.revision
        if changed.revision < pledge.floor:
            # Not the database that the change was committed to: put back, or a standby.
            raise StreamEndedError(grpc.StatusCode.UNAVAILABLE, "the database lacks a committed change")
        await self._send(_response(changed), answering=pledge)
        return changed.revision

    async def _send(
        self, response: policy_pb2.StreamPolicyResponse, *, answering: Pledge | None = None
    ) -> None:
        if answering is not None:
            self._answered = answering.sequence
        self._sent += 1
        response.sequence = self._sent
        response.answered_sequence = self._answered
        self._stream.sent(Revision(response.revision))
        try:
            async with asyncio.timeout(_STALL_SECONDS):
                await self._context.write(response)
        except TimeoutError:
            raise StreamEndedError(grpc.StatusCode.DEADLINE_EXCEEDED, "the replica does not read") from None


def _response(changed: Changed) -> policy_pb2.StreamPolicyResponse:
    return policy_pb2.StreamPolicyResponse(changes=changed.changes, revision=changed.revision)


def _uses(uses: Iterable[policy_pb2.TokenUse]) -> dict[TokenId, datetime]:
    """Raises `InvalidValueError`."""
    try:
        return {parse_token_id(use.token_id): use.time.ToDatetime(UTC) for use in uses}
    except (ValueError, OverflowError) as error:
        raise InvalidValueError(f"token_uses: {error}") from None


def refuse(text: str) -> NoReturn:
    """End the stream for a message that the replica should not have sent."""
    raise StreamEndedError(grpc.StatusCode.INVALID_ARGUMENT, text)


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))

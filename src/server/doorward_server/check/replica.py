"""Keeps a replica's policy current, over one policy stream after another."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import grpc

from doorward_server.check.follower import PolicyFollower, StreamBrokenError
from doorward_server.check.uses import TokenUses
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc

_log = logging.getLogger(__name__)

_STREAM_KEY: Final = "doorward-stream-key"
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 1.0
"""Long enough not to press an api that is in trouble, short enough to be back soon after it is."""
_QUIET_SECONDS: Final = 3.0
"""How long a first stream is missed in silence: api, started with check, needs a second or two."""
_WELCOME_SECONDS: Final = 10.0
"""How long the control plane may take to answer the hello."""
_SILENT_HEARTBEATS: Final = 3.0
"""How many heartbeats may go unanswered."""
_SPACING: Final = 0.002
"""Seconds from a message to the acknowledgement after it, at least. A change by itself waits for nothing; of
many that follow closely the acknowledgements are joined: each is a message and an answer, and takes what
Checks need, the interpreter."""
_USES: Final = 2_000
"""How many uses go into one message: some 100 KiB."""

_Call = grpc.aio.StreamStreamCall[policy_pb2.StreamPolicyRequest, policy_pb2.StreamPolicyResponse]


class Replica:
    """Follows the policy until it is told to leave."""

    def __init__(
        self,
        *,
        follower: PolicyFollower,
        uses: TokenUses,
        open_channel: Callable[[], grpc.aio.Channel],
        stream_key: bytes,
        on_message: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*on_message* is called after each message of the control plane has been applied."""
        self._follower = follower
        self._uses = uses
        self._open_channel = open_channel
        self._metadata = ((_STREAM_KEY, stream_key.hex()),)
        self._on_message = on_message
        self._clock = clock
        self._leaving = asyncio.Event()
        self._due = asyncio.Event()
        self._spoke = -math.inf

    def leave(self) -> None:
        """Have `follow` say goodbye and return. Only for a replica that has stopped to decide."""
        self._leaving.set()
        self._due.set()

    async def follow(self) -> None:
        """Follow the policy, through every fault, until `leave`."""
        delay, told = _FIRST_DELAY, ""
        quiet_until = self._clock() + _QUIET_SECONDS
        while not self._leaving.is_set():
            fault = await self._fault_of_one_stream()
            if self._follower.granted:
                delay, told, quiet_until = _FIRST_DELAY, "", -math.inf
            if fault and fault != told and self._clock() >= quiet_until:
                _log.warning("No policy stream: %s. Trying again", fault)
                told = fault
            with suppress(TimeoutError):
                # Jitter, so that the replicas of a server that was restarted do not all come at once.
                await asyncio.wait_for(self._leaving.wait(), delay * random.uniform(0.5, 1))  # noqa: S311
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _fault_of_one_stream(self) -> str:
        """Follow one stream to its end, and answer what ended it; nothing if that was our goodbye."""
        try:
            async with self._open_channel() as channel:
                await self._follow_stream(channel)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        except StreamBrokenError as error:
            return str(error)
        except TimeoutError:
            return "the control plane does not answer"
        return ""

    async def _follow_stream(self, channel: grpc.aio.Channel) -> None:
        call = policy_pb2_grpc.PolicyServiceStub(channel).StreamPolicy(metadata=self._metadata)
        self._due.clear()
        try:
            async with asyncio.timeout(_WELCOME_SECONDS):
                await call.write(self._follower.hello())
                await self._hear(call)
            _log.info("Following the policy as replica %s", self._follower.replica_id)
            speaking = asyncio.create_task(self._speak(call))
            try:
                await self._listen(call)
            finally:
                speaking.cancel()
                await asyncio.wait({speaking})
            if not speaking.cancelled():
                speaking.result()
        finally:
            call.cancel()

    async def _listen(self, call: _Call) -> None:
        now = asyncio.get_running_loop().time
        patience = _SILENT_HEARTBEATS * self._follower.heartbeat
        async with asyncio.timeout(patience) as silence:
            while await self._hear(call):
                silence.reschedule(now() + patience)

    async def _hear(self, call: _Call) -> bool:
        """Take one message; answers whether there was one."""
        response = await call.read()
        if not isinstance(response, policy_pb2.StreamPolicyResponse):
            if self._leaving.is_set():
                return False
            raise StreamBrokenError("the control plane ended the stream")
        self._follower.receive(response)
        self._on_message()
        if self._follower.next_acknowledgement is not None or self._follower.owes_acknowledgement:
            self._due.set()
        return True

    async def _speak(self, call: _Call) -> None:
        # A call that has ended says why to `_listen`.
        with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            while not self._leaving.is_set():
                await self._wait_until_due()
                self._spoke = asyncio.get_running_loop().time()
                goodbye = self._leaving.is_set()
                await call.write(self._follower.report(self._uses.take(_USES), goodbye=goodbye))
            await call.done_writing()

    async def _wait_until_due(self) -> None:
        """Wait for an acknowledgement to be due, or the heartbeat, or the goodbye."""
        now = asyncio.get_running_loop().time
        heartbeat = now() + self._follower.heartbeat
        while not self._leaving.is_set():
            if self._follower.owes_acknowledgement:
                await _until(self._leaving, self._spoke + _SPACING - now())
                return
            time_left = heartbeat - now()
            if time_left <= 0:
                return
            self._due.clear()
            acknowledgement = self._follower.next_acknowledgement
            await _until(self._due, time_left if acknowledgement is None else min(time_left, acknowledgement))


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than that.

    Not `wait_for`: that of Python 3.11 loses a cancellation that comes together with the event, and whoever
    ends a stream would wait for its speaker for ever.
    """
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

"""An api that has nothing but a policy stream: ``python -m benchmarks.feed``.

Feeds a replica a made-up policy of any size, and changes at any rate, which no database has to keep up with.
Its arguments are in `main`. It is asked by lines of JSON, see `_Feed.do`, and stops when its standard input
ends.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration

from benchmarks.children import announce
from benchmarks.population import DOMAIN, REGION, Population
from benchmarks.requests import write_pairs
from doorward_server.domain.policy import Address
from doorward_server.platform_key import load_platform_key
from doorward_server.policy.v1 import policy_pb2, policy_pb2_grpc
from doorward_server.rpc.policy_messages import app_message, token_message

_PART_ENTRIES: Final = 1000
_ACK_SECONDS: Final = 10.0
_APART_SECONDS: Final = 0.01

_Context = grpc.aio.ServicerContext[policy_pb2.StreamPolicyRequest, policy_pb2.StreamPolicyResponse]


def main() -> None:
    """Serve until standard input ends.

    Arguments: the socket to serve on, the platform key's file, how many tokens, how many of them are used,
    the file for who may open what, and the port where every app listens on 127.0.0.1.
    """
    socket, key_file, tokens, in_load, pairs, port = sys.argv[1:]
    population = Population(
        int(tokens),
        in_load=int(in_load),
        key=load_platform_key(Path(key_file)),
        upstream=Address(host="127.0.0.1", port=int(port)),
    )
    write_pairs(Path(pairs), population.pairs())
    asyncio.run(_serve(_Feed(population), Path(socket)))


async def _serve(feed: "_Feed", socket: Path) -> None:
    server = grpc.aio.server()
    policy_pb2_grpc.add_PolicyServiceServicer_to_server(feed, server)
    server.add_insecure_port(f"unix:{quote(str(socket))}")
    await server.start()
    announce()
    while line := await asyncio.to_thread(sys.stdin.readline):
        announce(await feed.do(json.loads(line)))
    await server.stop(None)


class _Feed(policy_pb2_grpc.PolicyServiceServicer):
    """One replica's stream."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._revision = 1
        self._sent = self._answered = 0
        self._context: _Context | None = None
        self._sending = asyncio.Lock()
        self._acknowledged = asyncio.Condition()
        self._applied = 0
        self._turns = itertools.count()

    async def StreamPolicy(  # type: ignore[override]  # the stub allows for synchronous servers, too
        self, request_iterator: AsyncIterator[policy_pb2.StreamPolicyRequest], context: _Context
    ) -> None:
        self._context = context
        self._sent = self._answered = 0
        hello = await anext(aiter(request_iterator))
        await self._send(welcome=_welcome())
        for part in self._snapshot():
            await self._send(snapshot=part, revision=self._revision if part.last else 0)
        # An answer grants the lease, which is for replicas that have the whole policy.
        self._answered = hello.sequence
        await self._send(revision=self._revision)
        async for message in request_iterator:
            self._answered = message.sequence
            async with self._acknowledged:
                self._applied = message.applied_revision
                self._acknowledged.notify_all()
            await self._send(revision=self._revision)

    async def do(self, question: dict[str, Any]) -> dict[str, Any]:
        """``{"do": "label_change", "trials": 9}`` or ``{"do": "changes", "rate": 1000, "seconds": 2}``."""
        if question["do"] == "label_change":
            return {"seconds": [await self._label_change() for _ in range(question["trials"])]}
        return await self._change_at_rate(question["rate"], question["seconds"])

    async def _label_change(self) -> float:
        """Change a label of one app; answers the seconds until the replica has said that it is in force."""
        # By itself: a replica joins the acknowledgements of changes that follow each other closely.
        await asyncio.sleep(_APART_SECONDS)
        began = time.perf_counter()
        turn = next(self._turns)
        await self._change(self._app_change(turn))
        async with self._acknowledged, asyncio.timeout(_ACK_SECONDS):
            await self._acknowledged.wait_for(lambda: self._applied >= self._revision)
        return time.perf_counter() - began

    async def _change_at_rate(self, rate: float, seconds: float) -> dict[str, Any]:
        """Changes of all kinds, evenly over time; answers how many there were, and how many are in force."""
        began, sent, before = time.perf_counter(), 0, self._revision
        while (elapsed := time.perf_counter() - began) < seconds:
            while sent < elapsed * rate:
                await self._change(self._any_change(next(self._turns)))
                sent += 1
            await asyncio.sleep(max(0.0, began + (sent + 1) / rate - time.perf_counter()))
        async with self._acknowledged, asyncio.timeout(_ACK_SECONDS):
            await self._acknowledged.wait_for(lambda: self._applied >= self._revision)
        return {"sent": sent, "applied": self._applied - before, "seconds": time.perf_counter() - began}

    async def _change(self, change: policy_pb2.Change) -> None:
        self._revision += 1
        await self._send(changes=policy_pb2.Changes(changes=[change]), revision=self._revision)

    def _any_change(self, turn: int) -> policy_pb2.Change:
        """Every fourth change relabels an app; the others regenerate, delete and create tokens."""
        number = turn * 7919 % self._population.tokens
        if turn % 4 == 0 or self._population.is_loaded(number):
            return self._app_change(turn)
        token = token_message(self._population.token(number))
        if turn % 4 == 1:
            return policy_pb2.Change(deleted_token_id=token.token_id)
        return policy_pb2.Change(token=token)

    def _app_change(self, turn: int) -> policy_pb2.Change:
        app = self._population.app(turn % self._population.apps, team=f"t{turn}")
        return policy_pb2.Change(app=app_message(app))

    def _snapshot(self) -> Iterator[policy_pb2.Snapshot]:
        """The whole policy, in parts as api makes them."""
        population = self._population
        for first in range(0, population.apps, _PART_ENTRIES):
            numbers = range(first, min(first + _PART_ENTRIES, population.apps))
            yield policy_pb2.Snapshot(apps=[app_message(population.app(number)) for number in numbers])
        for first in range(0, population.tokens, _PART_ENTRIES):
            numbers = range(first, min(first + _PART_ENTRIES, population.tokens))
            yield policy_pb2.Snapshot(tokens=[token_message(population.token(number)) for number in numbers])
        yield policy_pb2.Snapshot(last=True)

    async def _send(self, **fields: Any) -> None:
        if self._context is None:
            raise RuntimeError("no replica has come")
        async with self._sending:
            self._sent += 1
            response = policy_pb2.StreamPolicyResponse(
                sequence=self._sent, answered_sequence=self._answered, **fields
            )
            await self._context.write(response)


def _welcome() -> policy_pb2.Welcome:
    return policy_pb2.Welcome(
        policy_id="benchmark",
        lease=Duration(seconds=30),
        heartbeat=Duration(seconds=5),
        region_domains={REGION: DOMAIN},
    )


if __name__ == "__main__":
    main()

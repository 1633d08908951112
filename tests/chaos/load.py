"""Requests of every kind, a bounded number a second, over a few kept connections to Envoy."""

import asyncio
import itertools
import time
from collections.abc import Callable
from random import Random

from tests.chaos.http1 import NO_ANSWER, KeptConnection
from tests.chaos.oracle import Oracle, Sent
from tests.chaos.scene import Kind
from tests.chaos.witness import NUMBER, Witness
from tests.e2e.support.raw_http import request_bytes

_CONNECTIONS = 6
_RATE = 120
"""Requests a second, all together."""
_PATIENCE = 10.0
"""Seconds; more than Envoy takes to give up on check and on an app."""

_numbers = itertools.count(1)


class Load:
    """Sends requests until it is told to stop, and has each answer judged."""

    def __init__(
        self,
        *,
        address: tuple[str, int],
        witness: Witness,
        oracle: Oracle,
        rng: Random,
        kinds: Callable[[Random], Kind],
    ) -> None:
        """*kinds* answers what to send next."""
        self._address = address
        self._witness = witness
        self._oracle = oracle
        self._rng = rng
        self._kinds = kinds
        self._given_up: dict[int, Sent] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until *stop*, and then judge what has reached the app without an answer to us."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_CONNECTIONS):
                tasks.create_task(self._visit(stop))
        for number, sent in self._given_up.items():
            if (reached := self._witness.reached.pop(number, None)) is not None:
                self._oracle.allowed(sent, at=reached)

    async def _visit(self, stop: asyncio.Event) -> None:
        connection = KeptConnection(self._address)
        try:
            while not stop.is_set():
                await self._request(connection, self._kinds(self._rng))
                await asyncio.sleep(self._rng.uniform(0, 2 * _CONNECTIONS / _RATE))
        finally:
            connection.close()

    async def _request(self, connection: KeptConnection, kind: Kind) -> None:
        number = next(_numbers)
        headers = [*kind.headers, (NUMBER, str(number))]
        request = request_bytes("GET", kind.target, host=kind.host, headers=headers)
        sent = Sent(kind=kind.name, right=kind.right, at=time.monotonic())
        status = None
        try:
            status = (await connection.exchange(request, within=_PATIENCE)).status
        except NO_ANSWER:
            self._given_up[number] = sent
        if (reached := self._witness.reached.pop(number, None)) is not None:
            self._oracle.allowed(sent, at=reached)
        else:
            self._oracle.refused(sent, at=time.monotonic(), status=status)

"""Relays the policy stream from api to check, or not quite: `python -m tests.chaos.stream_relay FOLDER API`.

Serves on `relay.sock` in FOLDER. The file `tampering` there names what is done to messages that go to check,
and a seed for it; the file `tampered` gets a byte for each that was not passed on as it was.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import grpc

from doorward_server.rpc.policy_service import STREAM_KEY

_SERVICE, _METHOD = "doorward.policy.v1.PolicyService", "StreamPolicy"

SOCKET = "relay.sock"
TAMPERING = "tampering"
TAMPERED = "tampered"

Tamper = Callable[[bytes, Random], Iterable[bytes]]
"""What check gets for one message of api."""


def _double() -> Tamper:
    """Some messages come twice: the second time at once, or behind the next one."""
    held: list[bytes] = []

    def tamper(message: bytes, rng: Random) -> Iterable[bytes]:
        repeats = [held.pop()] if held else []
        if rng.random() < 0.3:
            rng.choice((repeats, held)).append(message)
        return (message, *repeats)

    return tamper


def _lose() -> Tamper:
    """Some messages do not come."""
    return lambda message, rng: () if rng.random() < 0.3 else (message,)


_TAMPERINGS: dict[str, Callable[[], Tamper]] = {"double": _double, "lose": _lose}
DELAY = "delay"
_LONGEST_DELAY = 0.3


class Relay:
    """What is done to the streams that go through this process."""

    def __init__(self, folder: Path, api: str) -> None:
        self._file, self._tampered = folder / TAMPERING, folder / TAMPERED
        self._api = api

    async def stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Relay one stream, either way, to its end."""
        metadata = tuple(each for each in context.invocation_metadata() if each[0] == STREAM_KEY)
        # A channel of its own, so that an api that was away is found without the back-off of another one.
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(self._api, options=options) as channel:
            stream: Any = channel.stream_stream(f"/{_SERVICE}/{_METHOD}")
            call = stream(requests, metadata=metadata)
            told, tamper, rng = "", None, Random()  # noqa: S311 - to be repeated
            try:
                async for message in call:
                    wanted = self._file.read_text() if self._file.exists() else ""
                    if wanted != told:
                        told, (name, _, seed) = wanted, wanted.partition(" ")
                        rng = Random(seed)  # noqa: S311 - to be repeated
                        tamper = _TAMPERINGS[name]() if name in _TAMPERINGS else None
                    if told.startswith(DELAY):
                        await asyncio.sleep(rng.uniform(0, _LONGEST_DELAY))
                    passed = [message] if tamper is None else list(tamper(message, rng))
                    if passed != [message] or told.startswith(DELAY):
                        with self._tampered.open("ab") as note:
                            note.write(b".")
                    for each in passed:
                        yield each
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            finally:
                call.cancel()


async def main(folder: Path, api: str) -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    handler: Any = grpc.stream_stream_rpc_method_handler(Relay(folder, api).stream)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))
    server.add_insecure_port(f"unix:{folder / SOCKET}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

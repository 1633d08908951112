"""A platform for tests on a thread of its own: what `doorward.testing` finds through its entry point.

On a thread, so that blocking tests and those with event loops of their own use it alike.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from doorward.testing._platform import Decision
from doorward_server.bootstrap.in_process import InProcess, in_process

T = TypeVar("T")

_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class InThread:
    """A platform, started when this returns."""

    def __init__(self, *, regions: Mapping[str, str]) -> None:
        """Start one with *regions*: name to the domain of its apps."""
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, InProcess]] = Future()
        self._ports = AsyncExitStack()
        # A daemon, so that a test run which forgets to stop it ends nevertheless.
        self._thread = threading.Thread(
            target=self._run, args=[dict(regions)], name="doorward-testing", daemon=True
        )
        self._thread.start()
        self._loop, self._stopped, self._platform = self._started.result()

    @property
    def address(self) -> str:
        """The api's `host:port`."""
        return self._platform.address

    @property
    def admin_token(self) -> str:
        """The secret of the first ADMIN token."""
        return self._platform.admin_token

    def decide(self, *, host: str, method: str, path: str, headers: Sequence[tuple[str, str]]) -> Decision:
        """Decide about a request as the replica does for Envoy."""

        async def decided() -> Decision:
            return self._platform.decide(host=host, method=method, path=path, headers=headers)

        return self._done(decided())

    def open_port(self) -> str:
        """Open a port where every HTTP request is answered with 200 and nothing, and return its address."""

        async def opened() -> str:
            server = await self._ports.enter_async_context(
                await asyncio.start_server(_answer, "127.0.0.1", 0)
            )
            host, port = server.sockets[0].getsockname()
            return f"{host}:{port}"

        return self._done(opened())

    def stop(self) -> None:
        """Stop everything and remove what was kept. Safe to call again."""
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def _done(self, what: Coroutine[Any, Any, T]) -> T:
        """Do something on the platform's loop, where nothing that it touches is touched meanwhile."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    def _run(self, regions: Mapping[str, str]) -> None:
        try:
            asyncio.run(self._serve(regions))
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self, regions: Mapping[str, str]) -> None:
        stopped = asyncio.Event()
        with TemporaryDirectory(prefix="doorward-") as folder:
            async with in_process(Path(folder) / "home", regions=regions) as platform, self._ports:
                self._started.set_result((asyncio.get_running_loop(), stopped, platform))
                await stopped.wait()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, whatever it is; who only looks whether the port is open has none."""
    with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_ANSWER)
        await writer.drain()
    writer.close()

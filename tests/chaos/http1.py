"""HTTP/1.1 on connections that are kept, for a load that one event loop sends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

CALL_SECONDS = 20.0
"""After which an answer is given up: longer than anything in the product waits."""

NO_ANSWER = (OSError, EOFError, TimeoutError, ValueError)
"""What an exchange raises when no answer, or half of one, has come. Whether it took effect is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response."""

    status: int
    body: bytes


class KeptConnection:
    """One request after another to one address; connects when it has to."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes, *, within: float = CALL_SECONDS) -> Reply:
        """Send a request and read its response; raises one of `NO_ANSWER`."""
        try:
            async with asyncio.timeout(within):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self._address)
                reader, writer = self._streams
                writer.write(request)
                await writer.drain()
                return await self._response(reader)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _response(self, reader: asyncio.StreamReader) -> Reply:
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in _chunks(reader)])
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Reply(int(status_line.split(" ")[1]), body)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()

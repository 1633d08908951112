"""Asking an app whether it is ready."""

import asyncio
import contextlib
import re
from typing import Final
from urllib.parse import quote

from doorward_server.domain.policy import Address

PROBE_TIMEOUT: Final = 5.0
"""Seconds an app has to answer a probe."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: |\r?\n)")
_LONGEST_LINE: Final = 8 * 1024
_DRAIN_BYTES: Final = 256 * 1024
_DRAIN_PATIENCE: Final = 0.25


async def probe(
    address: Address, *, path: str | None, host: str | None = None, patience: float = PROBE_TIMEOUT
) -> str | None:
    """Why the app at *address*, an IP address, is not ready; None when it is.

    With a *path*, it is ready when a GET is answered 2xx or 3xx, else when it accepts a TCP connection.
    *host* goes into the request in place of the address. *patience* is in seconds.
    """
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(address.host, address.port, limit=_LONGEST_LINE)
            try:
                if path is None:
                    return None
                return await _get(reader, writer, path=path, host=host or str(address))
            finally:
                await _close(writer)
    except TimeoutError:
        return f"no answer within {patience:g} s"
    except ConnectionRefusedError:
        return "connection refused"
    except OSError as error:
        # The system's words, without the address that asyncio adds: not everybody may see it.
        return (error.strerror or "the connection failed").partition(":")[0].lower()


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, path: str, host: str
) -> str | None:
    # Nothing of the path can end the line early; what is escaped already stays as it is.
    target = quote(path, safe="/%?&=+,;:@!$'()*~")
    writer.write(
        f"GET {target} HTTP/1.1\r\nhost: {host}\r\nuser-agent: doorward-readiness\r\naccept: */*\r\n"
        "connection: close\r\n\r\n".encode("ascii")
    )
    try:
        line = await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        line = b""
    match = _STATUS_LINE.match(line)
    if match is None:
        return "the answer is not HTTP/1.1"
    await _drain(reader)
    status = int(match[1])
    return None if 200 <= status < 400 else f"GET is answered {status}"


async def _drain(reader: asyncio.StreamReader) -> None:
    """Let the app finish its answer: closing before would be an error in its log at each probe."""
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(_DRAIN_PATIENCE):
            left = _DRAIN_BYTES
            while left > 0 and (data := await reader.read(left)):
                left -= len(data)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()

"""Asking a web process how it is."""

import asyncio
from pathlib import Path
from typing import Final

HEALTH: Final = "/healthz"
"""Outside of what Envoy routes here: for who may open the socket."""

_SECONDS: Final = 2.0


async def is_healthy(socket: Path) -> bool:
    """Whether the process on a Unix socket says that a login would be answered."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(
                    f"GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
                )
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False

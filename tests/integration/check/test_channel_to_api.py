"""The way from check to api."""

import asyncio
import select
import socket
from pathlib import Path

import pytest

from doorward_server.check.process import CheckConfig, open_channel
from doorward_server.platform_key import ensure_platform_key


async def test_no_proxy_of_the_environment_stands_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream with its key goes to api itself, whatever programs that browse are told."""
    with socket.create_server(("127.0.0.1", 0)) as api, socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("grpc_proxy", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_proxy", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        config = CheckConfig(
            key=ensure_platform_key(tmp_path / "key"),
            api_target=f"127.0.0.1:{api.getsockname()[1]}",
            socket=tmp_path / "check.sock",
        )
        async with open_channel(config) as channel:
            connecting = asyncio.create_task(channel.channel_ready())
            called, _, _ = await asyncio.to_thread(select.select, [api, proxy], [], [], 20)
            connecting.cancel()
            await asyncio.wait({connecting})
        assert called == [api]

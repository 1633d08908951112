"""When a replica says that it has no policy stream."""

import asyncio
import logging
from pathlib import Path

import grpc
import pytest

from doorward_server.check.follower import PolicyFollower
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.replica import Replica
from doorward_server.check.uses import TokenUses
from doorward_server.platform_key import ensure_platform_key
from doorward_server.services.boottime import boottime
from tests.support.waiting import eventually


async def test_an_api_that_is_still_starting_is_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first attempts to reach an api that is not there are made in silence, and then it is said, once."""
    key = ensure_platform_key(tmp_path / "key")
    said_before: list[int] = []
    now = [0.0]

    def open_channel() -> grpc.aio.Channel:
        said_before.append(len(caplog.records))
        now[0] += 0.5
        return grpc.aio.insecure_channel(
            f"unix:{tmp_path}/none.sock", options=(("grpc.use_local_subchannel_pool", 1),)
        )

    replica = Replica(
        follower=PolicyFollower(
            index=PolicyIndex(key.token_macs()), lease=Lease(boottime), region=None, clock=boottime
        ),
        uses=TokenUses(),
        open_channel=open_channel,
        stream_key=key.stream_key(),
        on_message=lambda: None,
        clock=lambda: now[0],
    )
    with caplog.at_level(logging.INFO, logger="doorward_server.check.replica"):
        following = asyncio.create_task(replica.follow())
        await eventually(lambda: asyncio.sleep(0, bool(caplog.records)), what="a line in the log", within=20)
        replica.leave()
        await asyncio.wait_for(following, 10)
    assert said_before == [0] * 6
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "UNAVAILABLE" in record.getMessage()

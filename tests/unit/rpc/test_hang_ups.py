"""Callers who hang up while they are being answered."""

import asyncio
import logging
from typing import Any, cast

import grpc
import pytest

from doorward_server.rpc.call_layers import answer_errors
from doorward_server.rpc.calls import CallState, Context
from doorward_server.rpc.failures import ServerStoppingError


class GoneCaller:
    """A context whose peer is not there any more: gRPC can send nothing."""

    async def abort(self, *_: Any) -> None:
        raise grpc.aio.InternalError("Failed execute_batch")


@pytest.mark.parametrize("error", [ServerStoppingError(), grpc.aio.InternalError("Failed execute_batch")])
async def test_whoever_hangs_up_fills_no_log(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """An answer that nobody is there to take ends as a cancelled call, and is no defect."""
    state = CallState(method="/doorward.v1.AppService/GetApp", streaming=False, request_id="r")
    with caplog.at_level(logging.WARNING), pytest.raises(asyncio.CancelledError):
        async with answer_errors(state, cast("Context", GoneCaller())):
            raise error
    assert not caplog.records

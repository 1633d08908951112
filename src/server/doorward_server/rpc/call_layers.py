"""The layers that log calls and answer errors."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc

from doorward_server.domain.quoting import quoted
from doorward_server.rpc.calls import CallState, Context
from doorward_server.rpc.failures import defect, failure_of
from doorward_server.rpc.layers import Layer
from doorward_server.rpc.request_ids import REQUEST_ID_KEY
from doorward_server.services.ports import StorageUnavailableError

_log = logging.getLogger("doorward_server.rpc")

_CHATTY = "/grpc.health.v1."
"""Probes come every few seconds and say nothing to a person."""


Report = Callable[[CallState, str, float], None]
"""Is told of a call that has ended: its state, the name of its status code, and how many seconds it took."""


def reporting(*reports: Report) -> Layer:
    """The layer that tells each of *reports* how a call ended."""

    @asynccontextmanager
    async def layer(state: CallState, context: Context) -> AsyncIterator[None]:
        begin = time.monotonic()
        try:
            yield
        except asyncio.CancelledError:
            outcome = "DEADLINE_EXCEEDED" if context.time_remaining() == 0 else "CANCELLED"
            raise
        except BaseException:
            outcome = _code_name(context)
            raise
        else:
            outcome = "OK"
        finally:
            seconds = time.monotonic() - begin
            for report in reports:
                report(state, outcome, seconds)

    return layer


def log_call(state: CallState, outcome: str, seconds: float) -> None:
    """Log one line of a call. Metadata and messages, which hold secrets, are never looked at."""
    _log.log(
        logging.DEBUG if state.method.startswith(_CHATTY) else logging.INFO,
        "%s %s %.1f ms token=%s request=%s",
        quoted(state.method)[1:-1],
        outcome,
        seconds * 1000,
        "-" if state.call is None else state.call.actor,
        state.request_id,
    )


@asynccontextmanager
async def answer_errors(state: CallState, context: Context) -> AsyncIterator[None]:
    """Tell the caller what went wrong; of a defect only that there is one."""
    try:
        yield
    except grpc.aio.AbortError:
        raise
    except grpc.aio.InternalError:
        raise _hung_up() from None
    except Exception as error:  # noqa: BLE001 - the last resort: nothing of it may reach the caller
        failure = failure_of(error, request_id=state.request_id)
        if failure is None:
            _log.exception("%s failed: request=%s", state.name, state.request_id)
            failure = defect(request_id=state.request_id)
        elif isinstance(error, StorageUnavailableError):
            _log.warning("%s: %s: request=%s", state.name, error, state.request_id)
        status = failure.status()
        metadata = [*status.trailing_metadata, (REQUEST_ID_KEY, state.request_id)]
        if failure.challenge is not None:
            metadata.append(("www-authenticate", failure.challenge))
        # Without initial metadata before it, this is one frame of headers (Trailers-Only), from which Envoy
        # takes the status of a REST answer, of a stream as well, and the rest as its headers.
        try:
            await context.abort(status.code, status.details, tuple(metadata))
        except grpc.aio.InternalError:
            raise _hung_up() from None


def _hung_up() -> asyncio.CancelledError:
    """What to raise when gRPC cannot send: the caller has gone, which is no defect and fills no log."""
    return asyncio.CancelledError()


def _code_name(context: Context) -> str:
    code = context.code()
    for each in grpc.StatusCode:
        if code in (each, each.value[0]):
            return each.name
    return str(code)

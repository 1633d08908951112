"""From a handler to what every engine serves: bytes in, bytes or a refusal out, never an exception."""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc

from doorward_server.check.transports.contract import CHECK_METHOD, HEALTH_METHOD, Handler, Limits
from doorward_server.check.transports.health import Health, UnknownServiceError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call's end without an answer, and what the peer is told."""

    code: grpc.StatusCode
    message: str


Procedure = Callable[[bytes], bytes | Refusal]
"""One RPC. Never raises."""

INTERNAL = Refusal(code=grpc.StatusCode.INTERNAL, message="internal error")


def procedures(*, handler: Handler, health: Health, limits: Limits) -> Mapping[str, Procedure]:
    """Every method that a transport serves, by its path. Any other is UNIMPLEMENTED.

    Health's Watch is not among them: clients take UNIMPLEMENTED as "not offered", and Envoy polls with Check.
    """
    return {
        CHECK_METHOD: _guarded(handler, limits=limits),
        HEALTH_METHOD: _guarded(health.check, limits=limits),
    }


def _guarded(handler: Callable[[bytes], object], *, limits: Limits) -> Procedure:
    largest = limits.max_message_bytes
    oversized = Refusal(
        code=grpc.StatusCode.RESOURCE_EXHAUSTED, message=f"the message is larger than {largest} bytes"
    )

    def call(payload: bytes) -> bytes | Refusal:
        if len(payload) > largest:
            return oversized
        try:
            answer = handler(payload)
        except UnknownServiceError:
            return Refusal(code=grpc.StatusCode.NOT_FOUND, message="unknown service")
        except BaseException as fault:  # noqa: BLE001 -- a SystemExit would end the thread that serves everyone
            _report(fault)
            return INTERNAL
        if not isinstance(answer, bytes):
            _log.error("The handler of a call returned %s, not bytes", type(answer).__name__)
            return INTERNAL
        return answer

    return call


def _report(fault: BaseException) -> None:
    # Where, never what: the text of an exception may quote the request, and requests hold credentials.
    frames = "".join(traceback.format_list(traceback.extract_tb(fault.__traceback__)))
    _log.error("The handler of a call raised %s at\n%s", type(fault).__qualname__, frames.rstrip())

"""What is known of the call that is being answered."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from doorward_server.services.calls import Call

_CALL: Final[ContextVar[Call]] = ContextVar("doorward_call")

Context = grpc.aio.ServicerContext[Any, Any]
"""gRPC's own view of a call."""


@dataclass(slots=True, kw_only=True)
class CallState:
    """One call, from its arrival to its answer."""

    method: str
    """In full, such as `/doorward.v1.AppService/GetApp`."""
    streaming: bool
    """Whether it is answered with a stream, which may stay open for long."""
    request_id: str
    call: Call | None = None
    """Once the caller is known and has the role for it."""
    initial_metadata: list[tuple[str, str]] = field(default_factory=list)
    """Goes out with the first answer; Envoy makes headers of it for REST."""
    _sent: bool = False

    @property
    def name(self) -> str:
        """The name of the RPC."""
        return self.method.rpartition("/")[2]

    async def send_initial_metadata(self, context: Context) -> None:
        """Send the initial metadata, unless that was done."""
        if not self._sent:
            self._sent = True
            await context.send_initial_metadata(tuple(self.initial_metadata))


_STATE: Final[ContextVar[CallState]] = ContextVar("doorward_call_state")


def enter(state: CallState) -> None:
    """Make *state* that of the running code. gRPC gives each call a context of its own."""
    _STATE.set(state)


def authorized(call: Call) -> None:
    """Note that the caller is known and has the role."""
    _STATE.get().call = call
    _CALL.set(call)


def current_call() -> Call:
    """The call that the running servicer answers. Raises `LookupError` when nobody has authorized it."""
    return _CALL.get()


def answer_with(key: str, value: str) -> None:
    """Send metadata ahead of the answer."""
    _STATE.get().initial_metadata.append((key, value))

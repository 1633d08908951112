"""What both kinds of client share: how one is made, and what it is asked that is no part's."""

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar

from doorward._channel import TLS, Dial, Options, dial
from doorward._connection import Connected
from doorward._credential import AsyncTokenSource, Credential
from doorward._described import call
from doorward._environment import find_connection
from doorward._operations import Operation, Part, operation
from doorward._target import parse_target
from doorward._timeouts import CALL_SECONDS, ENFORCEMENT_SECONDS, Timeout, Timeouts, timeouts
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import WhoAmIRequest
from doorward.v1.token_service_pb2_grpc import TokenServiceStub

Source = TypeVar("Source", bound=Callable[[], Any])


class ClientBase(Part, ABC, Generic[Source]):
    """A client of one api. *Source* is what may give it a token for each attempt."""

    def __init__(
        self,
        address: str,
        *,
        token: str | Source | None = None,
        tls: TLS | None = None,
        insecure: bool = False,
        timeout: float | timedelta = CALL_SECONDS,
        enforcement_timeout: float | timedelta = ENFORCEMENT_SECONDS,
        options: Options | None = None,
    ) -> None:
        """Make a client of the api at *address*: `host:port`, `[IPv6]:port` or `unix:/path`.

        *token* is a secret, or a function that is asked for one before each attempt of each call, for secrets
        that change while the program runs; that of an `AsyncClient` may be a coroutine function.

        The connection is encrypted, except to a loopback address or a Unix socket without *tls*; *insecure*
        allows plain text elsewhere, which shows the token to everybody on the way. It is made at the first
        call. *timeout* is for each call with its repeats, *enforcement_timeout* for those that narrow access
        (update, stop and delete an app; update, regenerate and delete a token; end a session), which may wait
        for the server's policy lease. *options* are settings of gRPC's channel, such as
        `{"grpc.keepalive_time_ms": 60_000}`. Raises `ConfigurationError` for what cannot work.
        """
        target = parse_target(address)
        limits = timeouts(timeout, enforcement_timeout)
        source: str | AsyncTokenSource | None = token
        credential = Credential(source)
        self._connect(
            dial(target, tls=tls, insecure=insecure, options=options),
            address=str(target),
            credential=credential,
            timeouts=limits,
        )

    @classmethod
    def from_env(
        cls,
        *,
        profile: str | None = None,
        tls: TLS | None = None,
        insecure: bool = False,
        timeout: float | timedelta = CALL_SECONDS,
        enforcement_timeout: float | timedelta = ENFORCEMENT_SECONDS,
        options: Options | None = None,
    ) -> Self:
        """Make a client of what `DOORWARD_ADDRESS`, `DOORWARD_TOKEN` and `DOORWARD_CA_FILE` say.

        What they do not say comes from the profile that `DOORWARD_PROFILE` names; else from the files that
        `doorward up` leaves in `DOORWARD_HOME` (`.doorward` in the current folder by default); else from the
        current profile. A *profile* that is given goes before all of them. A token that is kept for one api
        is used for that api alone. Raises `ConfigurationError`.
        """
        found = find_connection(os.environ, profile=profile)
        if tls is None and not insecure and found.ca_file is not None:
            tls = TLS(ca_file=found.ca_file)
        return cls(
            found.address,
            token=found.token,
            tls=tls,
            insecure=insecure or (found.insecure and tls is None),
            timeout=timeout,
            enforcement_timeout=enforcement_timeout,
            options=options,
        )

    @operation
    def whoami(self, *, timeout: Timeout = None) -> Operation[Token]:
        """Return the token that this client uses, without its secret."""
        stub = self._calls.stub(TokenServiceStub)
        return call(stub.WhoAmI, WhoAmIRequest(), timeout, answer=lambda answer: answer.token)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._calls.address}>"

    def __del__(self) -> None:
        calls: Connected | None = getattr(
            self, "_calls", None
        )  # not there when __init__ refused its arguments
        if calls is not None and not calls.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._abandon()

    @abstractmethod
    def _connect(self, dial: Dial, *, address: str, credential: Credential, timeouts: Timeouts) -> None:
        """Make the calls and the parts of this kind of client."""

    @abstractmethod
    def _abandon(self) -> None:
        """Let go of a connection that nobody has closed."""

"""The blocking client."""

import os
import warnings
from datetime import timedelta
from types import TracebackType
from typing import Self

from doorward._apps import Apps
from doorward._audit import Audit
from doorward._calls import Calls
from doorward._channel import TLS, open_channel
from doorward._credential import Credential
from doorward._environment import find_connection
from doorward._replicas import Replicas
from doorward._sessions import Sessions
from doorward._target import parse_target
from doorward._timeouts import Timeout, timeouts
from doorward._tokens import Tokens
from doorward.v1.token_pb2 import Token
from doorward.v1.token_service_pb2 import WhoAmIRequest
from doorward.v1.token_service_pb2_grpc import TokenServiceStub

CALL_SECONDS = 30.0
"""How long a call may take by default."""

ENFORCEMENT_SECONDS = 60.0
"""How long a call that narrows access may take by default: the server's default lease, and as long again."""


class Client:
    """A client of one api, safe to use from several threads.

    Close it, or use it in a `with` block; one that is left open warns (`ResourceWarning`).
    """

    apps: Apps
    """What runs, and under which labels."""
    tokens: Tokens
    """Who may use it."""
    sessions: Sessions
    """Access of a browser, by this client's own token."""
    audit: Audit
    """Who did what."""
    replicas: Replicas
    """How current each check replica is."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        tls: TLS | None = None,
        insecure: bool = False,
        timeout: float | timedelta = CALL_SECONDS,
        enforcement_timeout: float | timedelta = ENFORCEMENT_SECONDS,
    ) -> None:
        """Make a client of the api at *address*: `host:port`, `[IPv6]:port` or `unix:/path`.

        The connection is encrypted, except to a loopback address or a Unix socket without *tls*; *insecure*
        allows plain text elsewhere, which shows the token to everybody on the way. It is made at the first
        call. *timeout* is for each call, *enforcement_timeout* for those that narrow access (update, stop and
        delete an app; update, regenerate and delete a token), which may wait for the server's policy lease.
        Raises `ConfigurationError` for what cannot work.
        """
        target = parse_target(address)
        credential = Credential(token)
        limits = timeouts(timeout, enforcement_timeout)
        channel = open_channel(target, tls=tls, insecure=insecure)
        self._calls = Calls(channel, address=str(target), credential=credential, timeouts=limits)
        self._stub = TokenServiceStub(channel)
        self.apps = Apps(self._calls)
        self.tokens = Tokens(self._calls)
        self.sessions = Sessions(self._calls)
        self.audit = Audit(self._calls)
        self.replicas = Replicas(self._calls)

    @classmethod
    def from_env(
        cls,
        *,
        tls: TLS | None = None,
        insecure: bool = False,
        timeout: float | timedelta = CALL_SECONDS,
        enforcement_timeout: float | timedelta = ENFORCEMENT_SECONDS,
    ) -> Self:
        """Make a client of what `DOORWARD_ADDRESS`, `DOORWARD_TOKEN` and `DOORWARD_CA_FILE` say.

        What they do not say comes from the profile that `DOORWARD_PROFILE` names; else from the files that
        `doorward up` leaves in `DOORWARD_HOME` (`.doorward` in the current folder by default); else from the
        current profile. A token that is kept for one api is used for that api alone.
        """
        connection = find_connection(os.environ)
        if tls is None and not insecure and connection.ca_file is not None:
            tls = TLS(ca_file=connection.ca_file)
        return cls(
            connection.address,
            token=connection.token,
            tls=tls,
            insecure=insecure or (connection.insecure and tls is None),
            timeout=timeout,
            enforcement_timeout=enforcement_timeout,
        )

    def whoami(self, *, timeout: Timeout = None) -> Token:
        """Return the token that this client uses, without its secret."""
        return self._calls.unary(self._stub.WhoAmI, WhoAmIRequest(), timeout).token

    def close(self) -> None:
        """End what runs and close the connection. May be repeated; calls after it raise `RuntimeError`."""
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._calls.address}>"

    def __del__(self) -> None:
        calls = getattr(self, "_calls", None)  # not there when __init__ refused its arguments
        if calls is not None and not calls.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            calls.close()

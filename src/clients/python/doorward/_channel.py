"""The connection to the api: encrypted unless it stays on this machine, or is asked not to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

import grpc
import grpc.aio

from doorward._exceptions import ConfigurationError
from doorward._target import Target

Options: TypeAlias = Mapping[str, str | int]
"""Settings of a channel, by the names that gRPC's core has for them."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest answer that is taken: a page of 1000 apps with all the labels they may have fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """How the api's certificate is checked. The defaults are right for one from a public authority."""

    ca_file: str | Path | None = None
    """A PEM file with the authorities to trust, instead of those gRPC trusts by default."""
    server_name: str | None = None
    """The name that the certificate must have, when it is not the host of the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A channel that is yet to be opened, in either way. It connects when it is first used."""

    uri: str
    credentials: grpc.ChannelCredentials | None = field(repr=False)
    """What the api's certificate is checked with; None for plain text."""
    options: Options

    def open(self) -> grpc.Channel:
        """Return a channel for blocking calls."""
        options = list(self.options.items())
        if self.credentials is None:
            return grpc.insecure_channel(self.uri, options=options)
        return grpc.secure_channel(self.uri, self.credentials, options=options)

    def open_async(self) -> grpc.aio.Channel:
        """Return a channel for calls on the running event loop."""
        options = list(self.options.items())
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.uri, options=options)
        return grpc.aio.secure_channel(self.uri, self.credentials, options=options)


def dial(target: Target, *, tls: TLS | None, insecure: bool, options: Options | None = None) -> Dial:
    """Return how to reach *target*; *options* go before the client's own.

    Plain text is for targets on this machine, or *insecure*; *tls* asks for encryption there too. Raises
    `ConfigurationError` for settings that contradict each other and for a file that cannot be read.
    """
    if tls and insecure:
        raise ConfigurationError("tls and insecure contradict each other: give one of them")
    given = options or {}
    if tls is None and (insecure or target.local):
        # Without encryption a proxy from the environment would read the token.
        settings: Options = {**default_options(), "grpc.enable_http_proxy": 0, **given}
        return Dial(uri=target.uri, credentials=None, options=settings)
    tls = tls or TLS()
    named: Options = {"grpc.ssl_target_name_override": tls.server_name} if tls.server_name else {}
    settings = {**default_options(), **named, **given}
    return Dial(uri=target.uri, credentials=credentials(tls), options=settings)


def credentials(tls: TLS) -> grpc.ChannelCredentials:
    """Return what gRPC checks the api's certificate with."""
    if tls.ca_file is None:
        return grpc.ssl_channel_credentials()
    try:
        roots = Path(tls.ca_file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"CA file {tls.ca_file}: {error.strerror}") from error
    if b"-----BEGIN CERTIFICATE-----" not in roots:
        raise ConfigurationError(f"CA file {tls.ca_file}: no PEM certificate in it")
    return grpc.ssl_channel_credentials(roots)


def default_options() -> Options:
    """Return the settings of every channel."""
    return {
        "grpc.primary_user_agent": f"doorward-python/{metadata.version('doorward')}",
        "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
        # The client repeats calls itself, see `doorward._retries`.
        "grpc.enable_retries": 0,
        # Try a restarting api again soon: gRPC's own second would use up the repeats of a call.
        "grpc.initial_reconnect_backoff_ms": 100,
        # A stream may be silent for hours; find out when its other end is gone. Servers take pings that are
        # more frequent than every five minutes for an attack (gRFC A8).
        "grpc.keepalive_time_ms": 310_000,
        "grpc.keepalive_timeout_ms": 20_000,
    }

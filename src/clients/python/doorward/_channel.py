"""The connection to the api: encrypted unless it stays on this machine, or is asked not to be."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import grpc

from doorward._exceptions import ConfigurationError
from doorward._target import Target

Options = list[tuple[str, str | int]]

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""The largest answer that is taken: a page of 1000 apps with all the labels they may have fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """How the api's certificate is checked. The defaults are right for one from a public authority."""

    ca_file: str | Path | None = None
    """A PEM file with the authorities to trust, instead of those gRPC trusts by default."""
    server_name: str | None = None
    """The name that the certificate must have, when it is not the host of the address."""


def open_channel(target: Target, *, tls: TLS | None, insecure: bool) -> grpc.Channel:
    """Return a channel to *target*, which connects when it is first used.

    Plain text is for targets on this machine, or *insecure*; *tls* asks for encryption there too. Raises
    `ConfigurationError` for settings that contradict each other and for a file that cannot be read.
    """
    if tls and insecure:
        raise ConfigurationError("tls and insecure contradict each other: give one of them")
    if tls is None and (insecure or target.local):
        # Without encryption a proxy from the environment would read the token.
        return grpc.insecure_channel(target.uri, options=[*options(), ("grpc.enable_http_proxy", 0)])
    tls = tls or TLS()
    named: Options = [("grpc.ssl_target_name_override", tls.server_name)] if tls.server_name else []
    return grpc.secure_channel(target.uri, credentials(tls), options=[*options(), *named])


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


def options() -> Options:
    """Return the settings of every channel."""
    return [
        ("grpc.primary_user_agent", f"doorward-python/{metadata.version('doorward')}"),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        # The client repeats calls itself, see `doorward._retries`.
        ("grpc.enable_retries", 0),
        # Try a restarting api again soon: gRPC's own second would use up the repeats of a call.
        ("grpc.initial_reconnect_backoff_ms", 100),
        # A stream may be silent for hours; find out when its other end is gone. Servers take pings that are
        # more frequent than every five minutes for an attack (gRFC A8).
        ("grpc.keepalive_time_ms", 310_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]

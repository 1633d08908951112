"""What an app runs: short ways to write an `AppSpec`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from doorward._conversions import access as access_value
from doorward._conversions import duration
from doorward.v1.app_pb2 import Access, AppSpec, ExternalSource, ProcessSource, Readiness


def external(
    address: str,
    *,
    access: Access.ValueType | str = Access.ACCESS_TOKEN_REQUIRED,
    operator_paths: Sequence[str] = (),
    readiness: Readiness | None = None,
    cors_preflight: bool = False,
) -> AppSpec:
    """Return the spec of a service that runs already, at *address*: `host:port` or `[IPv6]:port`."""
    return AppSpec(
        external=ExternalSource(address=address),
        access=access_value(access),
        operator_paths=operator_paths,
        readiness=readiness,
        cors_preflight=cors_preflight,
    )


def process(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    working_dir: str = "",
    access: Access.ValueType | str = Access.ACCESS_TOKEN_REQUIRED,
    operator_paths: Sequence[str] = (),
    readiness: Readiness | None = None,
    cors_preflight: bool = False,
) -> AppSpec:
    """Return the spec of a local process that the server starts: a program and its arguments, and no shell.

    It is told where to listen by `PORT` in its environment, and by `{port}` in its arguments.
    """
    if isinstance(command, str):
        raise TypeError("command: expected a sequence of arguments, not one string: no shell splits it")
    return AppSpec(
        process=ProcessSource(command=command, env=env, working_dir=working_dir),
        access=access_value(access),
        operator_paths=operator_paths,
        readiness=readiness,
        cors_preflight=cors_preflight,
    )


def readiness(path: str = "", *, period: timedelta | None = None, failure_threshold: int = 0) -> Readiness:
    """Return how the server finds out that an app is ready: by GET *path*, or by a TCP connection.

    *period* is 0.1 to 60 s, one second by default; *failure_threshold* 1 to 20, three by default.
    """
    return Readiness(
        path=path,
        period=None if period is None else duration(period),
        failure_threshold=failure_threshold,
    )

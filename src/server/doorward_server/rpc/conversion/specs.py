"""What is run and how it may be used, as requests say it."""

from collections.abc import Sequence

from doorward.v1 import app_pb2
from doorward_server.domain.apps import (
    Access,
    AppSpec,
    ExternalSource,
    ProcessSource,
    Readiness,
    Source,
    parse_address,
)
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.paths import MAX_OPERATOR_PATHS, parse_operator_path
from doorward_server.domain.processes import (
    parse_command,
    parse_environment,
    parse_failure_threshold,
    parse_probe_path,
    parse_probe_period,
    parse_working_dir,
)
from doorward_server.domain.quoting import quoted
from doorward_server.rpc.conversion.enums import ACCESSES
from doorward_server.rpc.conversion.fields import Fields
from doorward_server.rpc.conversion.times import parse_duration

SPEC = "app.spec"
"""The path of a spec in every request that has one."""


def take_spec(fields: Fields, spec: app_pb2.AppSpec) -> AppSpec:
    """Parse a whole spec: what is not set has its default."""
    return AppSpec(
        source=take_source(fields, spec),
        access=take_access(fields, spec),
        operator_paths=take_operator_paths(fields, spec),
        readiness=take_readiness(fields, spec),
        cors_preflight=spec.cors_preflight,
    )


def take_source(fields: Fields, spec: app_pb2.AppSpec) -> Source:
    """Parse where the app comes from, which must be set."""
    match spec.WhichOneof("source"):
        case "external":
            path = f"{SPEC}.external.address"
            return ExternalSource(address=fields.take(path, parse_address, spec.external.address))
        case "process":
            path, process = f"{SPEC}.process", spec.process
            return ProcessSource(
                command=fields.take(f"{path}.command", parse_command, process.command),
                env=fields.take(f"{path}.env", parse_environment, process.env),
                working_dir=fields.take_optional(
                    f"{path}.working_dir", parse_working_dir, process.working_dir
                ),
            )
        case _:
            return fields.refuse(SPEC, "must have a source: set external or process")


def take_access(fields: Fields, spec: app_pb2.AppSpec) -> Access:
    """Parse who may use the app."""
    if spec.access == app_pb2.ACCESS_UNSPECIFIED:
        return Access.TOKEN_REQUIRED
    return fields.take(f"{SPEC}.access", ACCESSES.parse, spec.access)


def take_operator_paths(fields: Fields, spec: app_pb2.AppSpec) -> tuple[str, ...]:
    """Parse the paths that need OPERATOR; repeats are dropped."""
    return fields.take(f"{SPEC}.operator_paths", _parse_operator_paths, spec.operator_paths)


def take_readiness(fields: Fields, spec: app_pb2.AppSpec) -> Readiness:
    """Parse how readiness is probed."""
    path, readiness, default = f"{SPEC}.readiness", spec.readiness, Readiness()
    period, threshold = default.period, default.failure_threshold
    if readiness.HasField("period"):
        period = fields.take(
            f"{path}.period", lambda value: parse_probe_period(parse_duration(value)), readiness.period
        )
    if readiness.failure_threshold:
        threshold = fields.take(
            f"{path}.failure_threshold", parse_failure_threshold, readiness.failure_threshold
        )
    return Readiness(
        path=fields.take_optional(f"{path}.path", parse_probe_path, readiness.path),
        period=period,
        failure_threshold=threshold,
    )


def _parse_operator_paths(paths: Sequence[str]) -> tuple[str, ...]:
    if len(paths) > MAX_OPERATOR_PATHS:
        raise InvalidValueError(f"must have at most {MAX_OPERATOR_PATHS} paths, has {len(paths)}")
    for path in paths:
        try:
            parse_operator_path(path)
        except InvalidValueError as error:
            raise InvalidValueError(f"{quoted(path)}: {error}") from None
    return tuple(dict.fromkeys(paths))

"""What is compared of an app: what a document declares, as lines that can be set beside what there is."""

import ipaddress
import json
from collections.abc import Iterator

import doorward
from doorward._conversions import short_name
from doorward.v1.app_pb2 import Access, AppSpec

Lines = dict[str, str]
"""What is declared, by the path of its field, each on one line."""

_READINESS_SECONDS = 1.0
_READINESS_FAILURES = 3


def reserved_prefix(app: doorward.App) -> str:
    """Return the prefix of the platform's own labels, told by the label that has the app's id."""
    own = (
        key[: -len("id")] for key, value in app.labels.items() if value == app.app_id and key.endswith("/id")
    )
    return next((prefix for prefix in own if app.labels.get(f"{prefix}type") == "app"), "ovh/")


def declared_lines(app: doorward.App, *, reserved: str) -> Lines:
    """Return all that a document can say of an app, with the api's defaults where it says nothing.

    The values of environment variables are not in it: the api never answers them.
    """
    return dict(_lines(app, reserved))


def _lines(app: doorward.App, reserved: str) -> Iterator[tuple[str, str]]:
    yield "displayName", _text(app.display_name)
    for key, value in sorted(app.labels.items()):
        if not key.startswith(reserved):
            yield f"labels.{key}", _text(value)
    spec = app.spec
    yield from _source_lines(spec)
    yield "spec.access", short_name(Access, "ACCESS_", spec.access or Access.ACCESS_TOKEN_REQUIRED).lower()
    for path in dict.fromkeys(spec.operator_paths):
        yield f"spec.operatorPaths[{path}]", "yes"
    readiness = spec.readiness
    seconds = readiness.period.ToTimedelta().total_seconds() if readiness.HasField("period") else None
    yield "spec.readiness.path", _text(readiness.path)
    yield "spec.readiness.period", f"{_READINESS_SECONDS if seconds is None else seconds:g}s"
    yield "spec.readiness.failureThreshold", str(readiness.failure_threshold or _READINESS_FAILURES)
    yield "spec.corsPreflight", "yes" if spec.cors_preflight else "no"


def _source_lines(spec: AppSpec) -> Iterator[tuple[str, str]]:
    match spec.WhichOneof("source"):
        case "external":
            yield "spec.external.address", _text(_canonical(spec.external.address))
        case "process":
            yield "spec.process.command", json.dumps(list(spec.process.command), ensure_ascii=False)
            for name in sorted(spec.process.env):
                yield f"spec.process.env.{name}", "(hidden)"
            yield "spec.process.workingDir", _text(spec.process.working_dir)
        case _:  # an app that this token may not see more of
            return


def _canonical(address: str) -> str:
    """Return an address as the api answers it: host names in lower case, IPv6 in its shortest form."""
    host, _, port = address.rpartition(":")
    number = str(int(port)) if port.isascii() and port.isdigit() else port
    try:
        return f"[{ipaddress.IPv6Address(host.removeprefix('[').removesuffix(']'))}]:{number}"
    except ValueError:
        return f"{host.lower()}:{number}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)

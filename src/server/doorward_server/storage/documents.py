"""What is stored as JSON: the part of an app's spec that no decision needs, and the app's history.

A spec holds the values of a process's environment variables as they were given. They may be secrets: whoever
can read the database can read them, as the process can.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from doorward_server.domain.apps import (
    AppState,
    ExternalSource,
    ProcessSource,
    Readiness,
    Source,
    StateChange,
)
from doorward_server.domain.policy import Address
from doorward_server.storage.columns import storable
from doorward_server.storage.errors import SchemaMismatchError

SPEC_SCHEMA: Final = 1
"""The form in which specs are written. Every form that was ever written stays readable."""

_MICROSECOND: Final = timedelta(microseconds=1)


def dump_spec(source: Source, readiness: Readiness) -> dict[str, Any]:
    """The document of a source and its readiness."""
    return {
        "schema": SPEC_SCHEMA,
        "source": _dump_source(source),
        "readiness": {
            "path": readiness.path,
            "period_us": readiness.period // _MICROSECOND,
            "failure_threshold": readiness.failure_threshold,
        },
    }


def load_spec(document: Mapping[str, Any]) -> tuple[Source, Readiness]:
    """Read a document of `dump_spec`; raises `SchemaMismatchError` for one of a later version."""
    if document["schema"] != SPEC_SCHEMA:
        raise SchemaMismatchError("an app was stored by a newer version of Doorward")
    readiness = document["readiness"]
    return _load_source(document["source"]), Readiness(
        path=readiness["path"],
        period=readiness["period_us"] * _MICROSECOND,
        failure_threshold=readiness["failure_threshold"],
    )


def _dump_source(source: Source) -> dict[str, Any]:
    match source:
        case ExternalSource(address=address):
            return {"external": {"host": address.host, "port": address.port}}
        case ProcessSource():
            return {
                "process": {
                    "command": list(source.command),
                    "env": dict(source.env),
                    "working_dir": source.working_dir,
                }
            }


def _load_source(document: Mapping[str, Any]) -> Source:
    match document:
        case {"external": {"host": host, "port": port}}:
            return ExternalSource(address=Address(host=host, port=port))
        case {"process": {"command": command, "env": env, "working_dir": working_dir}}:
            return ProcessSource(command=tuple(command), env=env, working_dir=working_dir)
        case _:
            raise SchemaMismatchError(f"an app's source is stored in an unknown form: {', '.join(document)}")


def dump_history(history: Sequence[StateChange]) -> list[dict[str, str]]:
    """The document of an app's history."""
    return [
        {
            "state": each.state.value,
            "time": each.time.astimezone(UTC).isoformat(),
            "message": storable(each.message),
        }
        for each in history
    ]


def load_history(document: Sequence[Mapping[str, str]]) -> tuple[StateChange, ...]:
    """Read a document of `dump_history`."""
    return tuple(
        StateChange(
            state=AppState(each["state"]),
            time=datetime.fromisoformat(each["time"]),
            message=each["message"],
        )
        for each in document
    )

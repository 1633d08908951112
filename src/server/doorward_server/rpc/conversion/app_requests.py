"""Requests about apps."""

from dataclasses import dataclass

from doorward.v1 import app_pb2, app_service_pb2
from doorward_server.domain.apps import AppState
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import (
    AppId,
    RegionName,
    parse_app_id,
    parse_display_name,
    parse_request_id,
)
from doorward_server.domain.labels import Labels, parse_labels
from doorward_server.domain.selectors import Selector, parse_selector
from doorward_server.rpc.conversion.enums import APP_STATES
from doorward_server.rpc.conversion.fields import Fields
from doorward_server.rpc.conversion.masks import parse_mask
from doorward_server.rpc.conversion.regions import Regions
from doorward_server.rpc.conversion.specs import (
    SPEC,
    take_access,
    take_operator_paths,
    take_readiness,
    take_source,
    take_spec,
)
from doorward_server.services.app_service import AppChanges, NewApp

DEFAULT_TAIL_LINES = 100
MAX_TAIL_LINES = 10_000
_SPEC_FIELDS = ("external", "process", "access", "operator_paths", "readiness", "cors_preflight")
_MUTABLE = ("display_name", "labels", "spec", *(f"spec.{name}" for name in _SPEC_FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppQuery:
    """Which apps to list."""

    region: RegionName | None
    states: frozenset[AppState]
    selector: Selector


class AppRequests:
    """Parses requests about apps. Every method raises `InvalidFieldsError`, with all that is wrong."""

    def __init__(self, *, regions: Regions, reserved_prefix: str) -> None:
        self._regions = regions
        self._reserved_prefix = reserved_prefix

    def create(self, request: app_service_pb2.CreateAppRequest) -> tuple[NewApp, str]:
        """The app to create, and the id that makes a repeat known."""
        fields, app = Fields(), request.app
        new = NewApp(
            display_name=fields.take("app.display_name", parse_display_name, app.display_name),
            region=fields.take("app.region", self._regions.parse, app.region),
            labels=self._labels(fields, app),
            spec=take_spec(fields, app.spec),
        )
        request_id = fields.take_optional("request_id", parse_request_id, request.request_id) or ""
        fields.check()
        return new, request_id

    def query(self, request: app_service_pb2.ListAppsRequest) -> AppQuery:
        """Which apps to list."""
        fields = Fields()
        query = AppQuery(
            region=fields.take_optional("region", self._regions.parse, request.region),
            states=frozenset(fields.take("states", APP_STATES.parse, state) for state in request.states),
            selector=fields.take("label_selector", parse_selector, request.label_selector),
        )
        fields.check()
        return query

    def update(self, request: app_service_pb2.UpdateAppRequest) -> tuple[AppId, AppChanges]:
        """Which app to change, and what of it."""
        fields, app = Fields(), request.app
        app_id = fields.take("app.app_id", parse_app_id, app.app_id)
        named = fields.take(
            "update_mask", lambda mask: parse_mask(mask, _MUTABLE, _populated(app)), request.update_mask
        )
        # Nothing is checked against a mask that cannot be understood.
        fields.check()
        changes = self._changes(fields, app, named)
        fields.check()
        return app_id, changes

    def _changes(self, fields: Fields, app: app_pb2.App, named: frozenset[str]) -> AppChanges:
        spec, whole = app.spec, "spec" in named

        def changed(*names: str) -> bool:
            return whole or any(f"spec.{name}" in named for name in names)

        for name in ("external", "process"):
            if not whole and f"spec.{name}" in named and spec.WhichOneof("source") != name:
                fields.refuse(f"{SPEC}.{name}", "is named by update_mask, and not set")
        return AppChanges(
            display_name=fields.take("app.display_name", parse_display_name, app.display_name)
            if "display_name" in named
            else None,
            labels=self._labels(fields, app) if "labels" in named else None,
            source=take_source(fields, spec) if changed("external", "process") else None,
            access=take_access(fields, spec) if changed("access") else None,
            operator_paths=take_operator_paths(fields, spec) if changed("operator_paths") else None,
            readiness=take_readiness(fields, spec) if changed("readiness") else None,
            cors_preflight=spec.cors_preflight if changed("cors_preflight") else None,
        )

    def _labels(self, fields: Fields, app: app_pb2.App) -> Labels:
        return fields.take(
            "app.labels",
            lambda labels: parse_labels(labels, reserved_prefix=self._reserved_prefix),
            app.labels,
        )


def parse_app_path(app_id: str) -> AppId:
    """The app that a request names in `app_id`; raises `InvalidFieldsError`."""
    fields = Fields()
    parsed = fields.take("app_id", parse_app_id, app_id)
    fields.check()
    return parsed


def parse_logs(request: app_service_pb2.ReadAppLogsRequest) -> tuple[AppId, int | None]:
    """The app, and how many lines to begin with, all for None; raises `InvalidFieldsError`."""
    fields = Fields()
    app_id = fields.take("app_id", parse_app_id, request.app_id)
    tail = fields.take("tail_lines", _parse_tail, request.tail_lines)
    fields.check()
    return app_id, tail


def _parse_tail(lines: int) -> int | None:
    if lines == -1:
        return None
    if not 0 <= lines <= MAX_TAIL_LINES:
        raise InvalidValueError(f"must be between 1 and {MAX_TAIL_LINES}, or -1 for all that are kept")
    return lines or DEFAULT_TAIL_LINES


def _populated(app: app_pb2.App) -> list[str]:
    """The fields that have a value, of the spec each by itself: a mask names no more than is there."""
    names = [name for name in ("display_name", "labels") if getattr(app, name)]
    spec = app.spec
    if (source := spec.WhichOneof("source")) is not None:
        names.append(f"spec.{source}")
    if spec.HasField("readiness"):
        names.append("spec.readiness")
    names += [
        f"spec.{name}" for name in ("access", "operator_paths", "cors_preflight") if getattr(spec, name)
    ]
    return names

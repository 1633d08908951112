"""Apps as callers see them."""

from collections.abc import Callable

from google.protobuf.duration_pb2 import Duration

from doorward.v1 import app_pb2, app_service_pb2
from doorward_server.domain.apps import App, AppSpec, ExternalSource, ProcessSource, Readiness
from doorward_server.domain.roles import Role
from doorward_server.rpc.conversion.enums import ACCESSES, APP_STATES, LOG_STREAMS
from doorward_server.rpc.conversion.times import timestamp
from doorward_server.services.etags import etag_of
from doorward_server.services.runtime import LogLine

AppUrl = Callable[[App], str]
"""The address of an app for those who have a token; empty when there is none."""


class AppAnswers:
    """Writes apps for callers."""

    def __init__(self, url: AppUrl) -> None:
        self._url = url

    def app(self, app: App, viewer: Role) -> app_pb2.App:
        """An app, with what the viewer may see of its spec."""
        return app_pb2.App(
            app_id=app.app_id,
            display_name=app.display_name,
            region=app.region,
            labels=app.labels,
            spec=_whole_spec(app.spec) if viewer >= Role.OPERATOR else _access_alone(app.spec),
            status=self.status(app),
            create_time=timestamp(app.create_time),
            update_time=timestamp(app.update_time),
            etag=etag_of(app.app_id, app.version),
        )

    def status(self, app: App) -> app_pb2.AppStatus:
        """What an app is doing now. The address that it listens on is nobody's business."""
        status = app.status
        return app_pb2.AppStatus(
            state=APP_STATES.message(status.state),
            url=self._url(app),
            message=status.message,
            history=[
                app_pb2.AppStateChange(
                    state=APP_STATES.message(change.state),
                    time=timestamp(change.time),
                    message=change.message,
                )
                for change in status.history
            ],
        )


def log_line(line: LogLine) -> app_service_pb2.ReadAppLogsResponse:
    """One line of a log."""
    return app_service_pb2.ReadAppLogsResponse(
        time=timestamp(line.time), stream=LOG_STREAMS.message(line.stream), line=line.text
    )


def _access_alone(spec: AppSpec) -> app_pb2.AppSpec:
    return app_pb2.AppSpec(access=ACCESSES.message(spec.access))


def _whole_spec(spec: AppSpec) -> app_pb2.AppSpec:
    return app_pb2.AppSpec(
        external=_external(spec.source) if isinstance(spec.source, ExternalSource) else None,
        process=_process(spec.source) if isinstance(spec.source, ProcessSource) else None,
        access=ACCESSES.message(spec.access),
        operator_paths=spec.operator_paths,
        readiness=_readiness(spec.readiness),
        cors_preflight=spec.cors_preflight,
    )


def _external(source: ExternalSource) -> app_pb2.ExternalSource:
    host = source.address.host
    bracketed = f"[{host}]" if ":" in host else host
    return app_pb2.ExternalSource(address=f"{bracketed}:{source.address.port}")


def _process(source: ProcessSource) -> app_pb2.ProcessSource:
    return app_pb2.ProcessSource(
        command=source.command,
        # Names alone: values may be secrets, and are shown to nobody.
        env=dict.fromkeys(source.env, ""),
        working_dir=source.working_dir or "",
    )


def _readiness(readiness: Readiness) -> app_pb2.Readiness:
    period = Duration()
    period.FromTimedelta(readiness.period)
    return app_pb2.Readiness(
        path=readiness.path or "", period=period, failure_threshold=readiness.failure_threshold
    )

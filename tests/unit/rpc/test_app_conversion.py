"""Apps between messages and the domain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from doorward.v1 import app_pb2, app_service_pb2
from doorward_server.domain.apps import (
    Access,
    App,
    AppSpec,
    AppState,
    AppStatus,
    ExternalSource,
    ProcessSource,
    Readiness,
    Source,
)
from doorward_server.domain.errors import InvalidFieldsError
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.domain.policy import Address
from doorward_server.domain.roles import Role
from doorward_server.rpc.conversion.app_answers import AppAnswers
from doorward_server.rpc.conversion.app_requests import AppRequests
from doorward_server.rpc.conversion.regions import Regions
from doorward_server.rpc.urls import AppUrls
from doorward_server.services.app_service import AppChanges

REQUESTS = AppRequests(regions=Regions(["GRA", "BHS"]), reserved_prefix="ovh/")
APP_ID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"
EXTERNAL = app_pb2.AppSpec(external=app_pb2.ExternalSource(address="db.internal:80"))
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def an_app(source: Source, *, region: str = "GRA") -> App:
    """An app with this source, and everything else set."""
    return App(
        app_id=AppId(APP_ID),
        display_name="hello",
        region=RegionName(region),
        labels={"group": "A"},
        spec=AppSpec(
            source=source,
            access=Access.PUBLIC,
            operator_paths=("/admin",),
            readiness=Readiness(path="/up", period=timedelta(seconds=0.5), failure_threshold=7),
            cors_preflight=True,
        ),
        status=AppStatus(state=AppState.QUEUED).entered(
            AppState.RUNNING, at=NOW, message="is up", address=Address(host="127.0.0.1", port=4242)
        ),
        create_time=NOW,
        update_time=NOW,
    )


def violations(call: Any, *arguments: Any) -> dict[str, str]:
    """What is wrong, field by field."""
    with pytest.raises(InvalidFieldsError) as refused:
        call(*arguments)
    return {each.field: each.description for each in refused.value.violations}


@pytest.mark.parametrize(
    "source",
    [
        ExternalSource(address=Address(host="db.internal", port=80)),
        ExternalSource(address=Address(host="fd00::1", port=65535)),
        ProcessSource(command=("serve", "{port}", ""), env={"A": ""}, working_dir="/srv"),
        ProcessSource(command=("serve",)),
    ],
)
def test_what_is_answered_can_be_sent_back(source: Source) -> None:
    """An app read by its operator and sent as a create means the same app."""
    app = an_app(source)
    message = AppAnswers(lambda _: "").app(app, Role.OPERATOR)
    new, request_id = REQUESTS.create(app_service_pb2.CreateAppRequest(app=message))
    assert (new.display_name, new.region, new.labels) == (app.display_name, app.region, app.labels)
    assert new.spec == app.spec
    assert request_id == ""


def test_where_an_app_listens_is_not_answered() -> None:
    """Nobody goes there but Envoy."""
    message = AppAnswers(lambda _: "").app(an_app(ProcessSource(command=("serve",))), Role.ADMIN)
    assert "4242" not in str(message)


@pytest.mark.parametrize(
    ("scheme", "port", "url"),
    [
        ("http", 8080, f"http://{APP_ID}.app.gra.localhost:8080"),
        ("http", 80, f"http://{APP_ID}.app.gra.localhost"),
        ("https", 443, f"https://{APP_ID}.app.gra.localhost"),
        ("https", 80, f"https://{APP_ID}.app.gra.localhost:80"),
    ],
)
def test_a_url_has_a_port_unless_it_is_the_usual_one(scheme: str, port: int, url: str) -> None:
    """As browsers write it."""
    urls = AppUrls({"GRA": "app.gra.localhost"}, scheme=scheme, port=port)
    source = ExternalSource(address=Address(host="x", port=1))
    assert urls(an_app(source)) == url
    assert urls(an_app(source, region="GONE")) == ""


@pytest.mark.parametrize(
    ("spec", "field", "rule"),
    [
        (app_pb2.AppSpec(), "app.spec", "external or process"),
        (app_pb2.AppSpec(external=app_pb2.ExternalSource()), "app.spec.external.address", "host:port"),
        (
            app_pb2.AppSpec(external=app_pb2.ExternalSource(address="169.254.169.254:80")),
            "app.spec.external.address",
            "link-local",
        ),
        (app_pb2.AppSpec(process=app_pb2.ProcessSource()), "app.spec.process.command", "the program"),
        (
            app_pb2.AppSpec(process=app_pb2.ProcessSource(command=["x"], env={"PORT": "1"})),
            "app.spec.process.env",
            "set by the server",
        ),
        (
            app_pb2.AppSpec(process=app_pb2.ProcessSource(command=["x"], working_dir="srv")),
            "app.spec.process.working_dir",
            "absolute",
        ),
        (app_pb2.AppSpec(access=7), "app.spec.access", "has no value 7: one of ACCESS_TOKEN_REQUIRED"),  # type: ignore[arg-type]  # of a later version
        (app_pb2.AppSpec(operator_paths=["/a", "b"]), "app.spec.operator_paths", "'b': must begin"),
        (app_pb2.AppSpec(operator_paths=["/"] * 33), "app.spec.operator_paths", "at most 32 paths, has 33"),
        (
            app_pb2.AppSpec(readiness=app_pb2.Readiness(path="up")),
            "app.spec.readiness.path",
            "must begin with",
        ),
        (
            app_pb2.AppSpec(readiness=app_pb2.Readiness(period=Duration())),
            "app.spec.readiness.period",
            "between 0.1 and 60 seconds",
        ),
        (
            app_pb2.AppSpec(readiness=app_pb2.Readiness(period=Duration(seconds=1, nanos=-1))),
            "app.spec.readiness.period",
            "same sign",
        ),
        (
            app_pb2.AppSpec(readiness=app_pb2.Readiness(failure_threshold=-1)),
            "app.spec.readiness.failure_threshold",
            "between 1 and 20",
        ),
    ],
)
def test_a_spec_that_breaks_a_rule_is_refused(spec: app_pb2.AppSpec, field: str, rule: str) -> None:
    """The field is named as the request has it, with the rule."""
    if spec.WhichOneof("source") is None and field != "app.spec":
        spec.MergeFrom(EXTERNAL)
    app = app_pb2.App(display_name="x", region="GRA", spec=spec)
    found = violations(REQUESTS.create, app_service_pb2.CreateAppRequest(app=app))
    assert set(found) == {field}
    assert rule in found[field]


def test_repeated_operator_paths_count_once() -> None:
    """In the order in which they were given."""
    spec = app_pb2.AppSpec(operator_paths=["/b", "/a", "/b"])
    spec.MergeFrom(EXTERNAL)
    app = app_pb2.App(display_name="x", region="GRA", spec=spec)
    new, _ = REQUESTS.create(app_service_pb2.CreateAppRequest(app=app))
    assert new.spec.operator_paths == ("/b", "/a")


def changes(mask: list[str], **fields: Any) -> AppChanges:
    """What an update with this mask changes."""
    request = app_service_pb2.UpdateAppRequest(
        app=app_pb2.App(app_id=APP_ID, **fields), update_mask=FieldMask(paths=mask)
    )
    return REQUESTS.update(request)[1]


def test_an_update_of_nothing_changes_nothing() -> None:
    """Neither a mask nor values: the app stays as it is."""
    assert changes([]) == AppChanges()
    assert changes([], spec=app_pb2.AppSpec()) == AppChanges()


def test_without_a_mask_each_set_field_of_the_spec_counts() -> None:
    """The others keep their values."""
    spec = app_pb2.AppSpec(access=app_pb2.ACCESS_PUBLIC, readiness=app_pb2.Readiness())
    assert changes([], spec=spec) == AppChanges(access=Access.PUBLIC, readiness=Readiness())


def test_a_whole_spec_has_defaults_where_it_is_not_set() -> None:
    """`spec` replaces all of it, and so does `*`, with the rest of the app."""
    whole = AppChanges(
        source=ExternalSource(address=Address(host="db.internal", port=80)),
        access=Access.TOKEN_REQUIRED,
        operator_paths=(),
        readiness=Readiness(),
        cors_preflight=False,
    )
    assert changes(["spec"], spec=EXTERNAL, display_name="x") == whole
    everything = changes(["*"], spec=EXTERNAL, display_name="x")
    assert (everything.display_name, everything.labels) == ("x", {})
    assert everything.source == whole.source


@pytest.mark.parametrize("name", ["cors_preflight", "access", "operator_paths", "readiness"])
def test_a_named_field_without_a_value_has_its_default(name: str) -> None:
    """And no other field changes."""
    default = AppSpec(source=ExternalSource(address=Address(host="x", port=1)))
    assert changes([f"spec.{name}"]) == AppChanges(**{name: getattr(default, name)})


def test_a_source_cannot_be_taken_away() -> None:
    """To name it without a value is refused, and so is a whole spec without one."""
    for mask, spec in (("spec.process", EXTERNAL), ("spec.external", app_pb2.AppSpec())):
        found = violations(changes_of, mask, spec)
        assert found[f"app.{mask}"] == "is named by update_mask, and not set"
    assert set(violations(changes_of, "spec", app_pb2.AppSpec())) == {"app.spec"}


def changes_of(mask: str, spec: app_pb2.AppSpec) -> AppChanges:
    """What an update of the spec changes."""
    return changes([mask], spec=spec)

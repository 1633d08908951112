"""What a form says about a new app, and which of its fields api's words are about."""

import re
from collections.abc import Mapping
from typing import Final

from doorward.v1.app_pb2 import (
    ACCESS_PUBLIC,
    ACCESS_TOKEN_REQUIRED,
    App,
    AppSpec,
    ExternalSource,
    ProcessSource,
    Readiness,
)
from doorward_server.web.console.apps import command
from doorward_server.web.console.apps.lines import LinesError, entries, pairs

DEFAULTS: Final = {
    "name": "",
    "region": "",
    "labels": "",
    "source": "external",
    "address": "",
    "command": "",
    "env": "",
    "working_dir": "",
    "access": "TOKEN_REQUIRED",
    "operator_paths": "",
    "readiness_path": "",
    "readiness_period": "",
    "readiness_threshold": "",
    "cors_preflight": "",
}
"""The fields of the form, as it is before anybody has typed."""

FIELDS: Final = {
    "app.display_name": "name",
    "app.region": "region",
    "app.labels": "labels",
    "app.spec": "source",
    "app.spec.external.address": "address",
    "app.spec.process.command": "command",
    "app.spec.process.env": "env",
    "app.spec.process.working_dir": "working_dir",
    "app.spec.access": "access",
    "app.spec.operator_paths": "operator_paths",
    "app.spec.readiness.path": "readiness_path",
    "app.spec.readiness.period": "readiness_period",
    "app.spec.readiness.failure_threshold": "readiness_threshold",
}
"""The form's field for each of the request's."""

# What is in bounds is for api to say; these are numbers that a request can hold.
_SECONDS: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,5}")


class FormError(Exception):
    """What cannot be put into a request, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class SpecForm:
    """Reads the fields; what api refuses is api's to say."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self._typed = typed
        self._errors: dict[str, str] = {}

    def app(self) -> App:
        """The app to create; raises `FormError`."""
        app = App(
            display_name=self._typed["name"].strip(),
            region=self._typed["region"],
            labels=self._pairs("labels", "key=value"),
            spec=self._spec(),
        )
        if self._errors:
            raise FormError(self._errors)
        return app

    def _spec(self) -> AppSpec:
        typed = self._typed
        spec = AppSpec(
            access=ACCESS_PUBLIC if typed["access"] == "PUBLIC" else ACCESS_TOKEN_REQUIRED,
            operator_paths=entries(typed["operator_paths"]),
            cors_preflight=bool(typed["cors_preflight"]),
        )
        if typed["source"] == "process":
            spec.process.CopyFrom(self._process())
        elif typed["source"] == "external":
            spec.external.CopyFrom(ExternalSource(address=typed["address"].strip()))
        if (readiness := self._readiness()) != Readiness():
            spec.readiness.CopyFrom(readiness)
        return spec

    def _process(self) -> ProcessSource:
        arguments: list[str] = []
        try:
            arguments = command.split(self._typed["command"])
        except command.CommandError as error:
            self._errors["command"] = str(error)
        return ProcessSource(
            command=arguments,
            env=self._pairs("env", "NAME=value"),
            working_dir=self._typed["working_dir"].strip(),
        )

    def _readiness(self) -> Readiness:
        readiness = Readiness(path=self._typed["readiness_path"].strip())
        if period := self._typed["readiness_period"].strip():
            if _SECONDS.fullmatch(period):
                readiness.period.FromMilliseconds(round(float(period) * 1000))
            else:
                self._errors["readiness_period"] = "Must be a number of seconds, such as 1 or 0.5."
        if threshold := self._typed["readiness_threshold"].strip():
            if _COUNT.fullmatch(threshold):
                readiness.failure_threshold = int(threshold)
            else:
                self._errors["readiness_threshold"] = "Must be a whole number, such as 3."
        return readiness

    def _pairs(self, name: str, form: str) -> dict[str, str]:
        try:
            return pairs(self._typed[name], form=form)
        except LinesError as error:
            self._errors[name] = str(error)
            return {}

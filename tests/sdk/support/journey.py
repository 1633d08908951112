"""Runs the cases of `tests/sdk/cases`, whose README says what a step may be."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.sdk.support.driver import Driver
from tests.sdk.support.matching import MismatchError, check, filled
from tests.sdk.support.scene import Scene

CASES = Path(__file__).resolve().parents[1] / "cases"
UNTIL_SECONDS = 30.0

_DONE_BY_DRIVERS = ("call", "all", "wait", "open", "next", "close", "encrypted")
_DONE_HERE = ("visit", "heard", "same")
_CLIENT = {"at": "api", "token": "${admin}", "timeout": None, "ca_file": None, "server_name": None}
_OUTCOMES = ("expect", "until", "error", "save")


@dataclass(frozen=True, slots=True)
class Case:
    """A journey."""

    name: str
    steps: list[dict[str, Any]]
    each: str | None = None
    """What the scene has a list of: the steps are taken for each of it."""
    grpc_only: bool = False
    """Whether it needs an api that speaks no gRPC-Web."""
    file: str = field(compare=False, default="")


def load() -> list[Case]:
    """Read the table."""
    return [
        Case(**{**each, "file": file.name})
        for file in sorted(CASES.glob("*.yaml"))
        for each in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def run(case: Case, driver: Driver, scene: Scene) -> None:
    """Take a case's steps. Raises `MismatchError`, which names the step."""
    for item in getattr(scene, case.each)() if case.each else [None]:
        values = {**scene.values(driver.language.user_agent), "each": item}
        journey = _Journey(driver, scene, values)
        for number, step in enumerate(case.steps, start=1):
            action, *_ = [key for key in step if key in (*_DONE_BY_DRIVERS, *_DONE_HERE)]
            try:
                journey.take(action, step)
            except AssertionError as error:
                what = f"{case.file}, {case.name!r}, step {number}, {action} {step[action]}"
                raise MismatchError(f"{driver.language.name}: {what}: {error}") from error


class _Journey:
    """What one case has come to know."""

    def __init__(self, driver: Driver, scene: Scene, values: dict[str, Any]) -> None:
        self._driver = driver
        self._scene = scene
        self._values = values

    def take(self, action: str, step: Mapping[str, Any]) -> None:
        """Take a step, and compare what came of it."""
        deadline = time.monotonic() + UNTIL_SECONDS
        while True:
            outcome = self._done(action, step)
            try:
                self._compare(step, outcome)
            except MismatchError:
                if "until" not in step or time.monotonic() > deadline or "error" in outcome:
                    raise
                time.sleep(0.05)
            else:
                break
        if "save" in step:
            self._values[step["save"]] = outcome["answer"]

    def _compare(self, step: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        if "error" in step:
            if "error" not in outcome:
                raise MismatchError(f"no error, but {outcome['answer']!r}")
            check(outcome["error"], filled(step["error"], self._values), "error")
        elif "error" in outcome:
            raise MismatchError(f"failed: {outcome['error']}")
        for key in ("expect", "until"):
            if key in step:
                check(outcome["answer"], filled(step[key], self._values))

    def _done(self, action: str, step: Mapping[str, Any]) -> dict[str, Any]:
        argument = filled(step[action], self._values)
        if action == "visit":
            return {"answer": self._visit(argument, filled(step.get("token"), self._values))}
        if action == "heard":
            return {"answer": self._scene.unsteady.api.heard(argument)}
        if action == "same":
            check(argument[0], argument[1])
            return {"answer": argument}
        rest = {
            key: filled(value, self._values)
            for key, value in step.items()
            if key not in (action, *_CLIENT, *_OUTCOMES)
        }
        return self._driver.ask({"do": action, action: argument, **rest, "client": self._client(step)})

    def _client(self, step: Mapping[str, Any]) -> dict[str, Any]:
        chosen = filled({key: step.get(key, default) for key, default in _CLIENT.items()}, self._values)
        place = chosen.pop("at")
        return {**chosen, "address": self._scene.address(place, web=self._driver.language.web)}

    def _visit(self, url: str, token: str | None) -> dict[str, Any]:
        parts = urlsplit(url)
        answer = self._scene.platform.visit(parts.netloc, parts.path or "/", token=token)
        return {"status": answer.status, "body": answer.body.decode()}


def selected(*, web: bool) -> list[Case]:
    """Return the cases that fit the protocol."""
    return [case for case in load() if not (web and case.grpc_only)]


def tabled(cases: list[Case]) -> pytest.MarkDecorator:
    """Make a test that takes a `case` one of each."""
    return pytest.mark.parametrize("case", cases, ids=[case.name.replace(" ", "-") for case in cases])

"""The table that all clients walk: what it covers, and that a client which does otherwise is found out."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support.api_calls import METHODS
from tests.sdk.support import driver
from tests.sdk.support.driver import Language
from tests.sdk.support.journey import Case, load, run
from tests.sdk.support.matching import MismatchError, check, filled
from tests.sdk.support.scene import Scene


def test_every_rpc_is_in_the_table() -> None:
    """A new RPC is walked in every language, or this fails."""
    steps = [step for case in load() for step in case.steps]
    used = {step[action] for step in steps for action in ("call", "all", "open") if action in step}
    assert used == set(METHODS)


def test_names_are_unique() -> None:
    """A failing case can be told by its name."""
    names = [case.name for case in load()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"a": 1}, {"a": 2}),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": None}),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}),
        (["x"], ["x", "y"]),
        (["x", "y"], ["x"]),
        ([], ["x"]),
        ("", "*"),
        (None, "*"),
        ("dx_1", "dw_*"),
        (False, True),
        ("text", {"a": "*"}),
    ],
)
def test_what_is_not_as_expected_is_found(answer: Any, expected: Any) -> None:
    """Each kind of difference is one."""
    with pytest.raises(MismatchError):
        check(answer, expected)


def test_what_is_as_expected_is_not_found() -> None:
    """What is not named is not looked at, and what ProtoJSON leaves out is empty."""
    check({"a": {"b": ["x", {"c": "dw_1"}]}, "d": 1}, {"a": {"b": ["*", {"c": "dw_*"}]}, "e": None, "f": ""})


def test_names_stand_for_what_was_answered() -> None:
    """Alone for the value itself, within a text for its text."""
    values = {"made": {"apps": [{"id": "x", "n": 3}]}}
    assert filled({"a": "${made.apps.0.n}", "b": ["is ${made.apps.0.id}"]}, values) == {"a": 3, "b": ["is x"]}
    with pytest.raises(MismatchError, match="no 'name'"):
        filled("${made.name}", values)


@pytest.mark.parametrize(
    ("said", "step", "message"),
    [
        (
            {"answer": {"token": {}}},
            {"expect": {"token": {"role": "ROLE_ADMIN"}}},
            "answer.token.role is None",
        ),
        ({"answer": {}}, {"error": {"code": "NOT_FOUND"}}, "no error"),
        ({"error": {"code": "INTERNAL"}}, {"error": {"code": "NOT_FOUND"}}, "error.code is 'INTERNAL'"),
        ({"error": {"code": "INTERNAL"}}, {}, "failed: "),
    ],
)
def test_a_client_that_does_otherwise_fails_the_case(
    said: dict[str, Any], step: dict[str, Any], message: str, stage: Scene, tmp_path: Path
) -> None:
    """The failure names the language, the case and the step."""
    program = tmp_path / "liar.py"
    program.write_text(f"import sys\nfor _ in sys.stdin:\n    print({json.dumps(said)!r}, flush=True)\n")
    liar = Language(name="Liar", command=[sys.executable, str(program)], folder=tmp_path, user_agent="liar")
    case = Case(name="a case", steps=[{"call": "WhoAmI", **step}], file="some.yaml")
    with driver.running(liar, {}) as running, pytest.raises(MismatchError) as caught:
        run(case, running, stage)
    assert "Liar: some.yaml, 'a case', step 1, call WhoAmI" in str(caught.value)
    assert message in str(caught.value)

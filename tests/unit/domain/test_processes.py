"""Commands, environments and probes as callers give them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.processes import (
    parse_command,
    parse_environment,
    parse_failure_threshold,
    parse_probe_path,
    parse_probe_period,
    parse_working_dir,
)


def test_a_command_is_taken_as_it_is() -> None:
    """Arguments keep their spaces, quotes and empty ones: no shell is involved."""
    command = ["python3", "-m", "http.server", "{port}", "a 'b' $c", ""]
    assert parse_command(command) == tuple(command)


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ([], "at least the program"),
        ([""], "the program must not be empty"),
        (["x"] * 65, "at most 64 arguments, has 65"),
        (["x", "y" * 4097], "argument 1 must have at most 4096 characters, has 4097"),
        (["x", "a\0b"], "argument 1 must not hold a NUL"),
    ],
)
def test_a_command_that_cannot_run_is_refused(command: list[str], rule: str) -> None:
    """Each limit of a command is named."""
    with pytest.raises(InvalidValueError, match=rule):
        parse_command(command)


def test_the_longest_command_is_taken() -> None:
    """The limits themselves are allowed."""
    assert len(parse_command(["x" * 4096] * 64)) == 64


def test_an_environment_is_taken_as_it_is() -> None:
    """Values may be anything, the empty text included."""
    given_ = {"_A1": "x=y\nz", "lower": "", "MODEL": "ü" * 32_000}
    assert parse_environment(given_) == given_


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Ä", "A=B", "A\0", "A\n", "A" * 257])
def test_a_name_that_is_no_variable_is_refused(name: str) -> None:
    """Names have the form that every shell and program reads alike."""
    with pytest.raises(InvalidValueError, match="must be a letter"):
        parse_environment({name: "x"})


@pytest.mark.parametrize(
    ("variables", "rule"),
    [
        ({"PORT": "80"}, "set by the server"),
        ({f"A{n}": "" for n in range(65)}, "at most 64 variables, has 65"),
        ({"A": "x" * 32_001}, "value of A must have at most 32000 characters, has 32001"),
        ({"A": "s3cret\0"}, "value of A must not hold a NUL"),
    ],
)
def test_an_environment_that_cannot_be_given_is_refused(variables: dict[str, str], rule: str) -> None:
    """Each limit of an environment is named."""
    with pytest.raises(InvalidValueError, match=rule):
        parse_environment(variables)


@given(value=st.text(min_size=8).map(lambda text: f"s3cret{text}\0"))
def test_values_are_never_repeated(value: str) -> None:
    """What is refused may be a secret, so the error holds nothing of it."""
    for parse in (lambda: parse_environment({"A": value}), lambda: parse_command(["x", value])):
        with pytest.raises(InvalidValueError) as refused:
            parse()
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", ".", "srv/app", "~/app", "/srv\0", "/" + "x" * 2048])
def test_a_working_dir_is_an_absolute_path(text: str) -> None:
    """Relative paths would depend on where the server was started."""
    with pytest.raises(InvalidValueError):
        parse_working_dir(text)
    assert parse_working_dir("/srv/app") == "/srv/app"


@pytest.mark.parametrize(
    "text", ["", "ready", "/a b", "/a\r\nX: y", "/#top", "/\x7f", "/é", "http://elsewhere/", "/" + "x" * 2048]
)
def test_a_probe_path_cannot_leave_the_request_line(text: str) -> None:
    """The path goes into a request as it is, so nothing in it may end the line."""
    with pytest.raises(InvalidValueError):
        parse_probe_path(text)


@pytest.mark.parametrize("text", ["/", "/healthz", "/v1/models?ready=1&x=%20", '/a"b~!'])
def test_a_probe_path_may_have_a_query(text: str) -> None:
    """Paths are taken as they are."""
    assert parse_probe_path(text) == text


@given(st.timedeltas())
def test_probe_periods_lie_between_a_tenth_of_a_second_and_a_minute(period: timedelta) -> None:
    """No app is probed more than ten times a second or less than once a minute."""
    if 0.1 <= period.total_seconds() <= 60:
        assert parse_probe_period(period) == period
    else:
        with pytest.raises(InvalidValueError, match=r"0\.1 and 60 seconds"):
            parse_probe_period(period)


@given(st.integers())
def test_failure_thresholds_are_1_to_20(count: int) -> None:
    """One failed probe may be enough, more than twenty are not waited for."""
    if count in range(1, 21):
        assert parse_failure_threshold(count) == count
    else:
        with pytest.raises(InvalidValueError, match="between 1 and 20"):
            parse_failure_threshold(count)

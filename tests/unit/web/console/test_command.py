"""Commands in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.web.console.apps.command import CommandError, joined, split


@given(st.lists(st.text()))
def test_what_is_joined_is_split_into_the_same(arguments: list[str]) -> None:
    """Whatever is in the arguments."""
    assert split(joined(arguments)) == arguments


@pytest.mark.parametrize(
    "line", ["python3 app.py --port {port}", "run --glob *.txt $HOME", "say 'two words' it\\'s", ""]
)
def test_no_more_is_quoted_than_has_to_be(line: str) -> None:
    """A placeholder stands as it was typed, and so does what only a shell would look at."""
    assert split(joined(split(line))) == split(line)
    if "'" not in line:
        assert joined(split(line)) == line


@pytest.mark.parametrize("line", ["'", 'a "b', "a\\"])
def test_what_is_not_closed_is_no_command(line: str) -> None:
    """And is told so."""
    with pytest.raises(CommandError, match="not closed"):
        split(line)

"""docs/reference/python.md has every public name, as the client itself describes it."""

import pytest

import doorward
import doorward.testing
from tests.unit.client.test_surface import METHODS
from tools.python_reference import PAGE, render

NAMES = [
    *doorward.__all__,
    *(name for name in doorward.testing.__all__ if name != "server"),
    *("doorward.testing.server", "doorward_server", "doorward_admin"),
    *("client.whoami", "client.metadata", "client.close", "client.channel", "Client.from_env"),
    *(f"client.{part}.{name}" for part, names in METHODS.items() for name in sorted(names)),
]


def test_the_page_is_what_the_client_says() -> None:
    """After a change of docstrings or signatures: `python -m tools.python_reference`."""
    assert PAGE.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there(name: str) -> None:
    """A name that programs may use is not left out."""
    said = PAGE.read_text(encoding="utf-8")
    assert f"`{name}`" in said or f"`doorward.{name}`" in said

"""Quoting: what an error shows of the text it refuses."""

import pytest

from doorward_server.domain.apps import parse_address
from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import parse_app_id, parse_display_name, parse_request_id, parse_token_id
from doorward_server.domain.labels import parse_labels
from doorward_server.domain.paths import parse_operator_path
from doorward_server.domain.quoting import quoted
from doorward_server.domain.selectors import parse_scope_selector

SECRET = mint_secret(mint_token_id()).reveal()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("group", "'group'"),
        ("a\nb\x1b[2J", r"'a\nb\x1b[2J'"),  # no line or terminal escape of a stranger in a log
        ("x" * 81, f"'{'x' * 80}...'"),
        (SECRET, "'dw_...'"),
        (f"see {SECRET}!", "'see dw_...!'"),
        ("x" * 40 + SECRET, f"'{'x' * 40}dw_...'"),  # taken out before it is shortened
        (SECRET[:-1], "'dw_...'"),  # a secret that was not copied whole
    ],
)
def test_hostile_text_is_shown_harmless(text: str, shown: str) -> None:
    """Quoted text is escaped, short, and holds nothing of a secret."""
    assert quoted(text) == shown


@pytest.mark.parametrize(
    "parse",
    [
        lambda text: parse_labels({"group": text}),
        lambda text: parse_labels({text: "A"}),
        lambda text: parse_scope_selector(text + "+"),
        lambda text: parse_scope_selector(f"group={text}"),
        lambda text: parse_scope_selector(f"group {text}"),
        lambda text: parse_address(f"{text}:80"),
        lambda text: parse_address(f"a..{text}:80"),
        parse_address,
        parse_operator_path,
        parse_app_id,
        parse_token_id,
        parse_request_id,
        parse_display_name,
    ],
)
def test_a_secret_in_a_wrong_field_is_not_repeated(parse: object) -> None:
    """Whoever pastes a token where something else is asked for does not find it in an error, or a log."""
    assert callable(parse)
    with pytest.raises(InvalidValueError) as refused:
        parse(SECRET)
    assert SECRET[16:40] not in f"{refused.value!r} {refused.value}"

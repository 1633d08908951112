"""Ids and names: parsed once at the edge, to one form."""

import pytest

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import parse_app_id, parse_display_name, parse_request_id, parse_token_id

UUID = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"

NO_UUIDS = [
    "",
    "hello",
    UUID[:-1],
    f"{UUID}0",
    f"{UUID}\n",
    f" {UUID}",
    # The rest are what `uuid.UUID` takes beside the form of RFC 9562 §4.
    f"{{{UUID}}}",
    f"urn:uuid:{UUID}",
    UUID.replace("-", ""),
    f"0x{UUID[2:]}",
    f"3_0{UUID[3:]}",
    f"٣{UUID[1:]}",
    "3f0c1c9e5d1f-4f3e-9d53-0a1e0f6f2b11-",
]


def test_ids_of_apps_have_one_form() -> None:
    """An app's id is the same in every case: host names are not case-sensitive."""
    assert parse_app_id(UUID.upper()) == parse_app_id(UUID) == UUID


@pytest.mark.parametrize("text", NO_UUIDS)
def test_an_app_id_is_a_uuid(text: str) -> None:
    """Everything but the usual form is refused, with an example of it."""
    with pytest.raises(InvalidValueError, match="must be a UUID such as"):
        parse_app_id(text)


@pytest.mark.parametrize("text", NO_UUIDS)
def test_a_request_id_is_a_uuid(text: str) -> None:
    """AIP-155 asks for a UUID; two spellings of one must not count as two requests, nor two as one."""
    assert parse_request_id(UUID.upper()) == UUID
    with pytest.raises(InvalidValueError, match="must be a UUID such as"):
        parse_request_id(text)


@pytest.mark.parametrize("text", ["", "a" * 11, "a" * 13, "a" * 11 + "-", "a" * 11 + "é", "a" * 12 + "\n"])
def test_a_token_id_is_12_letters_and_digits(text: str) -> None:
    """Everything else is refused."""
    assert parse_token_id("0aZ" * 4) == "0aZ" * 4
    with pytest.raises(InvalidValueError, match="12 letters and digits"):
        parse_token_id(text)


@pytest.mark.parametrize("text", ["a", "Größe 2", "模型", "🚪", " padded ", "n" * 63])
def test_names_may_be_in_every_script(text: str) -> None:
    """A name for people is kept as it was given."""
    assert parse_display_name(text) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("n" * 64, "at most 63 characters, has 64"),
        ("a\nb", "printable"),  # forges a line of a log
        ("a\x1b[2Jb", "printable"),  # drives a terminal
        ("a\u202eb", "printable"),  # shows what follows backwards
        ("a\u200bb", "printable"),  # looks like another name
        ("a\ud800b", "printable"),  # cannot be encoded
    ],
)
def test_names_cannot_deceive(text: str, fault: str) -> None:
    """A name that is empty, long or not printable is refused, and the error says which."""
    with pytest.raises(InvalidValueError, match=fault):
        parse_display_name(text)

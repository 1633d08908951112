"""Labels: Kubernetes' grammar, and what the platform keeps for itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import AppId
from doorward_server.domain.labels import (
    MAX_LABELS,
    check_key,
    check_value,
    parse_labels,
    with_platform_labels,
)

APP_ID = AppId("3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11")
LOWER_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
ALPHANUMERIC = LOWER_DIGITS + LOWER_DIGITS[:26].upper()

# Drawn mostly from what the grammar speaks of, so that legal text is common, and sometimes from anything.
TEXT = st.text(alphabet="aZ09-_./ é\n", max_size=8) | st.text(max_size=70)


def is_name(text: str) -> bool:
    """The documentation's words: at most 63, alphanumeric at both ends, dashes, underscores, dots between."""
    return (
        1 <= len(text) <= 63
        and text[0] in ALPHANUMERIC
        and text[-1] in ALPHANUMERIC
        and all(character in ALPHANUMERIC + "-_." for character in text)
    )


def is_prefix(text: str) -> bool:
    """A DNS subdomain: labels of lower-case alphanumerics and inner dashes, at most 253 in all."""
    labels = text.split(".")
    return len(text) <= 253 and all(
        label != ""
        and label[0] in LOWER_DIGITS
        and label[-1] in LOWER_DIGITS
        and all(character in LOWER_DIGITS + "-" for character in label)
        for label in labels
    )


def accepts_key(key: str) -> bool:
    """Whether `check_key` lets *key* pass."""
    try:
        check_key(key)
    except InvalidValueError:
        return False
    return True


def accepts_value(value: str) -> bool:
    """Whether `check_value` lets *value* pass."""
    try:
        check_value("key", value)
    except InvalidValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("key", "legal"),
    [
        # "Labels and Selectors", Syntax and character set
        ("a", True),
        ("A9", True),
        ("a-b_c.d", True),
        ("1234", True),
        ("n" * 63, True),
        ("n" * 64, False),
        ("", False),
        ("-a", False),
        ("a-", False),
        ("a.", False),
        ("_a", False),
        ("a b", False),
        ("a\n", False),  # `$` would let it pass, `fullmatch` does not
        ("é", False),
        ("٣", False),  # a digit, but of another script
        # Prefixes: DNS subdomains in lower case
        ("ovh/id", True),
        ("app.kubernetes.io/name", True),
        ("0.1.2.domain/99", True),
        (f"{'a' * 253}/n", True),  # no limit of 63 a label: util/validation has none
        (f"{'a' * 254}/n", False),
        ("Ovh/id", False),
        ("/id", False),
        ("ovh/", False),
        ("a/b/c", False),
        ("a..b/c", False),
        ("-a/b", False),
        ("a_b/c", False),
        ("ovh\n/id", False),
    ],
)
def test_keys_follow_the_documented_grammar(key: str, legal: bool) -> None:
    """A key is `[prefix/]name`, as the Kubernetes documentation has it."""
    assert accepts_key(key) is legal


@pytest.mark.parametrize(
    ("value", "legal"),
    [
        ("", True),
        ("A", True),
        ("10.10.100.1", True),
        ("v" * 63, True),
        ("v" * 64, False),
        ("-", False),
        ("a-", False),
        (" ", False),
        ("a/b", False),
        ("a\n", False),
        ("a,b", False),
        ("a\0b", False),
    ],
)
def test_values_follow_the_documented_grammar(value: str, legal: bool) -> None:
    """A value is empty, or what a name may be."""
    assert accepts_value(value) is legal


@given(key=st.one_of(TEXT, st.builds("{}/{}".format, TEXT, TEXT)))
@example(key="a/b")
def test_a_key_is_accepted_as_the_rules_say(key: str) -> None:
    """The grammar of keys agrees with a naive reading of its rules on any text."""
    prefix, slash, name = key.partition("/")
    assert accepts_key(key) == (is_prefix(prefix) and is_name(name) if slash else is_name(key))


@given(value=TEXT)
def test_a_value_is_accepted_as_the_rules_say(value: str) -> None:
    """The grammar of values agrees with a naive reading of its rules on any text."""
    assert accepts_value(value) == (value == "" or is_name(value))


def test_labels_are_kept_as_they_are_and_cannot_change() -> None:
    """Valid labels come back equal, and neither the caller nor a reader can change them afterwards."""
    given_labels = {"group": "A", "empty": ""}
    labels = parse_labels(given_labels)
    given_labels["group"] = "B"
    assert labels == {"group": "A", "empty": ""}
    with pytest.raises(TypeError):
        labels["group"] = "B"  # type: ignore[index]


@pytest.mark.parametrize("labels", [{"a b": "c"}, {"a": "b c"}, {"ovh/id": "not a value"}])
def test_bad_labels_are_refused_by_name(labels: dict[str, str]) -> None:
    """The error shows the key that is at fault, for reserved keys too: overriding is not a way around."""
    (key,) = labels
    with pytest.raises(InvalidValueError, match=key):
        parse_labels(labels)


def test_there_may_be_64_labels() -> None:
    """The limit is inclusive, and the error says how many there are."""
    labels = {f"k{number}": "" for number in range(MAX_LABELS)}
    assert len(parse_labels(labels)) == MAX_LABELS == 64
    with pytest.raises(InvalidValueError, match="at most 64 labels, has 65"):
        parse_labels(labels | {"one-more": ""})


def test_an_app_can_be_created_from_the_labels_of_another() -> None:
    """The platform's own labels do not count, so that what was answered can be sent again."""
    own = {f"k{number}": "" for number in range(MAX_LABELS)}
    answered = with_platform_labels(parse_labels(own), reserved_prefix="ovh/", app_id=APP_ID)
    assert parse_labels(answered, reserved_prefix="ovh/") == answered
    with pytest.raises(InvalidValueError, match="has 65"):
        parse_labels({**answered, "one-more": ""}, reserved_prefix="ovh/")


def test_reserved_labels_are_overridden() -> None:
    """Whatever a caller puts under the reserved prefix is dropped, and the platform's own are set."""
    labels = with_platform_labels(
        {
            "group": "A",
            "ovh/id": "fake",
            "ovh/type": "model",
            "ovh/extra": "x",
            "ovh": "y",
            "not.ovh/id": "z",
        },
        reserved_prefix="ovh/",
        app_id=APP_ID,
    )
    assert labels == {"group": "A", "ovh": "y", "not.ovh/id": "z", "ovh/id": APP_ID, "ovh/type": "app"}


def test_the_reserved_prefix_is_a_setting() -> None:
    """Under another prefix, `ovh/` is a caller's like any other."""
    labels = with_platform_labels({"ovh/id": "mine"}, reserved_prefix="acme.example/", app_id=APP_ID)
    assert labels == {"ovh/id": "mine", "acme.example/id": APP_ID, "acme.example/type": "app"}

"""No parser reaches an operator path by a path that was taken for another."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from doorward_server.domain.paths import is_ambiguous, is_under
from tests.unit.domain.path_readings import OPERATOR_PATHS, reached


def spelled(word: str) -> st.SearchStrategy[str]:
    """A word, each letter as it is or in a spelling that some parser undoes."""
    return st.tuples(
        *(
            st.sampled_from(
                [
                    *[letter] * 8,
                    letter.upper(),
                    f"%{ord(letter):02x}",
                    f"%{ord(letter.upper()):02X}",
                    f"%25{ord(letter):02x}",
                    quote(chr(ord(letter) + 0xFEE0)),  # its full-width form
                    chr(ord(letter) + 0xFEE0),
                    f"{letter}%C2%AD",
                    "%C4%B1",
                ]
            )
            for letter in word
        )
    ).map("".join)


# Whole words in every spelling, and everything that parsers quarrel about.
TRICKS = [
    *("/", "//", "/./", "/../", "/..", "%2f", "%2F", "%252f", "%c0%af", "\\", "%5c", ";", "%3b", ";x", "..;"),
    *(".", "..", "%2e", "%2e%2e", "%c0%ae", "%25", "%", "%00", "%20", "+", "%09", "?", "%3f", "#", "%23"),
    *("%EF%BC%8F", "%EF%BC%8E", "%E2%80%A5", "%C2%AD", "%E2%80%8C", "%C2%A0", "%C5%BF", "%E9", "%zz"),
    *("\u00e9", "\uff0f", "\u017f", "\x00", " "),
]
WORDS = st.one_of(spelled("admin"), spelled("api"), spelled("v1"), st.sampled_from(["x", "administrator"]))
SEPARATORS = st.sampled_from(["/", "/", "/", *TRICKS])
PATHS = st.builds(
    "/{}{}{}{}{}".format,
    st.sampled_from(["", "", "", "x/", "x/../", "x/.."]),
    st.sampled_from(["", "", *TRICKS]),
    WORDS,
    st.sampled_from(["", "", *TRICKS]),
    st.lists(st.tuples(SEPARATORS, WORDS).map("".join), max_size=2).map("".join),
)


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(path=PATHS)
@example(path="/admin%3Fx")
@example(path="/x%c0%afadmin/../../admin")
@example(path="/%EF%BD%81dmin")
@example(path="/adm%C4%B1n")
def test_an_accepted_path_reaches_no_operator_path(path: str) -> None:
    """What is neither ambiguous nor under an operator path is not there for any parser either."""
    if not is_ambiguous(path) and not is_under(path, OPERATOR_PATHS):
        assert reached(path) == []


@given(path=st.text(max_size=30).map("/{}".format) | st.text(max_size=30))
def test_any_text_gets_an_answer(path: str) -> None:
    """Hostile text is compared without an exception, and what is not a path is ambiguous."""
    if not is_ambiguous(path):
        assert path.isascii()
        assert path.startswith("/")
        is_under(path, OPERATOR_PATHS)


@pytest.mark.parametrize("prefix", OPERATOR_PATHS)
def test_the_parsers_do_reach_what_is_plain(prefix: str) -> None:
    """The readings above are able to fail the property: they find an operator path that is there."""
    for path in (f"{prefix}", f"/x/..{prefix}", f"/%2e{prefix}/y", f"{prefix.upper()};x", f"/{prefix}"):
        assert prefix in reached(path)

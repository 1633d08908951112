"""A browser without a token is sent to the login page of the same host, and from there back."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.check.answers import LOGIN_PATH
from doorward_server.domain.decision import Reason
from tests.unit.check.answer import Answer
from tests.unit.check.scenes import DENIES, OPEN, SCENES, replica_for, visit

NAVIGATES = ("sec-fetch-mode", b"navigate")
LONGEST = 2048
"""How many characters the way back may take, percent-encoded."""


def sent_to_login(path: str = "/") -> Answer:
    """The answer to a browser that asks for a path."""
    return replica_for(Reason.NO_CREDENTIAL, login_enabled=True).ask(**visit(OPEN, NAVIGATES, path=path))


def test_the_answer_is_a_redirect() -> None:
    """303, kept by nobody, and with the reason for the log."""
    answer = sent_to_login("/chat?model=a&b=c")
    assert answer.status == 303
    assert answer.headers == {
        "location": "/.doorward/login?next=%2Fchat%3Fmodel%3Da%26b%3Dc",
        "cache-control": "no-store",
    }
    assert answer.body == ""
    assert answer.facts == {"reason": "NO_CREDENTIAL", "app_id": OPEN.app_id, "region": OPEN.region}


@given(path=st.text(st.characters(codec="utf-8"), max_size=300).map("/{}".format))
def test_the_way_back_is_kept(path: str) -> None:
    """Path and query come back as they were, and cannot break out of the address or the header."""
    location = sent_to_login(path).headers["location"]
    assert location.isascii()
    assert location.isprintable()
    parts = urlsplit(location)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("", "", LOGIN_PATH, "")
    fields = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else {}
    assert fields in ({"next": [path]}, {})
    assert len(parts.query) <= len("next=") + LONGEST


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/" + "a" * (LONGEST - 3), True),
        ("/" + "a" * (LONGEST - 2), False),
        # Three characters an octet, as it is written.
        ("/" + "\u00e9" * ((LONGEST - 3) // 6), True),
        ("/" + "\u00e9" * (LONGEST // 6), False),
        ("/" + "a" * 1_000_000, False),
    ],
    ids=["longest", "too long", "longest encoded", "too long encoded", "hostile"],
)
def test_the_way_back_is_bounded(path: str, kept: bool) -> None:
    """What is too long for an address is left out: the browser gets to the login all the same."""
    answer = sent_to_login(path)
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"{LOGIN_PATH}?next=") is kept
    if not kept:
        assert answer.headers["location"] == LOGIN_PATH


ENDED = (Reason.UNKNOWN_SESSION, Reason.EXPIRED_SESSION)
"""What a new login would help with."""


@pytest.mark.parametrize("reason", ENDED)
def test_a_session_that_has_ended_leads_to_the_login(reason: Reason) -> None:
    """A browser, that is; a script of its page is told that it has."""
    replica = replica_for(reason, login_enabled=True)
    answer = replica.ask(**SCENES[reason].with_headers(NAVIGATES, path="/x"))
    assert (answer.status, answer.headers) == (303, sent_to_login("/x").headers)
    assert replica.ask(**SCENES[reason].request).status == 401


@pytest.mark.parametrize("reason", [each for each in DENIES if each not in (Reason.NO_CREDENTIAL, *ENDED)])
def test_nobody_else_is_sent_there(reason: Reason) -> None:
    """A token that is wrong is said to be wrong, in a browser as well."""
    answer = replica_for(reason, login_enabled=True).ask(**SCENES[reason].with_headers(NAVIGATES))
    assert answer.status == reason.http_status
    assert "location" not in answer.headers


def test_a_program_is_not_sent_there() -> None:
    """It could do nothing with a page."""
    answer = replica_for(Reason.NO_CREDENTIAL, login_enabled=True).ask(**visit(OPEN))
    assert answer.status == 401
    assert "location" not in answer.headers


def test_without_a_login_page_nobody_is_sent_there() -> None:
    """A browser gets the page of the denial then."""
    answer = replica_for(Reason.NO_CREDENTIAL).ask(**visit(OPEN, NAVIGATES))
    assert answer.status == 401
    assert answer.body.startswith("<!doctype html>")


def test_an_app_that_is_not_there_sends_to_the_login_as_well() -> None:
    """Whether an app exists is not told by where a browser is sent."""
    request = {**visit(OPEN, NAVIGATES, path="/x"), "host": "nobody.app.gra.localhost"}
    answer = replica_for(Reason.NO_CREDENTIAL, login_enabled=True).ask(**request)
    assert (answer.status, answer.headers) == (303, sent_to_login("/x").headers)

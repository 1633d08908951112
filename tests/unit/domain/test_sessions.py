"""Sessions: sealed, opened by the same key alone, and renewed."""

from base64 import urlsafe_b64decode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.credentials import PlatformKey, mint_secret, mint_token_id
from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.sessions import (
    ConsoleSeals,
    ConsoleSession,
    Session,
    SessionSeals,
    session_id_of,
)

SEALS = SessionSeals(PlatformKey("k", bytes(32)).session_key())
OTHERS = SessionSeals(PlatformKey("k", b"x" * 32).session_key())
SESSION = Session(
    session_id=SessionId("11111111-0000-4000-8000-000000000000"),
    token_id=TokenId("0123456789ab"),
    generation=1,
    app_id=AppId("00000000-0000-4000-8000-000000000000"),
    idle_end=1_000.5,
    end=2_000.25,
)
SEALED = SEALS.seal(SESSION).encode()
CONSOLE_SEALS = ConsoleSeals(PlatformKey("k", bytes(32)).console_key())
CONSOLE = ConsoleSession(
    session_id=SessionId("22222222-0000-4000-8000-000000000000"),
    token_id=TokenId("0123456789ab"),
    generation=7,
    idle_end=1_000.5,
    end=2_000.25,
)
CONSOLE_SEALED = CONSOLE_SEALS.seal(CONSOLE).encode()
# Until the year 2109: later on, a float of seconds does not hold every millisecond.
TIMES = st.integers(0, 2**42).map(lambda milliseconds: milliseconds / 1000)


@given(
    session=st.builds(
        Session,
        session_id=st.uuids().map(lambda each: SessionId(str(each))),
        token_id=st.from_regex(r"[0-9A-Za-z]{12}", fullmatch=True).map(TokenId),
        generation=st.integers(1, 2**31),
        app_id=st.uuids().map(lambda each: AppId(str(each))),
        idle_end=TIMES,
        end=TIMES,
    )
)
def test_what_is_sealed_can_be_opened(session: Session) -> None:
    """A session comes out as it went in, to the millisecond, and is 130 letters that a cookie may have."""
    sealed = SEALS.seal(session)
    assert SEALS.open(sealed.encode()) == session
    assert len(sealed) == 130
    assert sealed.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert session_id_of(sealed.encode()) == session.session_id


@given(time=st.floats(0, 1e10))
def test_times_are_rounded_down(time: float) -> None:
    """No session lasts longer than what it was made from."""
    opened = SEALS.open(SEALS.seal(replace(SESSION, end=time)).encode())
    assert opened is not None
    assert time - 0.001 < opened.end <= time + 1e-6


@given(at=st.integers(0, len(SEALED) - 1), letter=st.integers(0, 255))
def test_no_changed_letter_is_taken(at: int, letter: int) -> None:
    """Whatever byte is put in the place of another, nothing is opened."""
    changed = SEALED[:at] + bytes([letter]) + SEALED[at + 1 :]
    assert (SEALS.open(changed) is None) == (changed != SEALED)


@given(data=st.binary(max_size=200))
def test_no_other_bytes_are_taken(data: bytes) -> None:
    """Hostile bytes are no session, and no error."""
    assert SEALS.open(data) is None
    assert SEALS.open(b"1." + data) is None


@pytest.mark.parametrize(
    "sealed",
    [SEALED[:-1], SEALED + b"=", SEALED + b"\n", b" " + SEALED, b"2." + SEALED[2:], SEALED[2:], SEALED * 2],
)
def test_there_is_one_spelling(sealed: bytes) -> None:
    """Neither padding nor spaces nor another version is let through."""
    assert SEALS.open(sealed) is None


def test_another_key_opens_nothing() -> None:
    """With the platform key that is replaced, all sessions end."""
    assert OTHERS.open(SEALED) is None


def test_the_consoles_sessions_are_sealed_as_well() -> None:
    """What comes out is what went in, in one spelling, and no letter can be another."""
    assert CONSOLE_SEALS.open(CONSOLE_SEALED) == CONSOLE
    assert len(CONSOLE_SEALED) == 111
    assert session_id_of(CONSOLE_SEALED) == CONSOLE.session_id
    for at in range(len(CONSOLE_SEALED)):
        other = b"A" if CONSOLE_SEALED[at : at + 1] != b"A" else b"B"
        assert CONSOLE_SEALS.open(CONSOLE_SEALED[:at] + other + CONSOLE_SEALED[at + 1 :]) is None


def test_no_kind_of_session_is_taken_for_the_other() -> None:
    """Not by its form, and not under the other's key either, were it to have the form."""
    key = PlatformKey("k", bytes(32))
    assert key.console_key() != key.session_key()
    for seals in (SEALS, SessionSeals(key.console_key())):
        assert seals.open(CONSOLE_SEALED) is None
        assert seals.open(b"1." + CONSOLE_SEALED[3:]) is None
    for console_seals in (CONSOLE_SEALS, ConsoleSeals(key.session_key())):
        assert console_seals.open(SEALED) is None
        assert console_seals.open(b"c1." + SEALED[2:]) is None


def test_a_session_has_nothing_of_a_secret() -> None:
    """It is made from ids and times alone."""
    secret = mint_secret(mint_token_id())
    sealed = SEALS.seal(replace(SESSION, token_id=secret.token_id))
    raw = urlsafe_b64decode(sealed[2:])
    assert secret.encode()[16:] not in raw
    assert secret.reveal()[16:] not in sealed


def test_a_session_ends_when_idle() -> None:
    """At the moment of its end it is over."""
    assert SESSION.live(1_000.499)
    assert not SESSION.live(1_000.5)


def test_a_session_is_renewed_in_its_second_half_up_to_its_end() -> None:
    """Use puts off the end of an idle one, never beyond the end of all."""
    assert SESSION.renew_time(100) == 950.5
    assert SESSION.renewed(960, 100).idle_end == 1_060
    last = SESSION.renewed(1_950, 100)
    assert last == replace(SESSION, idle_end=2_000.25)
    assert last.renew_time(100) is None

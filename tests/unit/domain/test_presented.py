"""Which credential a request presents, and what must not reach the app."""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward_server.domain.credentials import Secret, mint_secret, mint_token_id
from doorward_server.domain.presented import (
    AUTHORIZATION,
    DOORWARD_TOKEN,
    Malformed,
    Presented,
    find_credential,
)

ONE = mint_secret(mint_token_id()).encode()
OTHER = mint_secret(mint_token_id()).encode()
MISTYPED = ONE[:-1] + (b"0" if ONE[-1:] != b"0" else b"1")

BOTH = (AUTHORIZATION, DOORWARD_TOKEN)


def basic(user_and_password: bytes) -> bytes:
    """A Basic credential as RFC 7617 §2 has it."""
    return b"Basic " + b64encode(user_and_password)


def outcome(presented: Presented) -> bytes | Malformed | None:
    """What was presented, in a form that can be compared: `Secret` has no equality."""
    return presented.secret.encode() if isinstance(presented.secret, Secret) else presented.secret


@pytest.mark.parametrize(
    ("authorization", "doorward_token", "secret", "headers"),
    [
        ([], [], None, ()),
        # RFC 6750 §2.1
        ([b"Bearer " + ONE], [], ONE, (AUTHORIZATION,)),
        ([b"bearer " + ONE], [], ONE, (AUTHORIZATION,)),  # RFC 9110 §11.1: schemes ignore case
        ([b"BEARER   " + ONE + b"  "], [], ONE, (AUTHORIZATION,)),  # RFC 9110 §11.4: 1*SP
        # Our own header leaves Authorization to the app
        ([], [ONE], ONE, (DOORWARD_TOKEN,)),
        ([b"Bearer the-apps-own"], [ONE], ONE, (DOORWARD_TOKEN,)),
        ([basic(b"user:the-apps-own")], [ONE], ONE, (DOORWARD_TOKEN,)),
        # RFC 7617: curl -u, and what can only send a user and a password
        ([basic(b"user:" + ONE)], [], ONE, (AUTHORIZATION,)),
        ([basic(b":" + ONE)], [], ONE, (AUTHORIZATION,)),
        ([basic(b"user:" + ONE).replace(b"Basic", b"BASIC")], [], ONE, (AUTHORIZATION,)),
        # The first found counts, and the app sees none of them
        ([b"Bearer " + ONE], [OTHER], ONE, BOTH),
        ([basic(b"user:" + ONE)], [OTHER], OTHER, BOTH),
        ([basic(ONE + b":" + OTHER)], [], OTHER, (AUTHORIZATION,)),
        # The app's own credentials do not count and stay
        ([b"Bearer the-apps-own"], [], None, ()),
        ([b"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."], [], None, ()),
        ([b"Bearer"], [], None, ()),
        ([b"Bearer "], [], None, ()),
        ([b""], [], None, ()),
        ([basic(b"user:password")], [], None, ()),
        ([basic(b"no-colon")], [], None, ()),
        ([b"Basic !not-base64!"], [], None, ()),
        ([b"Basic"], [], None, ()),
        ([b'Digest username="me", realm="app"'], [], None, ()),
        ([b"\xff\xfe \x00"], [], None, ()),
        # Ours by its prefix, but not whole
        ([b"Bearer dw_"], [], Malformed.FORM, (AUTHORIZATION,)),
        ([b"Bearer " + MISTYPED], [], Malformed.FORM, (AUTHORIZATION,)),
        ([b"Bearer " + ONE + b"\xff"], [], Malformed.FORM, (AUTHORIZATION,)),
        ([basic(b"user:" + MISTYPED)], [], Malformed.FORM, (AUTHORIZATION,)),
        ([], [b""], Malformed.FORM, (DOORWARD_TOKEN,)),
        ([], [b"Bearer " + ONE], Malformed.FORM, (DOORWARD_TOKEN,)),
        ([], [b"\xc3\xa9"], Malformed.FORM, (DOORWARD_TOKEN,)),
        # A mistyped credential is not passed over in favour of the next
        ([b"Bearer " + MISTYPED], [ONE], Malformed.FORM, BOTH),
        ([basic(b"user:" + ONE)], [b"dw_"], Malformed.FORM, BOTH),
        # Sent twice: two parsers would pick two
        ([b"Bearer " + ONE, b"Bearer " + ONE], [], Malformed.REPEATED, (AUTHORIZATION,)),
        ([b"Bearer the-apps-own", b"Bearer " + ONE], [], Malformed.REPEATED, (AUTHORIZATION,)),
        ([b"Bearer the-apps-own", b"Bearer another"], [], Malformed.REPEATED, ()),
        ([], [ONE, ONE], Malformed.REPEATED, (DOORWARD_TOKEN,)),
        ([], [ONE, b""], Malformed.REPEATED, (DOORWARD_TOKEN,)),
        ([b"Bearer " + ONE], [OTHER, OTHER], Malformed.REPEATED, BOTH),
    ],
)
def test_the_first_credential_found_counts(
    authorization: list[bytes],
    doorward_token: list[bytes],
    secret: bytes | Malformed | None,
    headers: tuple[str, ...],
) -> None:
    """Bearer, then our own header, then Basic; whatever is ours is named, to be taken from the request."""
    presented = find_credential(authorization, doorward_token)
    assert outcome(presented) == secret
    assert presented.headers == headers


@pytest.mark.parametrize(
    "raw",
    [
        b"Bearer\t" + ONE,
        b"Bearer \t" + ONE,
        b"Bearer\xa0" + ONE,
        b"Bearer:" + ONE,
        b"Token " + ONE,
        b"dw " + ONE,
        ONE,
        b'Digest username="' + ONE + b'"',
        b"Bearer the-apps-own, Bearer " + ONE,  # two headers, joined by a proxy
        b"Bearer " + ONE + b", Bearer the-apps-own",
        b"Bearer " + ONE + b"," + OTHER,
        b"Bearer the-apps-own " + ONE,
        basic(b"user:the-apps-own") + b", Bearer " + ONE,
        b"Bearer the-apps-own, " + basic(b"user:" + ONE),
        basic(ONE + b":"),  # the token as the user, as other products have it
        basic(ONE + b":x"),
        basic(ONE),
        basic(b"user:x" + ONE),
        basic(b"user:" + ONE + b"\n"),
        basic(b"user:" + ONE).replace(b" ", b"\t"),
        basic(b"user:" + ONE).rstrip(b"="),
        basic(b"user:" + ONE) + b"=",
        basic(b"user:" + ONE) + b"!",
        b"Basic " + urlsafe_b64encode(b"\xff\xfe\xfb:" + ONE),
        b"Basic " + urlsafe_b64encode(b"\xff\xfe\xfb:" + ONE).rstrip(b"="),
        *(b"Bearer " + b64encode(bytes(count) + ONE) for count in range(4)),
        b"Basic " + b64encode(b"user:" + ONE)[:76] + b" " + b64encode(b"user:" + ONE)[76:],  # base64(1) wraps
        b64encode(b"user:" + ONE)[:76] + b"\t" + b64encode(b"user:" + ONE)[76:],
        b"Negotiate " + b64encode(b"NTLM" + ONE),
    ],
)
def test_a_secret_in_an_odd_place_is_refused(raw: bytes) -> None:
    """A secret that we would not read but an app might is a malformed credential: the app never sees it."""
    presented = find_credential([raw], [])
    assert presented.secret is Malformed.FORM
    assert presented.headers == (AUTHORIZATION,)


def lax_readings(raw: bytes) -> list[bytes]:
    """What a careless app could make of an Authorization header: itself, and what is coded in it."""
    readings = [raw]
    for word in (*re.split(rb"[\s,]+", raw), raw, raw.partition(b" ")[2]):
        standard = word.replace(b"-", b"+").replace(b"_", b"/")
        for padding in (b"", b"=", b"=="):
            try:
                readings.append(b64decode(standard + padding, validate=False))
            except ValueError:
                continue
    return readings


SCHEMES = st.sampled_from([b"Bearer", b"basic", b"Basic", b"Token", b"", b"Digest"])
GAPS = st.sampled_from([b" ", b"\t", b"  ", b", ", b",", b"", b'="'])
TEXTS = st.sampled_from([ONE, MISTYPED, b"user", b"user:", b":", b"own", b"\xff\xfe", b"dw_"])
PLAIN = st.lists(TEXTS, min_size=1, max_size=3).map(b"".join)
CODED = st.one_of(
    PLAIN,
    PLAIN.map(b64encode),
    PLAIN.map(urlsafe_b64encode),
    PLAIN.map(lambda plain: b64encode(plain).rstrip(b"=")),
    PLAIN.map(lambda plain: urlsafe_b64encode(plain).rstrip(b"=")),
)
VALUES = st.lists(st.tuples(SCHEMES, GAPS, CODED, GAPS), min_size=1, max_size=3).map(
    lambda parts: b"".join(b"".join(part) for part in parts)
)


@given(raw=VALUES)
@example(raw=basic(b"user:own") + b", " + basic(b"user:" + ONE))
def test_no_reading_of_what_is_left_holds_a_secret(raw: bytes) -> None:
    """Whatever an app makes of an Authorization header that is left to it, it does not find a token there."""
    presented = find_credential([raw], [])
    if AUTHORIZATION not in presented.headers:
        assert presented.secret is None
        assert not any(ONE in reading for reading in lax_readings(raw))


@given(
    authorization=st.lists(VALUES | st.binary(max_size=100), max_size=3),
    doorward_token=st.lists(TEXTS | st.binary(max_size=70), max_size=3),
)
def test_any_headers_give_an_answer(authorization: list[bytes], doorward_token: list[bytes]) -> None:
    """Hostile headers are read without an exception; a header of ours is always taken from the request."""
    presented = find_credential(authorization, doorward_token)
    assert (DOORWARD_TOKEN in presented.headers) == bool(doorward_token)
    if len(authorization) > 1 or len(doorward_token) > 1:
        assert presented.secret is Malformed.REPEATED
    if isinstance(presented.secret, Secret):
        assert presented.headers


def test_what_is_presented_does_not_show_the_secret() -> None:
    """The credential of a request can be logged as it is."""
    presented = find_credential([b"Bearer " + ONE], [])
    assert ONE[16:59].decode() not in f"{presented} {presented!r}"

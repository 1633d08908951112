"""Our cookie among those of an app: found, cut out, and nothing else touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.cookies import SESSION_COOKIE, Cookies, read_cookies
from doorward_server.domain.presented import Malformed

OURS = SESSION_COOKIE.encode()


@pytest.mark.parametrize(
    ("headers", "session", "rest"),
    [
        ([], None, b""),
        ([b""], None, b""),
        ([b"a=1; b=2"], None, b"a=1; b=2"),
        ([OURS + b"=v"], b"v", b""),
        ([OURS + b"=v;"], b"v", b""),
        ([OURS + b"="], b"", b""),
        ([OURS], b"", b""),  # Go reads a cookie without a value
        ([OURS + b"=v; a=1"], b"v", b"a=1"),
        ([b"a=1; " + OURS + b"=v"], b"v", b"a=1"),
        ([b"a=1; " + OURS + b"=v; b=2"], b"v", b"a=1; b=2"),
        ([b"a=1;" + OURS + b"=v;b=2"], b"v", b"a=1;b=2"),
        ([b"a=1;\t" + OURS + b" = v ;  b=2 ; "], b"v", b"a=1;  b=2 ; "),
        ([OURS + b"=v=w==; a=1"], b"v=w==", b"a=1"),
        ([OURS + b'="v"; a=1'], b'"v"', b"a=1"),  # RFC 6265 §4.1.1: the quotes are part of the value
        ([OURS + b"=\xff; a=\xff\x00"], b"\xff", b"a=\xff\x00"),
        # Sent as several headers
        ([b"a=1", OURS + b"=v", b"b=2"], b"v", b"a=1; b=2"),
        ([b"a=1", b"b=2"], None, b"a=1; b=2"),
        # Twice
        ([OURS + b"=v; " + OURS + b"=w"], Malformed.REPEATED, b""),
        ([OURS + b"=v; a=1; " + OURS + b"=v"], Malformed.REPEATED, b"a=1"),
        ([OURS + b"=v", OURS], Malformed.REPEATED, b""),
        # Only look like ours: the app's own affair
        ([OURS.lower() + b"=v"], None, OURS.lower() + b"=v"),  # names heed case
        ([b"x" + OURS + b"=v"], None, b"x" + OURS + b"=v"),
        ([OURS + b"2=v"], None, OURS + b"2=v"),
        ([b"a=" + OURS], None, b"a=" + OURS),
        ([b"a=1, " + OURS + b"=v"], None, b"a=1, " + OURS + b"=v"),  # RFC 6265: a comma separates nothing
        ([b"=" + OURS + b"=v"], None, b"=" + OURS + b"=v"),
    ],
)
def test_our_cookie_is_cut_out(headers: list[bytes], session: bytes | Malformed | None, rest: bytes) -> None:
    """Whatever stands around it, our cookie is found, and the app gets its own as they were sent."""
    assert read_cookies(headers) == Cookies(session, rest)


SPACE = st.sampled_from([b"", b" ", b"  ", b"\t"])
VALUE = st.binary(max_size=6).filter(lambda value: b";" not in value)
OWN_PAIR = st.builds(b"%b%b=%b".__mod__, st.tuples(SPACE, st.sampled_from([b"a", b"b", b"", b"Xd"]), VALUE))
OUR_PAIR = st.builds(b"%b%b%b=%b".__mod__, st.tuples(SPACE, st.just(OURS), SPACE, VALUE))


@given(before=st.lists(OWN_PAIR, max_size=3), ours=OUR_PAIR, after=st.lists(OWN_PAIR, max_size=3))
def test_every_other_byte_stays(before: list[bytes], ours: bytes, after: list[bytes]) -> None:
    """Cutting our cookie out gives the header as it would be had it never been there."""
    found = read_cookies([b";".join([*before, ours, *after])])
    own = b";".join([*before, *after])
    assert found.rest == (own if before else own.lstrip())
    assert found.session == ours.partition(b"=")[2].strip()


@given(headers=st.lists(st.binary(max_size=20) | st.just(OURS + b"=v"), max_size=4))
def test_no_bytes_keep_our_cookie(headers: list[bytes]) -> None:
    """Of hostile bytes a header without our cookie is made, and making it again changes nothing."""
    found = read_cookies(headers)
    assert read_cookies([found.rest]) == Cookies(None, found.rest)

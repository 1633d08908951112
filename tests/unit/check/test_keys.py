"""By what a request is recognised: all that a decision looks at but the path, and nothing else."""

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from doorward_server.check.keys import Key, Keys
from doorward_server.extauthz.v1 import check_request_pb2
from tests.unit.check.check_requests import check_request

KEYS = Keys()

# Of few characters, so that one text's end is likely to be another's beginning.
_TEXTS = st.text(alphabet="a=\xff", max_size=3)
_HEADERS = st.lists(st.sampled_from(b"a=\xff\xc3\xbf"), max_size=6).map(bytes)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a decision looks at in a request."""

    method: str
    host: str
    app_id: str | None
    headers: bytes


_SEEN = st.builds(Seen, method=_TEXTS, host=_TEXTS, app_id=st.none() | _TEXTS, headers=_HEADERS)


def key_of(seen: Seen, *, cuts: tuple[int, ...] = ()) -> Key | None:
    """The key of a request, whose headers come in pieces that begin at *cuts*."""
    bounds = sorted({0, *(cut for cut in cuts if cut < len(seen.headers)), len(seen.headers)})
    pieces = [seen.headers[begin:end] for begin, end in itertools.pairwise(bounds)]
    attributes = check_request_pb2.Attributes()
    http = attributes.request.http
    http.method, http.host = seen.method, seen.host
    http.header_map.extend(pieces)
    if seen.app_id is not None:
        attributes.context_extensions["app_id"] = seen.app_id
    return KEYS.key(attributes)


@given(one=_SEEN, other=_SEEN)
def test_requests_that_are_not_the_same_have_other_keys(one: Seen, other: Seen) -> None:
    """Nothing that stands in one place can be taken for what stands in another."""
    if key_of(one) is not None:
        assert (key_of(one) == key_of(other)) == (one == other)


def test_no_two_requests_of_a_few_bytes_have_the_same_key() -> None:
    """Every way in which a handful of texts can stand beside one another is another request."""
    texts = ("", "a", "=", "\xff", "a\xff", "\xffa", "=a")
    headers = (b"a", b"=", b"\xff", b"\xffa", b"a\xffa", b"=a\xffa", b"\xff\xff\xffa")
    every = [Seen(*each) for each in itertools.product(texts, texts, (None, *texts), headers)]
    assert len({key_of(seen) for seen in every}) == len(every)


@given(seen=_SEEN, cuts=st.lists(st.integers(0, 6), max_size=3).map(tuple))
def test_headers_in_pieces_are_those_headers(seen: Seen, cuts: tuple[int, ...]) -> None:
    """A message that comes in pieces is what the pieces are when put together."""
    assert key_of(seen, cuts=cuts) == key_of(seen)


def test_without_raw_headers_there_is_nothing_to_recognise_a_request_by() -> None:
    """It is decided anew each time."""
    assert key_of(Seen("GET", "a", None, b"")) is None


def test_what_differs_each_time_is_not_in_the_key() -> None:
    """The path, and what Envoy says of the connection and the moment."""
    headers = [("accept", b"*/*")]
    one = check_request(host="a", headers=headers, path="/")
    other = check_request(host="a", headers=headers, path="/b?c=d").replace(b"7553192152093692819", b"1" * 19)
    keys = {KEYS.key(check_request_pb2.CheckRequest.FromString(each).attributes) for each in (one, other)}
    assert one != other
    assert len(keys) == 1


def test_each_process_has_keys_of_its_own() -> None:
    """Nobody knows beforehand which key a request will have, so nobody can look for two that share one."""
    attributes = check_request_pb2.CheckRequest.FromString(
        check_request(host="a", headers=[("accept", b"*/*")])
    ).attributes
    assert Keys().key(attributes) != KEYS.key(attributes)

"""By what a request is recognised: all that a decision looks at but the path, and little else."""

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.check.keys import Key, Keys
from doorward_server.check.requests import UnreadableRequestError, parse_request
from doorward_server.extauthz.v1.recurring_request_pb2 import RecurringRequest
from tests.unit.check.check_requests import check_request

KEYS: Final = Keys()
_HTTP: Final = RecurringRequest.HttpRequest
_ATTRIBUTES: Final = RecurringRequest.Attributes


def _in_http(**fields: object) -> bytes:
    """A piece of a CheckRequest with fields of its HTTP request."""
    http = _HTTP(**fields)  # type: ignore[arg-type]  # the fields are the test's
    return RecurringRequest(
        attributes=_ATTRIBUTES(request=RecurringRequest.Request(http=http))
    ).SerializeToString()


def _in_route(**route: str) -> bytes:
    return RecurringRequest(attributes=_ATTRIBUTES(context_extensions=route)).SerializeToString()


PIECES: Final = (
    *(_in_http(method=method) for method in ("", "GET", "PUT")),
    *(_in_http(host=host) for host in ("", "a", "b")),
    *(_in_http(path=path) for path in ("", "a", "b")),
    *(_in_http(protocol=protocol) for protocol in ("", "a", "HTTP/1.1")),
    *(_in_http(header_map=[headers]) for headers in (b"", b"a", b"b", b"ab")),
    *(_in_http(headers={"a": value}) for value in ("", "a", "b")),
    *(_in_route(app_id=app_id) for app_id in ("", "a", "b")),
    _in_route(other="a"),
    # A host of a type that Envoy does not give it: nobody reads it.
    b"\x0a\x06\x22\x04\x12\x02\x28\x01",
    # A name of the app with something unknown behind it, in the entry of the map.
    b"\x0a\x0f\x52\x0d\x0a\x06app_id\x12\x01a\x73\x74",
)
"""Pieces that make a CheckRequest together, in any order and number: the last of a field counts, or all."""


def seen(payload: bytes) -> object:
    """What a decision looks at in a request, path aside."""
    attributes = parse_request(payload)
    http = attributes.request.http
    route = attributes.context_extensions
    return http.method, http.host, b"".join(http.header_map), dict(http.headers), dict(route)


@given(
    one=st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    other=st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
)
def test_requests_with_one_key_say_the_same(one: bytes, other: bytes) -> None:
    """However they are encoded: of two that a decision could tell apart, neither is taken for the other."""
    if seen(one) != seen(other):
        assert KEYS.key(one) != KEYS.key(other)


def test_of_requests_in_three_pieces_none_is_taken_for_another() -> None:
    """Every order of any three pieces, all compared with one another."""
    meanings: dict[Key, object] = {}
    for pieces in itertools.product(PIECES, repeat=3):
        payload = b"".join(pieces)
        assert meanings.setdefault(KEYS.key(payload), seen(payload)) == seen(payload)
    assert len(meanings) > 1000


def test_what_differs_each_time_is_not_in_the_key() -> None:
    """The path, and what Envoy says of the connection and the moment."""
    headers = [("accept", b"*/*")]
    one = check_request(host="a", headers=headers, path="/")
    other = check_request(host="a", headers=headers, path="/b?c=d").replace(b"7553192152093692819", b"1" * 19)
    assert one != other
    assert KEYS.key(one) == KEYS.key(other)


def test_headers_that_are_joined_recur_as_well() -> None:
    """A request from an Envoy without `encode_raw_headers` has a key by them."""
    one, same, other = (
        check_request(host="a", path=path, joined_headers={"accept": accept, "origin": "b"})
        for path, accept in (("/", "*/*"), ("/b", "*/*"), ("/", "text/html"))
    )
    assert KEYS.key(one) == KEYS.key(same) != KEYS.key(other)


@pytest.mark.parametrize("path", [b"/caf\xe9", b"/\xff"])
def test_a_path_that_is_no_text_has_no_key(path: bytes) -> None:
    """It is refused, also where all the rest recurs."""
    payload = check_request(host="a", path="/" + "_" * (len(path) - 1))
    KEYS.key(payload)
    broken = payload.replace(b"/" + b"_" * (len(path) - 1), path)
    assert broken != payload
    for read in (KEYS.key, parse_request):
        with pytest.raises(UnreadableRequestError):
            read(broken)


def test_each_process_has_keys_of_its_own() -> None:
    """Nobody knows beforehand which key a request will have, so nobody can look for two that share one."""
    payload = check_request(host="a", headers=[("accept", b"*/*")])
    assert Keys().key(payload) != KEYS.key(payload)

"""A denial says nothing that the client has said: there is nothing in it to inject, and nothing to leak."""

from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.decision import Reason
from tests.unit.check.check_requests import check_request
from tests.unit.check.scenes import DENIES, SCENES, replica_for
from tests.unit.check.small_replica import SmallReplica

REPLICAS = {
    (reason, login_enabled): replica_for(reason, login_enabled=login_enabled)
    for reason in DENIES
    for login_enabled in (True, False)
}

_BYTES = st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))
_TEXTS = st.text(st.characters(codec="utf-8"), min_size=6, max_size=40)
_DECIDES = frozenset(
    ("authorization", "doorward-token", "accept", "sec-fetch-mode", "sec-fetch-site", "origin")
)
_NAMES = st.sampled_from(("cookie", "x-forwarded-host", "referer", "user-agent", "x")) | (
    _TEXTS.filter(lambda name: name.lower() not in _DECIDES)
)
_HEADERS = st.lists(st.tuples(_NAMES, _BYTES), max_size=4)


def answer(replica: SmallReplica, **request: Any) -> bytes:
    """The whole answer, but for where the login page leads back to."""
    response = CheckResponse.FromString(replica.handle(check_request(**request)))
    for option in response.denied_response.headers:
        if option.header.key == "location":
            option.header.value = option.header.value.partition("?")[0]
    payload: bytes = response.SerializeToString(deterministic=True)
    return payload


def altered(reason: Reason, text: str, headers: list[tuple[str, bytes]]) -> dict[str, Any]:
    """The request of a reason with other words in it, which is denied for the same reason."""
    request = {**SCENES[reason].request, "path": f"/{text}"}
    match reason:
        case Reason.UNKNOWN_APP:
            request["host"] = text
        case Reason.MALFORMED_CREDENTIAL:
            request["headers"] = [("authorization", b"Bearer dw_" + text.encode())]
        case Reason.AMBIGUOUS_PATH:
            request["path"] = f"/x//{text}"
        case Reason.ROLE_TOO_LOW:
            request["path"] = f"/admin?{text}"
    return {**request, "headers": [*request["headers"], *headers]}


@given(
    reason=st.sampled_from(DENIES),
    text=_TEXTS,
    headers=_HEADERS,
    form=st.sampled_from(((), (("sec-fetch-mode", b"navigate"),))),
    login_enabled=st.booleans(),
)
def test_a_denial_is_the_same_whatever_else_the_request_says(
    reason: Reason,
    text: str,
    headers: list[tuple[str, bytes]],
    form: tuple[tuple[str, bytes], ...],
    login_enabled: bool,
) -> None:
    """Host, path, query and headers change no byte of it: neither what is told, nor the facts for the log."""
    replica = REPLICAS[reason, login_enabled]
    plain = answer(replica, **SCENES[reason].with_headers(*form))
    assert answer(replica, **altered(reason, text, [*form, *headers])) == plain

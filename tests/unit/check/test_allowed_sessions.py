"""Allows by a session: they end with it, and renew it."""

from dataclasses import replace

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.sessions import Session
from tests.unit.check.allow_world import APP_IDS, SEALS, SESSIONS, cookie, ended_session, replica
from tests.unit.check.check_requests import check_request


def _with_session(session: Session, *headers: tuple[str, bytes]) -> bytes:
    return check_request(host=f"{APP_IDS[0]}.app.gra.localhost", headers=[cookie(session), *headers])


def test_a_session_is_answered_from_memory_until_it_is_ended() -> None:
    """A logout counts for what was allowed before, and for a cookie that somebody has copied."""
    index, handler, _ = replica(now=lambda: 1_001.0)
    allowed = handler(_with_session(SESSIONS[1]))
    assert CheckResponse.FromString(allowed).HasField("ok_response")
    decide, handler._decide = handler._decide, None  # type: ignore[assignment,method-assign]
    assert handler(_with_session(SESSIONS[1])) == allowed
    handler._decide = decide  # type: ignore[method-assign]
    index.end_session(ended_session(SESSIONS[1]))
    denied = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert denied.dynamic_metadata["reason"] == "EXPIRED_SESSION"


def test_a_session_is_renewed_once_half_of_its_idle_time_has_passed() -> None:
    """The answer carries a cookie that lasts longer, and the cookie of before ends when it would have."""
    now = 1_003.999
    _, handler, _ = replica(now=lambda: now)
    first = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert not first.ok_response.response_headers_to_add
    now = 1_004.0
    renewed = CheckResponse.FromString(handler(_with_session(SESSIONS[1])))
    assert renewed.ok_response.headers == first.ok_response.headers
    assert renewed.dynamic_metadata == first.dynamic_metadata
    (header,) = renewed.ok_response.response_headers_to_add
    assert header.header.key == "set-cookie"
    pair, *attributes = header.header.value.split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
    name, _, sealed = pair.partition("=")
    assert name == SESSION_COOKIE
    later = SEALS.open(sealed.encode())
    assert later == replace(SESSIONS[1], idle_end=1_012.0)
    now = 1_008.0
    assert CheckResponse.FromString(handler(_with_session(SESSIONS[1]))).HasField("denied_response")
    assert CheckResponse.FromString(handler(_with_session(later))).HasField("ok_response")


def test_every_websocket_renews_its_session() -> None:
    """However early: it may be open, and used, for longer than the half of the idle time that is left."""
    now = 1_000.5
    _, handler, _ = replica(now=lambda: now)
    opens = _with_session(SESSIONS[1], ("upgrade", b"websocket"))
    for now in (1_000.5, 1_001.5):
        (header,) = CheckResponse.FromString(handler(opens)).ok_response.response_headers_to_add
        sealed = header.header.value.partition("; ")[0].partition("=")[2]
        assert SEALS.open(sealed.encode()) == replace(SESSIONS[1], idle_end=now + 8.0)
    assert not CheckResponse.FromString(
        handler(_with_session(SESSIONS[1]))
    ).ok_response.response_headers_to_add
    now = SESSIONS[1].end - 0.5
    opens = _with_session(replace(SESSIONS[1], idle_end=SESSIONS[1].end), ("upgrade", b"websocket"))
    assert not CheckResponse.FromString(handler(opens)).ok_response.response_headers_to_add


def test_ended_sessions_are_forgotten_after_their_end() -> None:
    """What is remembered of logouts is bounded by the time that sessions last."""
    now = 1_000.0
    index, _, _ = replica(now=lambda: now)
    index.end_session(ended_session(SESSIONS[0]))
    now = 1_016.0 + 3_600
    index.end_session(ended_session(SESSIONS[1]))
    assert set(index.entries.ended) == {SESSIONS[0].session_id, SESSIONS[1].session_id}
    now += 0.001
    index.end_session(ended_session(SESSIONS[2]))
    assert set(index.entries.ended) == {SESSIONS[2].session_id}

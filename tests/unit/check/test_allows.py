"""A remembered allow holds for exactly as long as the decision would be the same."""

import gc
from typing import Any

from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check import allows, remembering
from doorward_server.check.bounded import Bounded
from doorward_server.check.handler import CheckHandler
from doorward_server.check.lease import Lease
from doorward_server.check.uses import TokenUses
from tests.unit.check.allow_world import APP_IDS, SECRETS, bearer, replica
from tests.unit.check.check_requests import check_request


def _request(path: str = "/") -> bytes:
    return check_request(host=f"{APP_IDS[0]}.app.gra.localhost", path=path, headers=[bearer(SECRETS[0])])


def test_an_equal_request_is_answered_from_memory() -> None:
    """The path aside, a request that came before is decided by what is remembered: `decide` is not asked."""
    _, handler, _ = replica()
    first = handler(_request("/a"))
    handler._decide = None  # type: ignore[assignment,method-assign]  # whoever calls it fails
    assert handler(_request("/b")) == first


def test_no_secret_is_kept() -> None:
    """What is remembered of a request has no secret in it, neither whole nor in part."""
    _, handler, _ = replica()
    handler(_request())
    kept = handler._allows._kept
    assert len(kept) == 1
    secret = SECRETS[0].reveal().split("_")[2].encode()
    texts = [
        each
        for each in gc.get_referents(*kept.items(), *kept, *kept.values())
        if isinstance(each, str | bytes)
    ]
    assert texts
    assert not any(secret in (each.encode() if isinstance(each, str) else each) for each in texts)


def test_a_remembered_allow_counts_as_a_use() -> None:
    """A token's use is noted once in a while, whether its request was decided anew or not."""
    now = 1_200.0
    _, handler, uses = replica(now=lambda: now)

    def noted() -> list[tuple[str, float]]:
        handler(_request())
        return [(token_id, time) for token_id, time in uses.take(10)]

    assert noted() == [(SECRETS[0].token_id, 1_200.0)]
    assert noted() == []
    now = 1_259.9
    assert noted() == []
    now = 1_260.0
    assert noted() == [(SECRETS[0].token_id, 1_260.0)]
    assert noted() == []


def test_leave_for_envoy_to_remember_is_not_kept() -> None:
    """An answer from memory gives it while there is time, and not when the secret is about to end."""
    seconds = iter([1_000.0, 1_000.0, 1_009.5])
    index, _, _ = replica(end=1_010)
    lease = Lease(lambda: 0.0)
    lease.renew(0.0, 0.0)
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=TokenUses(),
        login_enabled=False,
        remembering=remembering.Remembering(lifetime=1.0, lease=lease),
        now=lambda: next(seconds),
    )
    answers = [CheckResponse.FromString(handler(_request())) for _ in range(3)]
    assert ["remember" in answer.dynamic_metadata.fields for answer in answers] == [True, True, False]


def test_what_is_remembered_is_bounded(monkeypatch: Any) -> None:
    """However many hosts are asked for, only so many allows are kept, the newest ones."""
    monkeypatch.setattr(allows, "_KEPT", 3)
    _, handler, _ = replica()
    requests = [
        check_request(host=f"{APP_IDS[0]}.app.gra.localhost:{port}", headers=[bearer(SECRETS[0])])
        for port in range(10)
    ]
    for request in requests:
        handler(request)
    newest = [handler._keys.key(request) for request in requests[-3:]]
    assert list(handler._allows._kept) == newest


def test_a_bounded_dictionary_forgets_the_oldest() -> None:
    """A full one gives its oldest entry up for a new one, and none for one that it has."""
    bounded: Bounded[str, int] = Bounded(2)
    bounded["a"] = bounded["b"] = 1
    bounded["a"] = 2
    assert dict(bounded) == {"a": 2, "b": 1}
    bounded["c"] = 3
    assert dict(bounded) == {"b": 1, "c": 3}


def test_an_allow_ends_with_its_secret() -> None:
    """At the moment at which a secret expires, what it opened before is denied."""
    now = 1_000.0
    _, handler, _ = replica(end=1_010, now=lambda: now)
    allowed = handler(_request())
    now = 1_009.999
    assert handler(_request()) == allowed
    now = 1_010.0
    denied = CheckResponse.FromString(handler(_request()))
    assert denied.dynamic_metadata["reason"] == "EXPIRED_TOKEN"

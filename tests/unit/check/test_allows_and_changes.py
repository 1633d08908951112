"""The policy may change, on another thread, in the middle of a decision."""

from collections.abc import Callable

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import Entries, PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.uses import TokenUses
from doorward_server.domain.credentials import PlatformKey, mint_secret, mint_token_id
from doorward_server.policy.v1 import policy_pb2
from tests.unit.check.check_requests import check_request

MACS = PlatformKey("key-1", b"k" * 32).token_macs()
DOMAINS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}
APP_ID = "00000000-0000-4000-8000-000000000001"
SECRET = mint_secret(mint_token_id())
REQUEST = check_request(
    host=f"{APP_ID}.app.gra.localhost",
    headers=[("authorization", f"Bearer {SECRET.reveal()}".encode())],
)


def app(**changed: object) -> policy_pb2.App:
    """An app that the token opens, unless something is changed."""
    upstream = policy_pb2.Upstream(host="127.0.0.1", port=1)
    given = {"app_id": APP_ID, "region": "GRA", "labels": {"group": "A"}, "upstream": upstream}
    return policy_pb2.App(**(given | changed))  # type: ignore[arg-type]  # the fields are the test's


def token(selector: str = "group=A") -> policy_pb2.Token:
    """A token for a group."""
    return policy_pb2.Token(
        token_id=SECRET.token_id,
        role="READ_ONLY",
        region="GRA",
        label_selector=selector,
        generations=[policy_pb2.Generation(generation=1, mac=MACS.mac(SECRET))],
    )


def replaced(index: PolicyIndex) -> None:
    """A snapshot in which the token opens another group."""
    entries = Entries()
    entries.put_part(policy_pb2.Snapshot(apps=[app()], tokens=[token("group=B")]))
    index.replace(entries)


CHANGES: dict[str, Callable[[PolicyIndex], None]] = {
    "the app is relabelled": lambda index: index.put_app(app(labels={"group": "B"})),
    "the app is stopped": lambda index: index.put_app(app(upstream=None)),
    "the app gets operator paths": lambda index: index.put_app(app(operator_paths=["/"])),
    "the app is deleted": lambda index: index.remove_app(APP_ID),  # type: ignore[arg-type]  # an id
    "the token is narrowed": lambda index: index.put_token(token("group=B")),
    "the token is deleted": lambda index: index.remove_token(SECRET.token_id),
    "the domains change": lambda index: index.set_domains({"GRA": "app.elsewhere.localhost"}),
    "a snapshot comes": replaced,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_decided_by_a_former_policy_is_not_remembered_as_one_by_the_new(
    change: Callable[[PolicyIndex], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change between the decision and its being remembered is in force with the next request."""
    index, lease = PolicyIndex(MACS), Lease(lambda: 0.0)
    index.set_domains(DOMAINS)
    lease.renew(0.0, 0.0)
    index.put_app(app())
    index.put_token(token())
    handler = CheckHandler(policy=index, lease=lease, uses=TokenUses(), login_enabled=False)
    encode = handler._answers.encode

    def encode_after_the_change(*args: object, **options: object) -> bytes:
        monkeypatch.setattr(handler._answers, "encode", encode)
        change(index)
        return encode(*args, **options)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(handler._answers, "encode", encode_after_the_change)
    assert CheckResponse.FromString(handler(REQUEST)).HasField("ok_response")
    assert CheckResponse.FromString(handler(REQUEST)).HasField("denied_response")


def test_who_has_no_token_has_nothing_remembered() -> None:
    """Anonymous visitors of public apps, however many, push no client with a token out of memory."""
    index, lease = PolicyIndex(MACS), Lease(lambda: 0.0)
    index.set_domains(DOMAINS)
    lease.renew(0.0, 0.0)
    index.put_app(app(public=True))
    handler = CheckHandler(policy=index, lease=lease, uses=TokenUses(), login_enabled=False)
    host = f"{APP_ID}.app.gra.localhost"
    allowed = handler(check_request(host=host, headers=[("cookie", b"a=1")]))
    assert CheckResponse.FromString(allowed).HasField("ok_response")
    assert len(handler._allows._kept) == 0

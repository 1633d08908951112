"""What the control plane knows of an app or a token is what a replica decides by, field for field."""

from dataclasses import MISSING, Field, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.check.messages import pack_app, pack_token, read_app, read_token
from doorward_server.domain.ids import AppId, RegionName, TokenId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.policy.v1 import policy_pb2
from doorward_server.rpc.policy_messages import app_message, token_message

_WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
_REGIONS = st.sampled_from((RegionName("GRA"), RegionName("BHS")))
ADDRESSES = {"host": st.sampled_from(("127.0.0.1", "::1", "app.internal")), "port": st.integers(1, 65535)}
APPS = {
    "app_id": st.uuids().map(lambda each: AppId(str(each))),
    "region": _REGIONS,
    "labels": st.dictionaries(_WORDS, _WORDS, max_size=4),
    "public": st.booleans(),
    "operator_paths": st.lists(_WORDS, max_size=3).map(tuple),
    "cors_preflight": st.booleans(),
    "upstream": st.none() | st.builds(Address, **ADDRESSES),
}
SECRETS = {
    "generation": st.integers(1, 2**31 - 1),
    "mac": st.binary(min_size=32, max_size=32),
    # Whole seconds and halves: those that are the same in every notation.
    "expire_time": st.none() | st.integers(0, 2**34).map(lambda halves: halves / 2),
}
TOKENS = {
    "token_id": st.from_regex(r"[0-9A-Za-z]{12}", fullmatch=True).map(TokenId),
    "role": st.sampled_from(Role),
    "region": st.none() | _REGIONS,
    "selector": st.none()
    | st.sampled_from(
        ("group=A", "group in (A,B),!gone", "group,tier!=x,ovh/type=app", "a notin (b),c=")
    ).map(parse_selector),
    "secrets": st.lists(st.builds(LiveSecret, **SECRETS), max_size=2).map(tuple),
}
ALL = {PolicyApp: APPS, Address: ADDRESSES, PolicyToken: TOKENS, LiveSecret: SECRETS}

FULL_APP = PolicyApp(
    app_id=AppId("00000000-0000-4000-8000-000000000001"),
    region=RegionName("GRA"),
    labels={"group": "A"},
    public=True,
    operator_paths=("/admin", "/"),
    cors_preflight=True,
    upstream=Address(host="::1", port=65535),
)
FULL_SECRET = LiveSecret(generation=2, mac=b"m" * 32, expire_time=2_000_000_000.5)
FULL_TOKEN = PolicyToken(
    token_id=TokenId("token0000001"),
    role=Role.OPERATOR,
    region=RegionName("BHS"),
    selector=parse_selector("group=A"),
    secrets=(FULL_SECRET, replace(FULL_SECRET, generation=1, expire_time=None)),
)


def sent_app(app: PolicyApp) -> PolicyApp:
    """The app as a replica reads it, over the wire."""
    wire = app_message(app).SerializeToString()
    return read_app(pack_app(policy_pb2.App.FromString(wire)))


def sent_token(token: PolicyToken) -> PolicyToken:
    """The token as a replica reads it, over the wire."""
    wire = token_message(token).SerializeToString()
    return read_token(pack_token(policy_pb2.Token.FromString(wire)))


@pytest.mark.parametrize("kind", ALL)
def test_every_field_is_drawn(kind: type[Any]) -> None:
    """A field that is new has to be given values here, and so be carried over."""
    assert set(ALL[kind]) == {field.name for field in fields(kind)}


@given(app=st.builds(PolicyApp, **APPS))
def test_an_app_arrives_as_it_is(app: PolicyApp) -> None:
    """Over the wire and back, nothing of it has changed."""
    assert sent_app(app) == app


@given(token=st.builds(PolicyToken, **TOKENS))
def test_a_token_arrives_as_it_is(token: PolicyToken) -> None:
    """Over the wire and back, nothing of it has changed, and its secrets are in their order."""
    assert sent_token(token) == token


def _names(full: object) -> list[Any]:
    return [pytest.param(full, field, id=field.name) for field in fields(full)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("full", "field"), [*_names(FULL_APP), *_names(FULL_TOKEN), *_names(FULL_SECRET)])
def test_each_field_arrives_by_itself(full: Any, field: "Field[Any]") -> None:
    """Whatever the other fields are: none is lost, and none takes the place of another."""
    value = getattr(full, field.name)
    assert field.default is MISSING or value != field.default, "give it a value that is not the default"
    match full:
        case PolicyApp():
            arrived: Any = sent_app(full)
        case PolicyToken():
            arrived = sent_token(full)
        case _:
            arrived = sent_token(replace(FULL_TOKEN, secrets=(full,))).secrets[0]
    assert getattr(arrived, field.name) == value


# From 2004 to 2242, where a float of seconds holds microseconds, and not much less.
@given(micros=st.integers(2**30 * 1_000_000, 2**33 * 1_000_000))
def test_a_secret_never_ends_later_than_it_should(micros: int) -> None:
    """Its end is stored to the microsecond; what a float cannot say is rounded down."""
    given_end = micros / 1_000_000
    token = replace(FULL_TOKEN, secrets=(replace(FULL_SECRET, expire_time=given_end),))
    end = sent_token(token).secrets[0].expire_time
    assert end is not None
    assert given_end - 2e-6 <= end <= given_end

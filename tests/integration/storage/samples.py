"""Apps and tokens to store: plain ones, and hypothesis strategies for all that the domain allows."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from doorward_server.domain.apps import (
    HISTORY_LENGTH,
    Access,
    App,
    AppSpec,
    AppState,
    AppStatus,
    ExternalSource,
    ProcessSource,
    Readiness,
    StateChange,
)
from doorward_server.domain.credentials import mint_token_id
from doorward_server.domain.ids import AppId, RegionName, SessionId, TokenId
from doorward_server.domain.policy import Address
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import Operator, Requirement, Selector
from doorward_server.domain.tokens import Generation, Token
from doorward_server.services.ports import SessionRecord

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
"""A time for everything that has no better one."""

GRA = RegionName("GRA")
BHS = RegionName("BHS")


def app(**changes: Any) -> App:
    """A new app, with *changes* to its fields."""
    plain = App(
        app_id=AppId(str(uuid.uuid4())),
        display_name="hello",
        region=GRA,
        labels={"group": "A"},
        spec=AppSpec(source=ExternalSource(address=Address(host="127.0.0.1", port=9000))),
        status=AppStatus(state=AppState.QUEUED),
        create_time=NOON,
        update_time=NOON,
    )
    return replace(plain, **changes)


def session(**changes: Any) -> SessionRecord:
    """A session of twelve hours, with *changes* to its fields."""
    plain = SessionRecord(
        session_id=SessionId(str(uuid.uuid4())),
        token_id=mint_token_id(),
        app_id=AppId(str(uuid.uuid4())),
        create_time=NOON,
        expire_time=NOON + timedelta(hours=12),
    )
    return replace(plain, **changes)


def generation(number: int = 1, **changes: Any) -> Generation:
    """A token's secret."""
    return replace(
        Generation(number=number, argon2_hash="$argon2id$", mac=bytes([number]) * 32, mac_key_id="key-1"),
        **changes,
    )


def token(**changes: Any) -> Token:
    """A new token, with *changes* to its fields."""
    plain = Token(
        token_id=mint_token_id(),
        display_name="for tests",
        role=Role.READ_ONLY,
        region=GRA,
        selector=Selector.of([Requirement("group", Operator.IN, frozenset({"A"}))]),
        generations=(generation(),),
        expire_time=None,
        create_time=NOON,
        update_time=NOON,
    )
    return replace(plain, **changes)


def admin(**changes: Any) -> Token:
    """A new ADMIN token."""
    return token(**{"role": Role.ADMIN, "region": None, "selector": None} | changes)


# PostgreSQL keeps microseconds, from 4713 BC on; a second zone shows that an instant is what counts.
_zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-11))])
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=_zones)  # noqa: DTZ001 - zone is drawn
_ids = st.uuids().map(lambda each: AppId(str(each)))
_token_ids = st.builds(mint_token_id)
_names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=63)
_any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_words = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
_addresses = st.builds(
    Address, host=st.sampled_from(["10.0.0.7", "::1", "db.internal"]), port=st.integers(1, 65535)
)
_regions = st.sampled_from([GRA, BHS])

labels = st.dictionaries(
    _words | _words.map(lambda name: f"example.com/{name}"), _words | st.just(""), max_size=8
).map(MappingProxyType)

_sources = st.builds(ExternalSource, address=_addresses) | st.builds(
    ProcessSource,
    command=st.lists(_any_text, min_size=1, max_size=4).map(tuple),
    env=st.dictionaries(_words, _any_text, max_size=4),
    working_dir=st.none() | st.just("/srv/app"),
)
_readiness = st.builds(
    Readiness,
    path=st.none() | st.just("/ready"),
    period=st.timedeltas(timedelta(microseconds=1), timedelta(days=400)),
    failure_threshold=st.integers(1, 100),
)
_statuses = st.builds(
    AppStatus,
    state=st.sampled_from(AppState),
    message=_any_text,
    address=st.none() | _addresses,
    history=st.lists(
        st.builds(StateChange, state=st.sampled_from(AppState), time=times, message=_any_text),
        max_size=HISTORY_LENGTH,
    ).map(tuple),
)
apps = st.builds(
    App,
    app_id=_ids,
    display_name=_names,
    region=_regions,
    labels=labels,
    spec=st.builds(
        AppSpec,
        source=_sources,
        access=st.sampled_from(Access),
        operator_paths=st.lists(_words.map(lambda name: f"/{name}"), max_size=4).map(tuple),
        readiness=_readiness,
        cors_preflight=st.booleans(),
    ),
    status=_statuses,
    create_time=times,
    update_time=times,
    version=st.integers(1, 2**31 - 1),
)
"""Every app that the domain allows."""


@st.composite
def selectors(draw: st.DrawFn, *, keys: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> Selector:
    """Selectors over some keys and values."""
    requirement = st.builds(
        Requirement, keys, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST])
    ) | st.builds(
        Requirement,
        keys,
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.frozensets(values, min_size=1, max_size=3),
    )
    return Selector.of(draw(st.lists(requirement, max_size=4)))


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    """Every token that the domain allows."""
    newest = draw(st.integers(2, 2**31 - 1))
    numbers = draw(st.sampled_from([(newest,), (newest, newest - 1)]))
    role = draw(st.sampled_from(Role))
    selector = selectors(keys=_words, values=_words | st.just(""))
    return Token(
        token_id=draw(_token_ids),
        display_name=draw(_names),
        role=role,
        region=None if role is Role.ADMIN else draw(_regions),
        selector=None
        if role is Role.ADMIN
        else draw(st.none() | selector.filter(lambda each: each.requirements)),
        generations=tuple(
            Generation(
                number=number,
                argon2_hash=draw(_words),
                mac=draw(st.binary(min_size=32, max_size=32)),
                mac_key_id=draw(st.sampled_from(["key-1", "key-2"])),
                expire_time=draw(st.none() | times),
            )
            for number in numbers
        ),
        expire_time=draw(st.none() | times),
        create_time=draw(times),
        update_time=draw(times),
        last_used_time=draw(st.none() | times),
        version=draw(st.integers(1, 2**31 - 1)),
    )


def token_ids(count: int) -> list[TokenId]:
    """Ids in ascending order."""
    return [TokenId(f"{number:012d}") for number in range(count)]

"""A database with any number of tokens, filled at a pace that no API allows."""

import asyncio
import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.population import DOMAIN, REGION
from benchmarks.requests import Pair
from doorward_server.bootstrap.setup import prepare
from doorward_server.domain.apps import App, AppSpec, AppState, AppStatus, ExternalSource
from doorward_server.domain.credentials import mint_secret, mint_token_id
from doorward_server.domain.hosts import app_host
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.domain.tokens import Generation, Token
from doorward_server.platform_key import load_platform_key
from doorward_server.settings import Settings
from doorward_server.storage import open_storage

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
# In SQL, of the number n.i.
_APP_ID = "lower(printf('%08x-0000-4000-8000-%012x', n.i * 2654435761 % 4294967296, n.i))"
_TOKEN_ID = "printf('b%011d', n.i)"  # noqa: S105 - an expression


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """An app and a token of it, which went into the database as the product writes them."""

    app: App
    token: Token
    pair: Pair


def fill(settings: Settings, *, tokens: int) -> Pair:
    """Make the platform of *settings* on SQLite, with *tokens* tokens and a tenth as many apps.

    Answers a token that works and an app of it. The apps are stopped: 100,000 that run would be probed.
    """
    sample = asyncio.run(_with_samples(settings))
    database = settings.home / "doorward.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        _multiply(connection, sample, tokens=tokens)
    return sample.pair


async def _with_samples(settings: Settings) -> _Sample:
    """Prepare the platform and store the rows that the others are copies of."""
    await prepare(settings)
    sample = _sample(settings)
    async with await open_storage(settings.database) as storage, storage.write() as unit:
        await unit.apps.add(sample.app)
        await unit.tokens.add(sample.token)
        await unit.policy.app_changed(sample.app.app_id)
        await unit.policy.token_changed(sample.token.token_id)
    return sample


def _sample(settings: Settings) -> _Sample:
    key = load_platform_key(settings.key_file)
    secret = mint_secret(mint_token_id())
    app_id = AppId(str(uuid.uuid4()))
    app = App(
        app_id=app_id,
        display_name="benchmark",
        region=REGION,
        labels={"group": "g0", "team": "a", "ovh/id": app_id, "ovh/type": "app"},
        spec=AppSpec(source=ExternalSource(address=Address(host="127.0.0.1", port=9))),
        status=AppStatus(state=AppState.STOPPED),
        create_time=_NOW,
        update_time=_NOW,
    )
    mac = key.token_macs().mac(secret)
    token = Token(
        token_id=secret.token_id,
        display_name="benchmark",
        role=Role.READ_ONLY,
        region=REGION,
        selector=parse_selector("group=g0"),
        # Checks never see the Argon2 hash, and this token is used with nothing else.
        generations=(Generation(number=1, argon2_hash="$argon2id$", mac=mac, mac_key_id=key.key_id),),
        expire_time=None,
        create_time=_NOW,
        update_time=_NOW,
    )
    pair = Pair(host=app_host(app_id, DOMAIN), secret=secret.reveal())
    return _Sample(app=app, token=token, pair=pair)


def _multiply(connection: sqlite3.Connection, sample: _Sample, *, tokens: int) -> None:
    # An app for ten tokens, a group of ten apps: as in `population`.
    apps = tokens // 10
    group = f"'g' || (n.i % {max(1, apps // 10)})"
    app_id, token_id = str(sample.app.app_id), str(sample.token.token_id)
    _copy(connection, "apps", {"app_id": app_id}, {"app_id": _APP_ID}, times=apps)
    for key, value in {"group": group, "team": "'a'", "ovh/id": _APP_ID, "ovh/type": "'app'"}.items():
        changes = {"app_id": _APP_ID, "value": value}
        _copy(connection, "app_labels", {"app_id": app_id, "key": key}, changes, times=apps)
    selector = {"token_id": _TOKEN_ID, "selector": f"'group=' || {group}"}
    _copy(connection, "tokens", {"token_id": token_id}, selector, times=tokens)
    secret = {"token_id": _TOKEN_ID, "mac": "randomblob(32)"}
    _copy(connection, "token_generations", {"token_id": token_id}, secret, times=tokens)


def _copy(
    connection: sqlite3.Connection,
    table: str,
    row: Mapping[str, str],
    changes: Mapping[str, str],
    *,
    times: int,
) -> None:
    """Copy one row so many times, with the SQL expressions *changes* in some columns; ``n.i`` counts."""
    columns = [each[1] for each in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(column, f'copied."{column}"') for column in columns)
    found = " AND ".join(f'copied."{column}" = ?' for column in row)
    connection.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"  # noqa: S608 - ours
        f" INSERT INTO {table} SELECT {values} FROM n, {table} copied WHERE {found}",
        list(row.values()),
    )

"""The use cases on a real database, with fakes around them."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from doorward_server.domain.apps import App, AppSpec, AppState, ExternalSource, parse_address
from doorward_server.domain.credentials import PlatformKey, Secret, mint_token_id
from doorward_server.domain.ids import AppId, RegionName
from doorward_server.domain.labels import parse_labels
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector
from doorward_server.domain.sessions import ConsoleSeals, SessionSeals
from doorward_server.domain.tokens import Token
from doorward_server.services.access_service import AccessService
from doorward_server.services.app_service import AppService, NewApp
from doorward_server.services.audit_service import AuditService
from doorward_server.services.authentication import Authenticator
from doorward_server.services.calls import Call, authorize
from doorward_server.services.hashing import Argon2Cost, SecretHasher
from doorward_server.services.lifecycle import Lifecycle
from doorward_server.services.liveness import TokenLiveness
from doorward_server.services.minting import Mint
from doorward_server.services.pages import Pager
from doorward_server.services.ports import AuditEvent, AuditFilter
from doorward_server.services.replica_service import ReplicaService
from doorward_server.services.session_limit import SessionLimit, SessionRate
from doorward_server.services.session_service import SessionService, SessionTimes
from doorward_server.services.signals import Signals
from doorward_server.services.token_service import NewToken, TokenService
from doorward_server.storage import SqlStorage
from tests.support.fakes import FakeClock, FakePropagation, FakeRuntime
from tests.support.waiting import eventually

GRA = RegionName("GRA")
BHS = RegionName("BHS")
SESSION_BURST = 8
CHEAP = Argon2Cost(memory_kib=8, time_cost=1, parallelism=1)


@dataclass(kw_only=True)
class World:
    """A platform without processes and wires."""

    storage: SqlStorage
    clock: FakeClock
    propagation: FakePropagation
    runtime: FakeRuntime
    signals: Signals
    hasher: SecretHasher
    key: PlatformKey
    admin: Token

    def __post_init__(self) -> None:
        self.mint = Mint(self.key, self.hasher)
        self.seals = SessionSeals(self.key.session_key())
        self.console_seals = ConsoleSeals(self.key.console_key())
        self.pager = Pager(self.key.page_key())
        self.lifecycle = Lifecycle(
            storage=self.storage, propagation=self.propagation, signals=self.signals, clock=self.clock
        )
        self.runtime.sink = self.lifecycle.observe
        self.apps = AppService(
            storage=self.storage,
            propagation=self.propagation,
            lifecycle=self.lifecycle,
            runtime=self.runtime,
            signals=self.signals,
            pager=self.pager,
            clock=self.clock,
            reserved_prefix="ovh/",
        )
        self.tokens = TokenService(
            storage=self.storage,
            mint=self.mint,
            propagation=self.propagation,
            signals=self.signals,
            pager=self.pager,
            clock=self.clock,
        )
        self.access = AccessService(
            storage=self.storage, pager=self.pager, clock=self.clock, mac_key_id=self.key.key_id
        )
        self.audit = AuditService(storage=self.storage, pager=self.pager)
        self.replicas = ReplicaService(followers=self.propagation, pager=self.pager, clock=self.clock)
        self.authenticator = Authenticator(
            storage=self.storage,
            mint=self.mint,
            seals=self.seals,
            console_seals=self.console_seals,
            session_idle=timedelta(minutes=30),
            propagation=self.propagation,
            clock=self.clock,
        )
        self.sessions = SessionService(
            storage=self.storage,
            seals=self.seals,
            console_seals=self.console_seals,
            propagation=self.propagation,
            signals=self.signals,
            clock=self.clock,
            times=SessionTimes(idle=timedelta(minutes=30), max_age=timedelta(hours=12)),
            limit=SessionLimit(
                SessionRate(burst=SESSION_BURST, per_minute=1), clock=lambda: self.clock().timestamp()
            ),
            console_host="console.localhost",
            region_domains={"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"},
        )
        self.liveness = TokenLiveness(storage=self.storage, signals=self.signals, clock=self.clock)

    def call(self, action: str, caller: Token | None = None) -> Call:
        """A call by *caller*, by default the administrator."""
        caller = caller or self.admin
        return authorize(action, caller, generation=caller.generation, request_id="test")

    async def app(
        self, name: str = "hello", labels: Mapping[str, str] | None = None, *, region: RegionName = GRA
    ) -> App:
        """Create an app and wait until it runs."""
        new = NewApp(
            display_name=name,
            region=region,
            labels=parse_labels(labels or {}),
            spec=AppSpec(source=ExternalSource(address=parse_address("127.0.0.1:9"))),
        )
        app = await self.apps.create(self.call("CreateApp"), new)
        return await self.in_state(app.app_id, AppState.RUNNING)

    async def app_without_lifecycle(self) -> AppId:
        """An app that was told to go by a server that ended before it did so."""
        new = NewApp(
            display_name="left over",
            region=GRA,
            labels={},
            spec=AppSpec(source=ExternalSource(address=parse_address("127.0.0.1:9"))),
        )
        app = await self.apps.create(self.call("CreateApp"), new)
        async with self.storage.write() as work:
            await work.apps.save(app.in_state(AppState.DELETING, at=self.clock()))
        return app.app_id

    async def in_state(self, app_id: AppId, state: AppState) -> App:
        """Wait until an app is in a state."""

        async def look() -> App | None:
            async with self.storage.read() as work:
                app = await work.apps.get(app_id)
            return app if app is not None and app.status.state is state else None

        return await eventually(look, what=f"app in state {state.name}")

    async def token(
        self,
        name: str = "demo",
        *,
        role: Role = Role.READ_ONLY,
        selector: str | None = None,
        expire_time: datetime | None = None,
    ) -> tuple[Token, Secret]:
        """Create a token of region GRA."""
        new = NewToken(
            display_name=name,
            role=role,
            region=None if role is Role.ADMIN else GRA,
            selector=None if selector is None else parse_selector(selector),
            expire_time=expire_time,
        )
        token, secret = await self.tokens.create(self.call("CreateToken"), new)
        assert secret is not None
        return token, secret

    async def audited(self, action: str) -> list[AuditEvent]:
        """The events of an action, newest first."""
        async with self.storage.read() as work:
            return list(await work.audit.page(AuditFilter(action=action), before=None, limit=100))


@pytest.fixture
async def world(storage: SqlStorage) -> AsyncIterator[World]:
    """A platform with one ADMIN token and nothing else."""
    key = PlatformKey("k1", secrets.token_bytes(32))
    hasher = SecretHasher(CHEAP, queue_length=32)
    clock = FakeClock()
    now = clock()
    admin_id = mint_token_id()
    _, generation = await Mint(key, hasher).issue(admin_id, 1)
    admin = Token(
        token_id=admin_id,
        display_name="admin",
        role=Role.ADMIN,
        region=None,
        selector=None,
        generations=(generation,),
        expire_time=None,
        create_time=now,
        update_time=now,
    )
    async with storage.write() as work:
        await work.tokens.add(admin)
        await work.policy.token_changed(admin.token_id)
    made = World(
        storage=storage,
        clock=clock,
        propagation=FakePropagation(),
        runtime=FakeRuntime(),
        signals=Signals(),
        hasher=hasher,
        key=key,
        admin=admin,
    )
    await made.lifecycle.start(made.runtime)
    yield made
    await made.lifecycle.close()
    hasher.close()

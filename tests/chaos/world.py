"""A platform of its own with something on it, and a load that is judged."""

import asyncio
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import MappingProxyType

from tests.chaos.churn import Churn
from tests.chaos.health import fault_of
from tests.chaos.load import Load
from tests.chaos.operator import Operator
from tests.chaos.oracle import Oracle, Refusal
from tests.chaos.scene import Kind, Scene, set_scene
from tests.chaos.stream_proxy import StreamProxy
from tests.chaos.terms import Terms
from tests.chaos.witness import Witness
from tests.e2e.support.platform import Platform, running_platform

LEASE = 2.0
"""Seconds; short, so that an api that is away for longer is soon there."""

CHECK_SECONDS = 1.0
"""How long Envoy waits for a decision, all replicas that it asks together."""

_ALL_TRIED_SECONDS = 30.0
"""How long a load goes on at most for what it has not tried. Where calls wait, little is dead at first."""

_HOOKS = Path(__file__).with_name("hooks")
_SETTINGS = {
    "policy_lease": str(LEASE),
    "policy_heartbeat": "0.5",
    "envoy_concurrency": "2",
    "shutdown_grace": "1",
    # Churn mints secrets all the time; what they cost is not what is under test.
    "argon2_memory_kib": "8",
    "argon2_time_cost": "1",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running platform."""

    platform: Platform
    scene: Scene
    witness: Witness
    replicas: int
    terms: Terms
    remembered: float = 0.0
    """For how many seconds Envoy may repeat an allow."""
    stream: StreamProxy | None = None
    """What the policy stream goes through, if it is not direct."""

    @property
    def hits(self) -> int:
        """How many allows Envoy has repeated, by its access log."""
        return self.platform.log.read_text().count('"cached":true')

    @asynccontextmanager
    async def under_load(self, rng: Random) -> AsyncIterator["Run"]:
        """Send requests and churn tokens during the block; fails when one was allowed that must not be."""
        run = Run(self, rng)
        stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(run.load.run(stop))
                tasks.create_task(run.churn.run(stop))
                try:
                    yield run
                    await run.until_all_is_tried()
                finally:
                    stop.set()
        finally:
            run.close()
            # What was hung up on is closed in the next round of the loop.
            await asyncio.sleep(0)
        run.check()


class Run:
    """A load that goes on, and what came of it."""

    def __init__(self, world: World, rng: Random) -> None:
        self.oracle = Oracle()
        self.operator = Operator(world.platform)
        self._churning = Operator(world.platform)
        self.churn = Churn(self._churning, world.scene, rng)
        self.load = Load(
            address=world.platform.address,
            witness=world.witness,
            oracle=self.oracle,
            rng=rng,
            kinds=self._next_kind,
        )
        self._world = world
        self._dealt = world.scene.dealt(rng)
        self._began = time.monotonic()
        self._hits = world.hits

    def _next_kind(self, rng: Random) -> Kind:
        return self.churn.any_of(rng) if rng.random() < 0.4 else next(self._dealt)

    async def for_a_while(self) -> None:
        """Let the load go on."""
        await asyncio.sleep(self._world.terms.seconds)

    async def until_churned(self, *, calls: int, within: float) -> None:
        """Let the load go on until so many more calls have succeeded."""
        goal, deadline = self.churn.done + calls, time.monotonic() + within
        while self.churn.done < goal:
            assert time.monotonic() < deadline, list(self.churn.unknown)
            await asyncio.sleep(0.02)

    async def until_refused(self, *, within: float) -> None:
        """Let the load go on until a call has failed since it began."""
        deadline = time.monotonic() + within
        while not self.churn.unknown:
            assert time.monotonic() < deadline, "no call has failed"
            await asyncio.sleep(0.02)

    async def until_all_is_tried(self) -> None:
        """Let the load go on while a kind of request has not been answered yet, but not for ever."""
        deadline = time.monotonic() + _ALL_TRIED_SECONDS
        while self.untried and not self.oracle.violations:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.02)

    async def healthy_again(self, *, after: str) -> None:
        """Wait until everything works, which it must soon, and see that it stays so for a while."""
        began, world = time.monotonic(), self._world
        # A call that narrows access, which is part of being healthy, waits until Envoy has forgotten.
        within = world.terms.healthy_within + world.remembered
        while fault := await fault_of(
            world.platform,
            self.operator,
            world.scene,
            replicas=world.replicas,
            remembered=world.remembered,
        ):
            assert time.monotonic() < began + within, f"{after}: {within:g} s later: {fault}"
            await asyncio.sleep(0.05)
        healthy = time.monotonic()
        _log.info("healthy %.1f s after %s", healthy - began, after)
        await self.for_a_while()
        refused = self.lasting_refusals(healthy, time.monotonic())
        assert not refused, f"{after}, when all was well again: {refused[:5]}"

    def lasting_refusals(self, begin: float, end: float) -> list[Refusal]:
        """The refusals of requests with a right that nobody ever took away, sent within a time."""
        steady = {kind.name for kind in self._world.scene.allowed}
        return [each for each in self.oracle.refusals_between(begin, end) if each.request.kind in steady]

    @property
    def costs(self) -> list[Refusal]:
        """All of those since the load began."""
        return self.lasting_refusals(self._began, time.monotonic())

    @property
    def untried(self) -> set[str]:
        """What was not yet allowed, or not yet refused, of all that must be."""
        scene, churned = self._world.scene, {"churned token"}
        allowed = {kind.name for kind in scene.allowed} | churned
        forbidden = {kind.name for kind in scene.forbidden} | churned
        return {
            *(f"{name}, allowed" for name in allowed - self.oracle.passed.keys()),
            *(f"{name}, refused" for name in forbidden - self.oracle.stopped.keys()),
        }

    def close(self) -> None:
        """Hang up."""
        self.operator.close()
        self._churning.close()

    def check(self) -> None:
        """Fail when something was allowed that must not be, or when the load was none."""
        violations = self.oracle.violations
        first_of_kind = {each.partition(" was ")[0]: each for each in reversed(violations)}
        assert not violations, f"{len(violations)} violations: {list(first_of_kind.values())}"
        # A token that never changed is refused by what does not work, never by a policy that lacks it.
        wrong = [each for each in self.costs if each.status not in {None, 503}]
        assert not wrong, f"live tokens were refused: {wrong[:5]}"
        assert not self.untried, f"untried: {self.untried}"
        assert self.churn.done, f"no call has succeeded: {list(self.churn.unknown)}"
        if self._world.remembered:
            assert self._world.hits > self._hits, "Envoy has repeated no allow"


@contextmanager
def running_world(
    terms: Terms,
    *,
    replicas: int = 1,
    hooks: Sequence[str] = (),
    remembered: float = 0.0,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[World]:
    """A world in a new folder, with some of `hooks` in its Python processes; removed at the end.

    *remembered*: for how many seconds Envoy may repeat an allow without asking.
    """
    witness = Witness()
    path = os.pathsep.join([str(_HOOKS), str(_HOOKS.parents[2])])
    environment = {"PYTHONPATH": path, "CHAOS_HOOKS": ",".join(hooks)} if hooks else {}
    try:
        own = {"check_processes": str(replicas), "edge_cache_lifetime": str(remembered)}
        merged = {**_SETTINGS, **own, **settings}
        with running_platform(environment, **merged) as platform:
            scene = asyncio.run(set_scene(platform, witness.port))
            yield World(
                platform=platform,
                scene=scene,
                witness=witness,
                replicas=replicas,
                terms=terms,
                remembered=remembered,
            )
    finally:
        witness.close()


@contextmanager
def rigged_world(
    terms: Terms, *, replicas: int = 1, hooks: Sequence[str] = (), remembered: float = 0.0
) -> Iterator[World]:
    """A world whose policy stream goes through a proxy."""
    folder = Path(tempfile.mkdtemp(prefix="dw-"))
    run = folder / "run"
    proxy = StreamProxy(folder, run / "api.sock")
    try:
        settings = {"check_api_target": proxy.target, "run_dir": str(run)}
        with running_world(
            terms, replicas=replicas, hooks=hooks, remembered=remembered, settings=settings
        ) as world:
            yield replace(world, stream=proxy)
    finally:
        proxy.close()
        shutil.rmtree(folder)

"""Apps that run already, at an address that their owner has named."""

import asyncio
import ipaddress
import logging
import math
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from doorward_server.domain.apps import AppState, ExternalSource, Readiness, Source, check_reachable
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.ids import AppId
from doorward_server.domain.policy import Address
from doorward_server.runtimes.health import Health, NotReady, Ready, changes
from doorward_server.runtimes.probes import PROBE_TIMEOUT, probe
from doorward_server.runtimes.reporter import Reporter
from doorward_server.runtimes.turns import Turns
from doorward_server.services.clock import Clock, utc_now
from doorward_server.services.runtime import LogLine, LogStream, Observation, RuntimeDisabledError, Sink

_log = logging.getLogger(__name__)

_PROBES_PER_SECOND: Final = 200
"""So many cost api a fraction of its time, however many apps there are. Up to as many apps are probed every
second, the period when none is named."""

_PROBES_AT_ONCE: Final = 256
"""Apps that hang keep a place for as long as a probe may take. These are too few for api's descriptors to run
out where 1024 is the limit, and enough for the others to be probed while hundreds hang."""

_HURRY: Final = 60.0
"""Seconds from its first probe for which an app that is not ready yet is probed before others: somebody may
wait for it. After that it is one of many that are down."""


class ExternalRuntime:
    """Watches apps that others run.

    A DNS name is resolved anew for each probe, and what is reported is the IP address that was checked and
    probed. So Envoy never resolves the name, and cannot be led by it to an address that is forbidden.

    Apps are probed in turns: where there are too many for each to be probed every period, it takes longer.
    """

    def __init__(
        self,
        *,
        sink: Sink,
        probe_timeout: float = PROBE_TIMEOUT,
        turns: Turns | None = None,
        clock: Clock = utc_now,
    ) -> None:
        """*probe_timeout*: seconds for an answer; *clock* dates the one line of the log.

        *turns*: when apps are probed. By default any number of them leaves api time for its callers.
        """
        self._sink = sink
        self._probe_timeout = probe_timeout
        self._turns = turns or Turns(at_once=_PROBES_AT_ONCE, per_second=_PROBES_PER_SECOND)
        self._clock = clock
        self._runs: dict[AppId, _ExternalRun] = {}

    def check(self, source: Source) -> None:
        """Raise `RuntimeDisabledError` for a source that is not external."""
        if not isinstance(source, ExternalSource):
            raise RuntimeDisabledError("process")

    async def start(self, app_id: AppId, source: Source, readiness: Readiness) -> None:
        """Have the app watched; raises `RuntimeDisabledError` for a source that is not external."""
        if not isinstance(source, ExternalSource):
            raise RuntimeDisabledError("process")
        before = self._runs.get(app_id)
        if before is not None:
            if not before.over:
                return
            await before.stop()
        self._runs[app_id] = _ExternalRun(
            app_id,
            source.address,
            readiness,
            sink=self._sink,
            probe_timeout=self._probe_timeout,
            turns=self._turns,
        )

    async def stop(self, app_id: AppId) -> None:
        """Watch the app no more. It goes on running: it is not ours to stop."""
        run = self._runs.pop(app_id, None)
        if run is not None:
            await run.stop()

    async def logs(
        self,
        app_id: AppId,  # noqa: ARG002 - the same for all
        *,
        tail: int | None,
        follow: bool,  # noqa: ARG002 - there is nothing to follow
    ) -> AsyncGenerator[LogLine, None]:
        """One note: what the app prints is kept where it runs."""
        if tail != 0:
            note = "this app runs elsewhere: what it prints is not kept here"
            yield LogLine(self._clock(), LogStream.PLATFORM, note)

    async def forget(self, app_id: AppId) -> None:
        """Watch the app no more: nothing is kept of it."""
        await self.stop(app_id)

    async def close(self) -> None:
        """Watch no app any more."""
        await asyncio.gather(*(self.stop(app_id) for app_id in list(self._runs)))


class _ExternalRun:
    """Watches one app until it is stopped."""

    def __init__(
        self,
        app_id: AppId,
        address: Address,
        readiness: Readiness,
        *,
        sink: Sink,
        probe_timeout: float,
        turns: Turns,
    ) -> None:
        self._app_id = app_id
        self._address = address
        self._readiness = readiness
        self._probe_timeout = probe_timeout
        self._turns = turns
        self._hurry_ends = math.inf
        """On the event loop's clock."""
        self._last: str | None = None
        """The address that was good before."""
        self._reporter = Reporter(app_id, sink)
        self._task = asyncio.create_task(self._guarded(), name=f"app {app_id}")

    @property
    def over(self) -> bool:
        """Whether the app is not watched any more."""
        return self._task.done()

    async def stop(self) -> None:
        """Return when nothing is probed or reported any more."""
        await self._reporter.close()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _guarded(self) -> None:
        try:
            await self._watch()
        except InvalidValueError as error:
            self._report(AppState.FAILED, f"the address must not be used: {error}")
        except Exception:  # noqa: BLE001 - a defect of ours must show on the app, not vanish with the task
            _log.exception("app %s: watching it failed", self._app_id)
            self._report(AppState.ERROR, "the platform failed to watch the app")

    async def _watch(self) -> None:
        seen = changes(self._probe, self._readiness)
        try:
            async for health in seen:
                if isinstance(health, Ready):
                    self._report(AppState.RUNNING, address=health.address)
                else:
                    self._report(AppState.INITIALIZING, f"not ready: {health.reason}")
        finally:
            await seen.aclose()

    async def _probe(self) -> Health:
        async with self._turn():
            candidates = await self._candidates()
            if not candidates:
                return NotReady("its name does not resolve")
            health = await self._probe_at(candidates[0])
        # One turn for each, so that a name with many addresses that hang holds up no other app.
        for host in candidates[1:]:
            if isinstance(health, Ready):
                break
            async with self._turn():
                other = await self._probe_at(host)
            health = other if isinstance(other, Ready) else health
        return health

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        now = asyncio.get_running_loop().time
        async with self._turns.turn(hurry=self._last is None and now() < self._hurry_ends):
            # Not before the first turn: after a start of api that may be long in coming.
            self._hurry_ends = min(self._hurry_ends, now() + _HURRY)
            yield

    async def _candidates(self) -> list[str]:
        addresses = await self._resolve()
        # All of them: a name that also has a forbidden address is one that somebody plays with.
        for each in addresses:
            check_reachable(ipaddress.ip_address(each))
        # The one that was good before comes first, so that names with many addresses do not jump about.
        return sorted(addresses, key=lambda each: each != self._last)

    async def _probe_at(self, host: str) -> Health:
        at = Address(host=host, port=self._address.port)
        failure = await probe(
            at, path=self._readiness.path, host=str(self._address), patience=self._probe_timeout
        )
        if failure is not None:
            return NotReady(failure)
        self._last = host
        return Ready(at)

    async def _resolve(self) -> list[str]:
        """The IP addresses of the app's host, each once, in the order that the system prefers."""
        try:
            async with asyncio.timeout(self._probe_timeout):
                found = await asyncio.get_running_loop().getaddrinfo(
                    self._address.host, self._address.port, type=socket.SOCK_STREAM
                )
        except (TimeoutError, OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))

    def _report(self, state: AppState, message: str = "", address: Address | None = None) -> None:
        self._reporter.report(Observation(state=state, message=message, address=address))

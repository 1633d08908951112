"""Through the real Envoy: what a request costs with and without Doorward, in every process that it meets."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from benchmarks.children import Child, cpu_seconds
from benchmarks.gateways import cheapest_app, gateway, without_auth
from benchmarks.plan import Plan
from benchmarks.requests import known_client
from benchmarks.results import Figure, Results, Row, Spread, at_least, microseconds, milliseconds, ratio
from benchmarks.server import connected
from benchmarks.stand import Stand, noop, stand
from benchmarks.wrk import Load
from doorward_server.settings import Settings

_NO_AUTH, _NOOP, _DOORWARD, _EDGE_CACHE = "no_auth", "noop", "doorward", "edge_cache"
_CACHED: Final = {"edge_cache_lifetime": "1"}


@dataclass(slots=True, kw_only=True)
class _Path:
    """One way to the app."""

    name: str
    port: int
    processes: Mapping[str, psutil.Process]
    load: Load
    throughput: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    failures: int = 0

    def measure(self, *, seconds: float) -> None:
        """One round."""
        before = {name: cpu_seconds(process) for name, process in self.processes.items()}
        done = self.load.run(self.port, seconds=seconds)
        self.failures += done.failures
        self.throughput.append(done.throughput)
        self.p50.append(done.p50)
        self.p99.append(done.p99)
        for name, process in self.processes.items():
            used = cpu_seconds(process) - before[name]
            self.cpu.setdefault(name, []).append(used / max(1, done.requests))


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure all ways in turns."""
    with contextlib.ExitStack() as stack:
        app, port = stack.enter_context(cheapest_app(home / "app"))
        paths = _Ground(stack=stack, plan=plan, home=home, app=app, port=port).paths()
        for path in paths.values():
            path.load.run(path.port, seconds=1)
        for _ in range(plan.rounds):
            for path in paths.values():
                path.measure(seconds=plan.seconds)
    _report(paths, results)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Where ways are built: each with an Envoy of its own, all to one app. All end with *stack*."""

    stack: contextlib.ExitStack
    plan: Plan
    home: Path
    app: psutil.Process
    port: int

    def paths(self) -> dict[str, _Path]:
        """All ways, by their keys."""
        ours = self._stand(_DOORWARD, {})
        load = self._load(_DOORWARD, ours)
        nothing, _ = self.stack.enter_context(noop(self.home / _NOOP, kind="native", answer=_answer(ours)))
        cached = self._stand(_EDGE_CACHE, _CACHED)
        visits = self._load(_EDGE_CACHE, cached)
        return {
            _NO_AUTH: self._way(_NO_AUTH, load, None, {}),
            _NOOP: self._way(_NOOP, load, nothing, {}),
            _DOORWARD: self._way(_DOORWARD, load, ours.replica, {}),
            _EDGE_CACHE: self._way(_EDGE_CACHE, visits, cached.replica, _CACHED),
        }

    def _stand(self, key: str, given: Mapping[str, str]) -> Stand:
        stood = stand(
            self.home / key,
            tokens=self.plan.tokens,
            in_load=self.plan.in_load,
            upstream_port=self.port,
            settings=given,
        )
        return self.stack.enter_context(stood)

    def _load(self, key: str, stood: Stand) -> Load:
        """Some of what may be opened, from all over the policy."""
        every = max(1, len(stood.pairs) // self.plan.pairs)
        return Load(self.home / key, stood.pairs[::every][: self.plan.pairs])

    def _way(self, key: str, load: Load, check: Child | None, given: Mapping[str, str]) -> _Path:
        home = self.home / key
        home.mkdir(mode=0o700, exist_ok=True)
        settings = Settings.model_validate({"home": home, "run_dir": home, "envoy_port": 0, **given})
        edit = without_auth(self.port) if check is None else None
        envoy = self.stack.enter_context(gateway(settings, edit=edit, asks_check=check is not None))
        processes = {"envoy": psutil.Process(envoy.pid), "app": self.app}
        if check is not None:
            processes["check"] = check.usage
        return _Path(name=_NAMES[key], port=envoy.port, processes=processes, load=load)


_NAMES: Final = {
    _NO_AUTH: "Envoy without ext_authz",
    _NOOP: "Envoy, no-op ext_authz, same transport",
    _DOORWARD: "Envoy, Doorward",
    _EDGE_CACHE: "Envoy, Doorward with the edge cache",
}


def _answer(ours: Stand) -> bytes:
    """What Doorward answers; it names the app's address, so it serves the no-op as well."""
    asked = [known_client(ours.pairs[0], number=0)]
    with connected("Doorward", process=ours.replica.usage, socket=ours.socket, templates=asked) as server:
        return server.answer()


def _report(paths: Mapping[str, _Path], results: Results) -> None:
    for key, path in paths.items():
        results.rows.append(
            Row(
                key=f"envoy.{key}",
                name=path.name,
                requests_per_second=Spread.of(path.throughput),
                p50_ms=milliseconds(path.p50),
                p99_ms=milliseconds(path.p99),
                cpu_us={name: microseconds(each) for name, each in path.cpu.items()},
            )
        )
        if path.failures:
            results.faults.append(f"envoy: {path.name}: {path.failures} requests failed")
    ours, cached = paths[_DOORWARD], paths[_EDGE_CACHE]
    results.figures += (
        Figure(
            key="envoy.rps_vs_noop_ext_authz",
            meaning="requests/s through Envoy, to a no-op ext_authz",
            value=ratio(ours.throughput, paths[_NOOP].throughput),
            goal=at_least(0.97),
        ),
        Figure(
            key="envoy.rps_vs_no_auth",
            meaning="requests/s through Envoy, to no ext_authz at all",
            value=ratio(ours.throughput, paths[_NO_AUTH].throughput),
        ),
        Figure(
            key="envoy.edge_cache_rps_vs_no_auth",
            meaning="requests/s with the edge cache, to no ext_authz at all",
            value=ratio(cached.throughput, paths[_NO_AUTH].throughput),
        ),
        Figure(
            key="envoy.edge_cache_rps_vs_doorward",
            meaning="requests/s with the edge cache, to Doorward without",
            value=ratio(cached.throughput, ours.throughput),
        ),
    )

"""Check, asked directly over gRPC: Doorward with a large policy, against servers that decide nothing."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.load import steady
from benchmarks.plan import Plan
from benchmarks.requests import Template, changing_client, known_client
from benchmarks.results import Figure, Results, Row, Spread, at_most, microseconds, milliseconds, ratio
from benchmarks.server import Server, connected
from benchmarks.stand import noop, stand

_DOORWARD: Final = "doorward"
_STRANGERS: Final = "doorward_first"
_NATIVE, _AIO, _THREADS = "native", "grpc.aio", "grpc.server"
_NOOPS: Final = {
    _NATIVE: "no-op, same transport",
    _AIO: "no-op, grpc.aio",
    _THREADS: "no-op, grpc.server",
}


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure all servers in turns."""
    with contextlib.ExitStack() as stack:
        ours = _replica(stack, home / _DOORWARD, plan, known_client, name="Doorward")
        # On a replica of their own, since they push those that it knows out of its memory.
        strangers = _replica(
            stack, home / _STRANGERS, plan, changing_client, name="Doorward, headers never seen before"
        )
        servers = {_DOORWARD: ours, _STRANGERS: strangers}
        # The very bytes that Doorward answers: what is compared is the deciding, not the writing.
        answer = ours.answer()
        for kind, called in _NOOPS.items():
            process, socket = stack.enter_context(noop(home / kind, kind=kind, answer=answer))
            servers[kind] = stack.enter_context(
                connected(called, process=process.usage, socket=socket, templates=ours.templates)
            )
        for server in servers.values():
            server.warm_up(seconds=plan.seconds)
        with steady():
            for turn in range(plan.rounds):
                for key, server in servers.items():
                    server.measure_latency(rate=plan.rate, seconds=plan.seconds, seed=turn)
                    server.measure_cost(seconds=plan.seconds)
                    # One request over and over is soon no stranger's.
                    if key != _STRANGERS:
                        server.measure_throughput(seconds=plan.seconds)
    _report(servers, results)


def _replica(
    stack: contextlib.ExitStack,
    home: Path,
    plan: Plan,
    client: Callable[..., Template],
    *,
    name: str,
) -> Server:
    """A replica of its own, asked by clients of one kind."""
    stood = stack.enter_context(stand(home, tokens=plan.tokens, in_load=plan.in_load))
    templates = [client(pair, number=number) for number, pair in enumerate(stood.pairs)]
    return stack.enter_context(
        connected(name, process=stood.replica.usage, socket=stood.socket, templates=templates)
    )


def _report(servers: dict[str, Server], results: Results) -> None:
    for key, server in servers.items():
        series = server.series
        results.rows.append(
            Row(
                key=f"check.{key.replace('.', '_')}",
                name=server.name,
                requests_per_second=Spread.of(series.throughput) if series.throughput else None,
                p50_ms=milliseconds(series.p50),
                p99_ms=milliseconds(series.p99),
                cpu_us={"check": microseconds(series.cpu)},
            )
        )
        if server.failures:
            results.faults.append(f"check: {server.name}: {server.failures} calls failed")

    def against(kind: str, figure: Callable[[Server], list[float]]) -> Spread:
        return ratio(figure(servers[_DOORWARD]), figure(servers[kind]))

    results.figures += (
        Figure(
            key="check.cpu_vs_noop_same_transport",
            meaning="CPU a decision, to a no-op on the same transport",
            value=against(_NATIVE, _cpu),
            goal=at_most(1.3),
        ),
        Figure(
            key="check.cpu_vs_noop_grpc_aio",
            meaning="CPU a decision, to a no-op grpc.aio server",
            value=against(_AIO, _cpu),
            goal=at_most(0.125),
        ),
        Figure(
            key="check.cpu_vs_noop_grpc_server",
            meaning="CPU a decision, to a no-op grpc.server",
            value=against(_THREADS, _cpu),
        ),
        Figure(
            key="check.cpu_first_vs_noop_same_transport",
            meaning="the same, of requests that are the first of their kind",
            value=ratio(_cpu(servers[_STRANGERS]), _cpu(servers[_NATIVE])),
        ),
        Figure(
            key="check.rps_vs_noop_same_transport",
            meaning="Checks a second, to a no-op on the same transport",
            value=against(_NATIVE, lambda server: server.series.throughput),
        ),
        Figure(
            key="check.p99_vs_noop_same_transport",
            meaning="p99 of Check, to a no-op on the same transport",
            value=against(_NATIVE, lambda server: server.series.p99),
        ),
        Figure(
            key="check.late_p99_ms",
            meaning="how late the generator itself was at p99, ms: no server's doing",
            value=milliseconds(servers[_NATIVE].series.late_p99),
        ),
    )


def _cpu(server: Server) -> list[float]:
    return server.series.cpu

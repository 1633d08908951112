"""Check, asked directly over gRPC: Doorward with a large policy, against servers that decide nothing."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.load import steady
from benchmarks.plan import Plan
from benchmarks.requests import check_request
from benchmarks.results import Figure, Results, Row, Spread, at_most, microseconds, milliseconds, ratio
from benchmarks.server import Server, connected
from benchmarks.stand import noop, stand

_DOORWARD: Final = "doorward"
_NATIVE, _AIO, _THREADS = "native", "grpc.aio", "grpc.server"
_NOOPS: Final = {
    _NATIVE: "no-op, same transport",
    _AIO: "no-op, grpc.aio",
    _THREADS: "no-op, grpc.server",
}


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure all servers in turns."""
    with contextlib.ExitStack() as stack:
        stood = stack.enter_context(stand(home / "doorward", tokens=plan.tokens, in_load=plan.in_load))
        requests = [check_request(pair) for pair in stood.pairs]
        name = f"Doorward, {plan.tokens:,} tokens"
        ours = stack.enter_context(
            connected(name, process=stood.replica.usage, socket=stood.socket, requests=requests)
        )
        servers = {_DOORWARD: ours}
        # The very bytes that Doorward answers: what is compared is the deciding, not the writing.
        answer = ours.answer(requests[0])
        for kind, called in _NOOPS.items():
            process, socket = stack.enter_context(noop(home / kind, kind=kind, answer=answer))
            servers[kind] = stack.enter_context(
                connected(called, process=process.usage, socket=socket, requests=requests)
            )
        for server in servers.values():
            server.warm_up(seconds=plan.seconds)
        with steady():
            for turn in range(plan.rounds):
                for server in servers.values():
                    server.measure_latency(rate=plan.rate, seconds=plan.seconds, seed=turn)
                    server.measure_cost(seconds=plan.seconds)
                    server.measure_throughput(seconds=plan.seconds)
    _report(servers, results)


def _report(servers: dict[str, Server], results: Results) -> None:
    for key, server in servers.items():
        series = server.series
        results.rows.append(
            Row(
                key=f"check.{key.replace('.', '_')}",
                name=server.name,
                requests_per_second=Spread.of(series.throughput),
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
            key="check.rps_vs_noop_same_transport",
            meaning="Checks a second, to a no-op on the same transport",
            value=against(_NATIVE, lambda server: server.series.throughput),
        ),
        Figure(
            key="check.p99_vs_noop_same_transport",
            meaning="p99 of Check, to a no-op on the same transport",
            value=against(_NATIVE, lambda server: server.series.p99),
        ),
    )


def _cpu(server: Server) -> list[float]:
    return server.series.cpu

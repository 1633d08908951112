"""A server under measurement: started in a process of its own, asked, and stopped."""

import base64
import contextlib
import json
import selectors
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from envoy.service.auth.v3 import external_auth_pb2

from benchmarks.connection import Connection
from benchmarks.load import at_rate, percentile, saturating
from doorward_server.check.transports.contract import CHECK_METHOD

_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_CALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What to measure: a kind of server and the workload that it runs."""

    name: str
    kind: str
    workload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How hard to ask. The same for every case."""

    rate: float
    seconds: float
    connections: int
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one turn of a server came to."""

    p50: float
    p99: float
    """Seconds."""
    own_p99: float
    """Seconds that the load generator itself was late."""
    throughput: float
    """Calls a second."""
    cpu_seconds: float
    """Of the server, a call."""


@dataclass(slots=True, kw_only=True)
class Subject:
    """One running server and what was measured of it so far."""

    case: Case
    process: psutil.Process
    connections: Sequence[Connection]
    requests: Sequence[bytes]
    rounds: list[Round] = field(default_factory=list)
    failures: int = 0

    def median(self, figure: Callable[[Round], float]) -> float:
        """A figure of the typical round: one that something else on the machine disturbed does not count."""
        return statistics.median(map(figure, self.rounds))

    def warm_up(self, load: Load) -> None:
        """Ask every request once and see that it is allowed, then let caches and branch predictors settle."""
        for request in self.requests:
            answer = external_auth_pb2.CheckResponse.FromString(self._answer(request))
            if answer.status.code != 0 or not answer.HasField("ok_response"):
                raise RuntimeError(
                    f"{self.case.name} does not allow what it is to be measured with: {answer}"
                )
        saturating(self.connections, self.requests, in_flight=load.in_flight, seconds=load.seconds / 2)

    def measure(self, load: Load, *, seed: int) -> None:
        """One round: latency at the rate, then throughput and its cost."""
        paced = at_rate(self.connections, self.requests, rate=load.rate, seconds=load.seconds, seed=seed)
        before = self._cpu()
        full = saturating(self.connections, self.requests, in_flight=load.in_flight, seconds=load.seconds)
        self.failures += paced.failures + full.failures
        self.rounds.append(
            Round(
                p50=percentile(paced.latencies, 50),
                p99=percentile(paced.latencies, 99),
                own_p99=percentile(paced.delays, 99),
                throughput=len(full.latencies) / full.seconds,
                cpu_seconds=(self._cpu() - before) / max(1, len(full.latencies)),
            )
        )

    def _answer(self, request: bytes) -> bytes:
        connection = self.connections[0]
        connection.call(request, due=0)
        connection.flush()
        while not (ended := connection.receive()):
            pass
        if ended[0].body is None:
            raise RuntimeError(f"{self.case.name} fails a call that it is to be measured with")
        return ended[0].body

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def running(case: Case, *, directory: Path, load: Load) -> Iterator[Subject]:
    """Start a case's server, connect to it, and stop it after the block."""
    path = directory / f"{case.kind}-{case.workload}.sock"
    command = [sys.executable, "-m", "benchmarks.server", str(path), case.kind, case.workload]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            requests = [base64.b64decode(request) for request in json.loads(_first_line(process))["requests"]]
            with contextlib.ExitStack() as stack:
                connections = [
                    stack.enter_context(
                        contextlib.closing(Connection(path, CHECK_METHOD, timeout=_CALL_SECONDS))
                    )
                    for _ in range(load.connections)
                ]
                yield Subject(
                    case=case,
                    process=psutil.Process(process.pid),
                    connections=connections,
                    requests=requests,
                )
        finally:
            _stop(process)


def _first_line(process: "subprocess.Popen[bytes]") -> bytes:
    stdout = process.stdout
    if stdout is None:
        raise RuntimeError("the server has no standard output")
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        if not selector.select(_START_SECONDS):
            raise RuntimeError(f"the server said nothing for {_START_SECONDS:.0f} s")
    line = stdout.readline()
    if not line:
        raise RuntimeError("the server ended before it served")
    return line


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()

"""A gRPC server under measurement: what it is asked, and what the answers cost it."""

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from envoy.service.auth.v3 import external_auth_pb2

from benchmarks.children import ChildError, cpu_seconds
from benchmarks.connection import Connection
from benchmarks.h2load import grpc_calls
from benchmarks.load import at_rate, each_once, percentile, saturating
from benchmarks.requests import Template, requests_of
from doorward_server.check.transports.contract import CHECK_METHOD

CONNECTIONS: Final = 4
IN_FLIGHT: Final = 16
_CALL_SECONDS: Final = 5.0


@dataclass(slots=True, kw_only=True)
class Series:
    """One value a round of each figure. Times in seconds."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    late_p99: list[float] = field(default_factory=list)
    """How late the generator itself was."""
    cpu: list[float] = field(default_factory=list)
    """Of the server, a call, with many different requests."""
    throughput: list[float] = field(default_factory=list)
    """Calls a second, with one request over and over."""


class Server:
    """A running server, and the requests that it is asked. Made by `connected`."""

    def __init__(
        self,
        name: str,
        *,
        process: psutil.Process,
        socket: Path,
        connections: Sequence[Connection],
        templates: Sequence[Template],
    ) -> None:
        self.name = name
        self.series = Series()
        self.failures = 0
        self._process = process
        self._socket = socket
        self._connections = connections
        self.templates = templates
        self._requests = requests_of(templates)

    def warm_up(self, *, seconds: float) -> None:
        """Ask every request once and see that it is allowed, then let caches and branch predictors settle."""
        once = list(itertools.islice(self._requests, len(self.templates)))
        for body in each_once(self._connections, once, in_flight=IN_FLIGHT):
            if body is None:
                raise ChildError(f"{self.name} fails a call that it is to be measured with")
            answer = external_auth_pb2.CheckResponse.FromString(body)
            if answer.status.code != 0 or not answer.HasField("ok_response"):
                raise ChildError(f"{self.name} does not allow what it is to be measured with: {answer}")
        saturating(self._connections, self._requests, in_flight=IN_FLIGHT, seconds=seconds)

    def measure_latency(self, *, rate: float, seconds: float, seed: int) -> None:
        """One round at a rate of its own, all requests in turn."""
        outcome = at_rate(self._connections, self._requests, rate=rate, seconds=seconds, seed=seed)
        self.failures += outcome.failures
        self.series.p50.append(percentile(outcome.latencies, 50))
        self.series.p99.append(percentile(outcome.latencies, 99))
        self.series.late_p99.append(percentile(outcome.delays, 99))

    def measure_cost(self, *, seconds: float) -> None:
        """One round of all that the generator can send, all requests in turn: CPU a call."""
        before = cpu_seconds(self._process)
        outcome = saturating(self._connections, self._requests, in_flight=IN_FLIGHT, seconds=seconds)
        self.failures += outcome.failures
        calls = len(outcome.latencies)
        self.series.cpu.append((cpu_seconds(self._process) - before) / calls if calls else math.nan)

    def measure_throughput(self, *, seconds: float) -> None:
        """One round of all that h2load can send: one request over and over."""
        done = grpc_calls(
            self._socket,
            CHECK_METHOD,
            next(self._requests),
            connections=CONNECTIONS,
            in_flight=IN_FLIGHT,
            seconds=seconds,
        )
        self.failures += done.failures
        self.series.throughput.append(done.throughput)

    def answer(self) -> bytes:
        """What it answers to a request; raises `ChildError` for none."""
        (body,) = each_once(self._connections[:1], [next(self._requests)], in_flight=1)
        if body is None:
            raise ChildError(f"{self.name} fails a call that it is to be measured with")
        return body


@contextlib.contextmanager
def connected(
    name: str, *, process: psutil.Process, socket: Path, templates: Sequence[Template]
) -> Iterator[Server]:
    """Connect to a running server, until the end of the block."""
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(contextlib.closing(Connection(socket, CHECK_METHOD, timeout=_CALL_SECONDS)))
            for _ in range(CONNECTIONS)
        ]
        yield Server(name, process=process, socket=socket, connections=connections, templates=templates)

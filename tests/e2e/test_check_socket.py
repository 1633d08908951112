"""Attacks on the socket between Envoy and check, by whoever might get at it: over both transports.

Each is a case of the conformance kit that sends nothing to the gateway: the apps see nothing of it, and
honest requests fare as ever. Afterwards check has given back its memory and descriptors.
"""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckResponse

from tests.e2e.conformance.case import Answer, Case
from tests.e2e.conformance.examine import examine
from tests.e2e.conformance.target import Target
from tests.e2e.support.doorward_target import DoorwardSetup, doorward_setup, is_check
from tests.e2e.support.raw_http import exchange
from tests.integration.check.transport_peer import (
    JUNK,
    MALFORMED_MESSAGES,
    Peer,
    flood,
    raw_connection,
    send_body,
)
from tests.support.descriptors import at_least, no_more_than, settled_descriptors
from tests.support.waiting import wait_for

MIB = 1024 * 1024
SEED = 20_240_404
CONNECTIONS = 3000
KEPT = 8 * MIB
"""50 MiB of messages, or the connections of the other attacks, would be more than that if they stayed."""
KEPT_OF_FLOODS = 48 * MIB
"""Three times 3,000 connections would be twice that. The allocator keeps what it has had of so many small
pieces, and comes to rest after some more floods."""
SOFT_LIMIT = 1024
"""Of descriptors, which is what most systems begin with."""


@pytest.fixture(scope="module", params=["native", "grpcio"])
def setup(request: pytest.FixtureRequest) -> Iterator[DoorwardSetup]:
    """A platform whose check speaks by one of the transports."""
    with ExitStack() as opened:
        with no_more_than(SOFT_LIMIT):
            # One worker, whose connection to check is there from the first request on.
            setup = opened.enter_context(doorward_setup(check_transport=request.param, envoy_concurrency="1"))
        yield setup


@pytest.fixture
def path(setup: DoorwardSetup) -> Path:
    """The socket of its check."""
    return setup.platform.home / "run" / "check-0.sock"


@pytest.fixture
def check(setup: DoorwardSetup) -> psutil.Process:
    """The process of its check."""
    (found,) = [each for each in setup.processes() if is_check(each)]
    return found


@dataclass(frozen=True, slots=True)
class OnTheSocket:
    """What is sent past the gateway."""

    attack: Callable[[Path], None]
    path: Path

    def text(self) -> str:
        return self.attack.__name__

    def needs(self) -> frozenset[str]:
        return frozenset()

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        self.attack(self.path)
        return []


def random_bytes(path: Path) -> None:
    """Noise, alone and behind a preface; the same noise each time."""
    noise = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    for number in range(100):
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" if number % 2 else b""
        _say(path, preface + noise.randbytes(1 + number * 40))


def truncated_frames(path: Path) -> None:
    """Frames that lie, stop in the middle or have no place."""
    for junk in [*JUNK.values()] * 10:
        _say(path, junk)


def _say(path: Path, data: bytes) -> None:
    """Say something on a connection of its own, and wait until check has closed it."""
    with raw_connection(path) as connection, suppress(ConnectionError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def malformed_messages(path: Path) -> None:
    """Calls whose body is not one gRPC message."""
    for body in [*MALFORMED_MESSAGES.values()] * 3:
        with raw_connection(path) as connection, suppress(ConnectionError):
            send_body(connection, body)


def oversized_messages(path: Path) -> None:
    """Messages over the limit, by one byte and by far; compressed, small on the wire and large behind it."""
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with Peer(path, compression=compression) as peer:
            for size in (MIB + 1, 8 * MIB, 8 * MIB):
                assert peer.refusal(bytes(size))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


def unknown_methods(path: Path) -> None:
    """Methods that are not there, of this service and of others."""
    with Peer(path) as peer:
        for number in range(100):
            for method in (
                "/envoy.service.auth.v3.Authorization/Chec",
                "/envoy.service.auth.v2.Authorization/Check",
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                f"/{number}/{'x' * number}",
            ):
                assert peer.refusal(b"", method=method)[0] is grpc.StatusCode.UNIMPLEMENTED


def messages_that_are_no_question(path: Path) -> None:
    """Whole messages of noise: none is answered by a yes."""
    noise = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    with Peer(path) as peer:
        for size in (0, *range(1, 400), 65536, MIB):
            answer = CheckResponse.FromString(peer.call(noise.randbytes(size)))
            assert answer.status.code != grpc.StatusCode.OK.value[0]
            assert answer.HasField("denied_response")


def many_connections(path: Path) -> None:
    """3,000 connections at once that say nothing, or begin and never go on."""
    with at_least(2 * CONNECTIONS), flood(path, count=CONNECTIONS), Peer(path) as peer:
        # It is behind them all, so that they have been taken in.
        peer.call(b"")


ATTACKS = [
    random_bytes,
    truncated_frames,
    malformed_messages,
    oversized_messages,
    unknown_methods,
    messages_that_are_no_question,
    many_connections,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_on_the_socket_opens_nothing(
    setup: DoorwardSetup, path: Path, check: psutil.Process, attack: Callable[[Path], None]
) -> None:
    """The apps see nothing of it, honest requests fare as ever, and check gives back what it took."""
    case = Case(
        name=f"socket/{attack.__name__}",
        rule=f"{attack.__doc__}",
        source="docs/security-model.md, 2",
        exchange=OnTheSocket(attack, path),
        answers=(),
    )
    # What is taken once and kept, such as the allocator's arenas, is taken now.
    assert examine(case, setup.target) == []
    descriptors = settled_descriptors(check)
    memory = check.memory_info().rss
    for _ in range(3):
        assert examine(case, setup.target) == []
    wait_for(lambda: check.num_fds() <= descriptors, what=f"{descriptors} descriptors again")
    assert check.memory_info().rss - memory < (KEPT_OF_FLOODS if attack is many_connections else KEPT)


def test_more_connections_than_the_soft_limit(
    setup: DoorwardSetup, path: Path, check: psutil.Process
) -> None:
    """Check has raised it: while they are there Envoy is answered as ever, and so is who comes anew."""
    soft, hard = check.rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard
    stack, app = setup.stack, setup.target.apps["mine"]
    token = {"Authorization": f"Bearer {setup.target.secrets['token'].secret}"}
    with at_least(2 * CONNECTIONS), flood(path, count=CONNECTIONS):
        for _ in range(20):
            assert exchange(stack.address, "GET", "/", host=app.host, headers=token).status == 200
            assert exchange(stack.address, "GET", "/", host=app.host).status == 401
        with Peer(path) as peer:
            assert peer.is_serving()
        assert check.num_fds() > SOFT_LIMIT

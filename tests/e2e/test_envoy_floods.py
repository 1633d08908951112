"""Envoy gives back what floods took: its descriptors are what they were before, its memory stops growing.

What its allocator keeps is as much as was ever taken at one moment, which differs from flood to flood. What
leaks grows with each of them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import psutil
import pytest

from tests.e2e.conformance.examine import examine
from tests.e2e.conformance.floods import CASES
from tests.e2e.conformance.target import Target
from tests.e2e.support.doorward_target import DoorwardSetup, doorward_setup
from tests.e2e.support.raw_http import Connection, exchange, request_bytes
from tests.support.descriptors import at_least, settled_descriptors
from tests.support.waiting import wait_for

MIB = 1024 * 1024
CONNECTIONS = 2000
BODIES = 200
SENT = 256 * 1024
"""Bytes of each body that come; as many again never do."""
SPARE = 8
"""Descriptors: each worker may keep a connection to check, api and web that it did not need before."""
KEPT = 16 * MIB
"""2,000 connections, or 50 MiB of bodies, would be more than that if they stayed."""
TIMES = 10

Flood = Callable[[Target], None]


@pytest.fixture(scope="module")
def setup() -> Iterator[DoorwardSetup]:
    """A platform for all of them."""
    with doorward_setup() as setup:
        yield setup


@pytest.fixture
def envoy(setup: DoorwardSetup) -> psutil.Process:
    """Its Envoy."""
    return setup.platform.child("envoy")


def many_connections(target: Target) -> None:
    """Half of them say nothing, and half begin a request and never go on."""
    with at_least(2 * CONNECTIONS), ExitStack() as opened:
        for number in range(CONNECTIONS):
            connection = opened.enter_context(Connection(target.address))
            if number % 2:
                connection.send(b"GET / HTTP/1.1\r\nHost: ")
        # It is behind them all, so that they have been taken in.
        assert exchange(target.address, "GET", "/", host=target.apps["mine"].host).status == 401


def slow_bodies(target: Target) -> None:
    """Requests, allowed and denied, whose bodies stop in the middle."""
    host, secret = target.apps["mine"].host, target.secrets["token"].secret
    length = ("Content-Length", str(2 * SENT))
    with ExitStack() as opened:
        for number in range(BODIES):
            credential = [("Authorization", f"Bearer {secret}")] if number % 2 else []
            head = request_bytes("POST", "/slow", host=host, headers=[*credential, length])
            connection = opened.enter_context(Connection(target.address))
            try:
                connection.send(head + bytes(SENT))
            except ConnectionError:
                # It was denied before it had said everything.
                assert not credential


def hostile_frames(target: Target, *, name: str) -> None:
    """A flood of the conformance kit, with what the kit demands of it."""
    (case,) = (each for each in CASES if each.name == name)
    assert examine(case, target) == []


FLOODS: dict[str, Flood] = {
    "connections": many_connections,
    "slow-bodies": slow_bodies,
    **{case.name: partial(hostile_frames, name=case.name) for case in CASES},
}


@pytest.mark.parametrize("name", FLOODS)
def test_envoy_gives_back_what_a_flood_has_taken(
    setup: DoorwardSetup, envoy: psutil.Process, name: str
) -> None:
    """Within 8 descriptors of before, and 16 MiB of the flood before; and honest requests go on."""
    flood, target = FLOODS[name], setup.target
    flood(target)
    descriptors = settled_descriptors(envoy)
    grown, memory = list[int](), envoy.memory_info().rss
    while not grown or grown[-1] > KEPT:
        assert len(grown) < TIMES, f"each flood has left something behind: {grown} bytes"
        flood(target)
        wait_for(lambda: envoy.num_fds() <= descriptors + SPARE, what=f"{descriptors} again", within=30)
        grown.append(envoy.memory_info().rss - memory)
        memory += grown[-1]
    secret = {"Authorization": f"Bearer {target.secrets['token'].secret}"}
    assert exchange(target.address, "GET", "/", host=target.apps["mine"].host, headers=secret).status == 200
    for app in target.apps.values():
        app.app.fresh()

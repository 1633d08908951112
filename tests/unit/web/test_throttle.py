"""Wrong tokens are looked at for so long, and nobody is locked out by another's."""

import pytest

from doorward_server.web import throttle
from doorward_server.web.throttle import Limits, Throttle

LIMITS = Limits(address_burst=3, address_rate=0.5, all_burst=10, all_rate=1.0)


class World:
    """A throttle and its clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.throttle = Throttle(clock=lambda: self.now, limits=LIMITS)

    def fail(self, address: str, times: int) -> None:
        """Wrong tokens from an address."""
        for _ in range(times):
            self.throttle.failed(address)


def test_an_address_may_fail_a_few_times() -> None:
    """Then it waits, for as long as it is told and no longer."""
    world = World()
    world.fail("192.0.2.1", 2)
    assert world.throttle.wait("192.0.2.1") == 0
    world.fail("192.0.2.1", 1)
    assert world.throttle.wait("192.0.2.1") == 2.0
    world.now += 1.9
    assert world.throttle.wait("192.0.2.1") > 0
    world.now += 0.1
    assert world.throttle.wait("192.0.2.1") == 0
    world.fail("192.0.2.1", 1)
    assert world.throttle.wait("192.0.2.1") == 2.0


def test_others_are_not_locked_out() -> None:
    """Neither by one address that fails all the time, nor by many together."""
    world = World()
    world.fail("192.0.2.1", 100)
    assert world.throttle.wait("192.0.2.2") == 0
    for number in range(1, 100):
        world.fail(f"198.51.100.{number}", 1)
    assert world.throttle.wait("192.0.2.2") == 0
    # In a flood, who takes part in it waits after the first failure.
    assert world.throttle.wait("198.51.100.7") > 0
    world.now += 3_600
    assert world.throttle.wait("198.51.100.7") == 0
    assert world.throttle.wait("192.0.2.1") == 0


def test_addresses_of_one_network_count_together() -> None:
    """Whoever has one IPv6 address has a whole /64, and an IPv4 address in IPv6 is that address."""
    world = World()
    for host in range(3):
        world.fail(f"2001:db8::{host:x}", 1)
    assert world.throttle.wait("2001:db8::ffff:ffff:ffff:ffff") > 0
    assert world.throttle.wait("2001:db8:0:1::1") == 0
    world.fail("::ffff:192.0.2.1", 3)
    assert world.throttle.wait("192.0.2.1") > 0


def test_what_is_no_address_counts_as_one() -> None:
    """Without Envoy's word on the client, all share what one may do."""
    world = World()
    world.fail("", 2)
    world.fail("unix:@", 1)
    assert world.throttle.wait("x, 192.0.2.1") > 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest failures are forgotten first."""
    monkeypatch.setattr(throttle, "_KEPT", 2)
    world = World()
    for number in range(3):
        world.fail(f"192.0.2.{number}", 3)
    assert world.throttle.wait("192.0.2.0") == 0
    assert world.throttle.wait("192.0.2.1") > 0
    assert world.throttle.wait("192.0.2.2") > 0

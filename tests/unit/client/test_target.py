"""Addresses: which are taken, and which keep what is sent on this machine."""

import pytest

from doorward import ConfigurationError
from doorward._target import parse_target


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8081", "127.9.9.9:1", "localhost:8081", "LOCALHOST:65535", "[::1]:8081"]
)
def test_loopback_is_local(address: str) -> None:
    """A loopback address stays on this machine."""
    target = parse_target(address)
    assert (target.uri, target.local) == (address, True)


@pytest.mark.parametrize("address", ["unix:/run/doorward/api.sock", "unix:///run/doorward/api.sock"])
def test_unix_sockets_are_local(address: str) -> None:
    """A Unix socket stays on this machine, in either way to write it."""
    target = parse_target(address)
    assert (target.uri, target.local) == ("unix:/run/doorward/api.sock", True)


@pytest.mark.parametrize(
    "address",
    [
        "api.example.com:443",
        "10.0.0.1:8081",
        "0.0.0.0:8081",
        "[2001:db8::1]:8081",
        "[::ffff:127.0.0.1]:8081",  # not worth the doubt
        "localhost.example.com:1",
        "api.localhost:8080",  # not every resolver keeps it on the machine
        "127.0.0.1.example.com:1",
        "2130706433:80",  # 127.0.0.1 to some resolvers
    ],
)
def test_everything_else_is_not(address: str) -> None:
    """Any other address leaves the machine, however much it looks as if it did not."""
    assert not parse_target(address).local


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "localhost:",
        ":8081",
        "localhost:0",
        "localhost:65536",
        "localhost:99999999",
        "localhost:٣",
        "http://localhost:8081",
        "dns:///localhost:8081",
        "localhost:8081/",
        "local host:8081",
        "user@localhost:8081",
        "::1:8081",
        "unix:",
        "unix:/a b",
        "localhost:80\n",
        "xds:///api",
    ],
)
def test_malformed_addresses_are_refused(address: str) -> None:
    """An address that is not plainly host and port, or a socket, is refused, and so is every other scheme."""
    with pytest.raises(ConfigurationError, match=r"expected host:port, \[IPv6\]:port or unix:/path"):
        parse_target(address)

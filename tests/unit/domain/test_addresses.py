"""Addresses of external apps: where Envoy may be sent, in all the spellings of where it may not."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.apps import check_reachable, parse_address
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.policy import Address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:8080", "localhost", 8080),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("10.0.0.7:65535", "10.0.0.7", 65535),
        ("[::1]:1", "::1", 1),
        ("[2001:DB8:0:0:0:0:0:1]:443", "2001:db8::1", 443),
        ("[::ffff:10.0.0.7]:80", "::ffff:a00:7", 80),
        ("Model.Example.COM:80", "model.example.com", 80),
        ("my_service:80", "my_service", 80),  # as Compose and Kubernetes name them
        ("a-b.c:00080", "a-b.c", 80),
        (f"{'a' * 63}.b:80", f"{'a' * 63}.b", 80),
        (f"{'a.' * 126}a:80", f"{'a.' * 126}a", 80),  # 253 characters
        ("3scale.example:80", "3scale.example", 80),
    ],
)
def test_addresses_have_one_form(text: str, host: str, port: int) -> None:
    """A name or an IP address and a port, in lower case and without brackets."""
    # How `ipaddress` writes an IPv4-mapped address depends on the version of Python.
    canonical = str(ipaddress.IPv6Address(host)) if ":" in host else host
    assert parse_address(text) == Address(host=canonical, port=port)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "host:port"),
        ("localhost", "host:port"),
        (":80", "host:port"),
        ("localhost:", "host:port"),
        ("localhost:http", "host:port"),
        ("localhost:80:80", "host:port"),
        ("http://localhost:80", "host:port"),
        ("localhost:80/", "host:port"),
        ("localhost:80?x", "host:port"),
        ("user@localhost:80", "host:port"),
        ("localhost :80", "host:port"),
        ("localhost:80\n", "host:port"),
        ("localhost:٨٠", "host:port"),
        ("localhost:-1", "host:port"),
        ("localhost:123456", "host:port"),
        ("::1:80", "host:port"),
        ("[::1]", "host:port"),
        ("[fe80::1%eth0]:80", "host:port"),  # a zone id
        ("[::1%25lo]:80", "host:port"),
        ("unix:/run/app.sock", "host:port"),
        ("localhost:0", "port 0"),
        ("localhost:65536", "port 65536"),
        ("[127.0.0.1]:80", "not an IPv6 address"),
        ("[:::]:80", "not an IPv6 address"),
        ("[1.2]:80", "not an IPv6 address"),
        ("-a:80", "neither a host name nor"),
        ("a-:80", "neither a host name nor"),
        ("a..b:80", "neither a host name nor"),
        ("example.com.:80", "neither a host name nor"),
        ("é.example:80", "neither a host name nor"),
        (f"{'a' * 64}:80", "neither a host name nor"),
        (f"{'a.' * 126}aa:80", "neither a host name nor"),
        ("a,b:80", "neither a host name nor"),
        ("${host}:80", "neither a host name nor"),
    ],
)
def test_what_is_no_address_is_refused(text: str, fault: str) -> None:
    """Everything else is refused, and the error says what is wrong."""
    with pytest.raises(InvalidValueError, match=fault):
        parse_address(text)


# The metadata service of most clouds, and what else is link-local, in the spellings of a link to it.
FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",  # noqa: S104 - Linux connects to itself
    "224.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[FE80:0:0:0:0:0:0:1]",
    "[febf::1]",
    "[::]",
    "[ff02::1]",
    # Metadata services that are not link-local
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[FD20:00CE:0:0:0:0:0:0254]",
    "100.100.100.200",
    "168.63.129.16",
    # An IPv4 address inside an IPv6 one
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::ffff:100.100.100.200]",
    "[::ffff:0.0.0.0]",
    "[::169.254.169.254]",  # IPv4-compatible
    "[::ffff:0:169.254.169.254]",  # IPv4-translated
    "[64:ff9b::169.254.169.254]",  # NAT64
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::169.254.169.254]",
    "[64:ff9b:1:fffe::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",  # 6to4
    "[2002:a9fe:a9fe::1]",
    # IPv4 addresses as inet_aton reads them: decimal, hexadecimal, octal, and with fewer parts
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "0251.254.169.254",
    "169.254.43518",
    "169.16689662",
    "169.254.169.0xfe",
    "0",
    "0x0",
    # And with a dot at the end, or more
    "169.254.169.254.",
    "2852039166.",
    "0xa9fea9fe.",
    "169.254.169.254..",
    "localhost.",
    # Digits and dots of other scripts, which IDNA maps
    "169\u3002254\u3002169\u3002254",
    "\u2460\u2465\u2468.254.169.254",
    "\uff11\uff16\uff19.254.169.254",
]


@pytest.mark.parametrize("host", FORBIDDEN)
def test_no_spelling_leads_where_no_app_may_be(host: str) -> None:
    """Link-local, unspecified, multicast, broadcast and metadata addresses are refused in every form."""
    with pytest.raises(InvalidValueError):
        parse_address(f"{host}:80")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254%2",  # with a zone id, an address equals no other
        "::ffff:169.254.169.254%1",
        "64:ff9b::a9fe:a9fe%1",
        "2002:a9fe:a9fe::%1",
        "::%1",
    ],
)
def test_resolved_addresses_are_held_to_the_same(address: str) -> None:
    """What a resolver answers is refused too, zone ids included."""
    with pytest.raises(InvalidValueError, match=r"is link-local|metadata service"):
        check_reachable(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "8.8.8.8"),
        *("::1", "::1%1", "fd00::1", "2001:db8::a9fe:a9fe"),
        *("64:ff9b::a00:1", "2002:a00:1::", "::ffff:127.0.0.1"),
    ],
)
def test_private_networks_and_the_machine_itself_are_allowed(address: str) -> None:
    """Apps run there; who may name an address is decided by role."""
    check_reachable(ipaddress.ip_address(address))


@given(bits=st.integers(0, 2**16 - 1))
def test_no_form_of_a_link_local_address_passes(bits: int) -> None:
    """The whole of 169.254.0.0/16 (RFC 3927) is refused, by itself and inside each kind of IPv6 address."""
    low = 0xA9FE_0000 | bits
    prefixes = ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::", "64:ff9b:1:2:3:4::")
    inside = [ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | low) for prefix in prefixes]
    six_to_four = ipaddress.IPv6Address(0x2002 << 112 | low << 80 | 1)
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [ipaddress.IPv4Address(low), six_to_four]
    for address in addresses + inside:
        with pytest.raises(InvalidValueError):
            check_reachable(address)


@given(text=st.text(max_size=40) | st.text(alphabet="0123456789abcdefx.:[]%-_", max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Hostile text gives an address that means the same when it is parsed again, or an error."""
    try:
        address = parse_address(text)
    except InvalidValueError:
        return
    assert parse_address(str(address)) == address

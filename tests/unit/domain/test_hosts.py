"""Hosts: the one name that an app has, and everything that is not it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward_server.domain.hosts import app_host, plain_host, split_app_host
from doorward_server.domain.ids import AppId

APP_ID = AppId("3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11")
DOMAIN = "app.gra.localhost"
HOST = f"{APP_ID}.{DOMAIN}"


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        HOST.upper(),  # RFC 9110 §4.2.3: hosts are not case-sensitive
        f"{HOST}:8080",
        f"{HOST}.",  # RFC 1034 §3.1: absolute
        f"{HOST}.:443",
    ],
)
def test_an_app_is_found_by_its_host(host: str) -> None:
    """Case, the port and a trailing dot do not matter."""
    assert split_app_host(host) == (APP_ID, DOMAIN)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        ":8080",
        "localhost",
        "127.0.0.1",
        "[::1]:8080",
        APP_ID,
        f"{APP_ID}.",
        f"{APP_ID}..",
        f".{HOST}",
        f"{HOST}..",
        f"{APP_ID}..{DOMAIN}",
        f"{HOST}:",
        f"{HOST}:80:80",
        f"{HOST}:8080x",
        f"{HOST}:-1",
        f"{HOST}:123456",
        f"{HOST}:٨٠",  # digits, but of another script
        f" {HOST}",
        f"{HOST} ",
        f"{HOST}\n",
        f"{HOST}\0",
        f"{HOST}\r\nx-doorward-role: ADMIN",
        f"{HOST},{HOST}",  # two Host headers, joined
        f"{HOST}, {HOST}",
        f"{HOST} {HOST}",
        f"user@{HOST}",  # RFC 3986 §3.2.1: user information
        f"http://{HOST}",
        f"{HOST}/",
        f"{HOST}?",
        f"{HOST}#",
        f"x.{HOST}",
        APP_ID.replace("-", "") + f".{DOMAIN}",
        f"{{{APP_ID}}}.{DOMAIN}",
        f"{APP_ID}.app_gra.localhost",
        f"{APP_ID}.-app.localhost",
        f"{APP_ID}.app-.localhost",
        f"{APP_ID}.{'a' * 64}.localhost",
        HOST.replace("l", "\u217c"),  # a Roman numeral whose compatible form is l
        HOST.replace("s", "\u017f"),  # the long s: matches s without regard to case
        f"{APP_ID}.app.\u212a.localhost",  # the sign of the Kelvin: likewise k
        HOST.replace(".", "\u3002"),  # an ideographic full stop: a dot to IDNA
        HOST.replace("3", "\uff13", 1),
    ],
)
def test_everything_else_is_no_app(host: str) -> None:
    """Empty, doubled, decorated and look-alike hosts name no app."""
    assert split_app_host(host) is None


@given(host=st.text(max_size=80) | st.text(alphabet=f"{HOST}:.,@ 0aA", max_size=80))
def test_no_text_is_misread(host: str) -> None:
    """What is taken for an app's host is that host, but for case, port and a trailing dot."""
    found = split_app_host(host)
    if found is not None:
        without_port = host.partition(":")[0].removesuffix(".")
        assert app_host(*found) == without_port.lower()


def test_a_host_leads_back_to_its_app() -> None:
    """The host that is shown to users is the one that is recognised."""
    assert split_app_host(app_host(APP_ID, DOMAIN)) == (APP_ID, DOMAIN)


@pytest.mark.parametrize("host", ["console.localhost", "Console.LOCALHOST:8080", "console.localhost.:1"])
def test_a_hosts_name_is_plain(host: str) -> None:
    """Lower case, without what stands behind it."""
    assert plain_host(host) == "console.localhost"


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        ":1",
        "console.localhost..",
        "a@console.localhost",
        "console.localhost:",
        "[::1]",
        "a, b",
        "a\n",
    ],
)
def test_what_is_no_host_has_no_name(host: str) -> None:
    """Rather than one that was put right."""
    assert plain_host(host) is None

"""The attacks on identity, hosts and framing, and the journey, on a platform whose Envoy remembers allows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import test_journey
from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import Connection, request_bytes
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import Published, Stack
from tests.e2e.test_hostile_requests import (
    test_a_client_cannot_give_orders_to_envoy,
    test_a_header_cannot_hide_another,
    test_ambiguous_framing_is_refused,
    test_connect_is_refused,
    test_h2c_upgrades_are_ignored,
    test_upgrades_but_websocket_are_refused,
)
from tests.e2e.test_hosts_and_paths import (
    test_a_host_means_the_same_app_however_it_is_written,
    test_a_malformed_host_is_no_app,
    test_a_path_arrives_as_it_was_sent,
    test_doorwards_own_paths_never_reach_an_app,
    test_every_request_of_a_connection_is_decided_alone,
    test_the_host_of_an_absolute_target_decides,
    test_two_hosts_are_no_app,
)
from tests.e2e.test_identity_headers import (
    test_a_client_cannot_have_the_identity_stripped,
    test_an_app_gets_its_own_credentials_byte_for_byte,
    test_an_app_never_sees_the_token,
    test_an_identity_header_of_the_client_never_reaches_an_app,
    test_without_the_right_credential_an_app_sees_nothing,
)
from tests.e2e.test_traffic import test_clients_may_speak_http_2, test_identity_cannot_be_forged_in_trailers

__all__ = [
    "test_a_client_cannot_give_orders_to_envoy",
    "test_a_client_cannot_have_the_identity_stripped",
    "test_a_header_cannot_hide_another",
    "test_a_host_means_the_same_app_however_it_is_written",
    "test_a_malformed_host_is_no_app",
    "test_a_path_arrives_as_it_was_sent",
    "test_ambiguous_framing_is_refused",
    "test_an_app_gets_its_own_credentials_byte_for_byte",
    "test_an_app_never_sees_the_token",
    "test_an_identity_header_of_the_client_never_reaches_an_app",
    "test_clients_may_speak_http_2",
    "test_connect_is_refused",
    "test_doorwards_own_paths_never_reach_an_app",
    "test_every_request_of_a_connection_is_decided_alone",
    "test_h2c_upgrades_are_ignored",
    "test_identity_cannot_be_forged_in_trailers",
    "test_the_host_of_an_absolute_target_decides",
    "test_two_hosts_are_no_app",
    "test_upgrades_but_websocket_are_refused",
    "test_without_the_right_credential_an_app_sees_nothing",
]

VISITORS = 6
"""Connections, so that every worker has one, most likely."""


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A platform with the edge cache at its longest."""
    with running_platform(edge_cache_lifetime="1", envoy_concurrency="2") as running:
        yield running


@pytest.fixture(scope="module")
def stack(platform: Platform) -> Stack:
    """The same, as a stack."""
    return RealStack(platform)


@pytest.fixture
def published(stack: Stack, app: RecordingApp) -> Published:
    """An app that the workers remember an allow for: with the usual credential, and none of the app's own."""
    published = stack.publish("127.0.0.1", app.port)
    data = request_bytes("GET", "/warm", host=published.host, headers=published.credential.items())
    for _ in range(VISITORS):
        with Connection(published.address) as connection:
            for _ in range(2):
                connection.send(data)
                assert connection.answer().status == 200
    app.requests.clear()
    app.connections = 0
    return published


def test_the_journey_with_the_edge_cache(platform: Platform, tmp_path: Path) -> None:
    """Each step of the README is as promised."""
    test_journey.test_the_journey(platform, test_journey.Hello(), tmp_path)


def test_the_attacks_were_made_on_a_cache_in_use(platform: Platform) -> None:
    """Many of these requests were answered from memory; the last test of this module."""
    assert platform.log.read_text().count('"cached":true') > 100

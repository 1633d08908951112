"""What the control plane is wired with."""

from pathlib import Path

import pytest

from doorward_server.bootstrap.control_plane import process_options
from doorward_server.services.leases import DRIFT
from doorward_server.settings import load_settings


@pytest.mark.parametrize("lease", [1.0, 30.0, 3600.0])
def test_a_port_rests_longer_than_any_replica_remembers_it(tmp_path: Path, lease: float) -> None:
    """Until the lease of one that was told nothing has run out, it may lead visitors to a former port."""
    settings = load_settings(home=tmp_path, policy_lease=lease, policy_heartbeat=lease / 10)
    assert process_options(settings).port_rest > lease * DRIFT + 30


def test_a_port_rests_as_long_as_envoy_repeats_an_answer(tmp_path: Path) -> None:
    """What Envoy remembers of a replica's answers outlasts the lease by as much."""
    without = process_options(load_settings(home=tmp_path)).port_rest
    assert process_options(load_settings(home=tmp_path, edge_cache_lifetime=0.5)).port_rest == without + 0.5


def test_a_port_rests_also_where_leases_have_no_end(tmp_path: Path) -> None:
    """There it cannot be long enough; it is as long as it ever is."""
    longest = process_options(load_settings(home=tmp_path, policy_lease=3600.0)).port_rest
    assert process_options(load_settings(home=tmp_path, policy_lease=0.0)).port_rest == longest

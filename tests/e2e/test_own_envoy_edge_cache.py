"""The edge cache in an Envoy of one's own: one host, and routes of it that lead to different apps."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.envoy_process import EnvoyProcess
from tests.e2e.support.own_envoy import hosts_of_apps, naming, own_envoy
from tests.e2e.support.raw_http import Connection, request_bytes
from tests.e2e.support.real_stack import RealStack, real_stack
from tests.e2e.support.stack import Published
from tests.support.waiting import wait_for

PREFIXES = ("/", "/one", "/two")
"""The first leads to the app that the host says, each other one to an app that its route names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """An Envoy, and what is behind each prefix of one host."""

    envoy: EnvoyProcess
    host: str
    apps: Mapping[str, RecordingApp]
    published: Mapping[str, Published]

    def logged(self) -> str:
        """The access log so far."""
        return self.envoy.access_log()


@pytest.fixture(scope="module")
def remembering() -> Iterator[RealStack]:
    """A platform whose check lets allows be remembered."""
    with real_stack(edge_cache_lifetime="1") as stack:
        yield stack


@pytest.fixture(params=["unnamed", "named"])
def setting(remembering: RealStack, request: pytest.FixtureRequest) -> Iterator[Setting]:
    """Routes as a person makes them of the one that is there: with a name of their own, or none."""
    with ExitStack() as opened:
        apps = {prefix: opened.enter_context(RecordingApp()) for prefix in PREFIXES}
        published = {prefix: remembering.publish("127.0.0.1", app.port) for prefix, app in apps.items()}

        def edit(config: Any) -> None:
            routes = hosts_of_apps(config)["routes"]
            for prefix in PREFIXES[1:]:
                route = deepcopy(routes[-1])
                assert route.pop("name") == "app-by-host"
                if request.param == "named":
                    route["name"] = f"to{prefix}"
                route["match"] = {"path_separated_prefix": prefix}
                # The edge cache stays on here, as it is on the route that was copied.
                route["typed_per_filter_config"] |= naming(published[prefix].app_id)
                routes.insert(0, route)

        envoy = opened.enter_context(own_envoy(remembering, str(request.param), edit, edge_cache=True))
        yield Setting(envoy=envoy, host=published["/"].host, apps=apps, published=published)


def test_a_hit_is_never_of_another_route(setting: Setting) -> None:
    """Each request reaches the app that its route means, while that of the host is answered from memory."""
    headers = list(setting.published["/"].credential.items())
    rounds = 0

    with Connection(("127.0.0.1", setting.envoy.port)) as connection:

        def hits() -> bool:
            nonlocal rounds
            rounds += 1
            # The same path for the app of the host as for another one, but for its first segment.
            for prefix in PREFIXES:
                connection.send(request_bytes("GET", prefix, host=setting.host, headers=headers))
                assert connection.answer("GET").status == 200
            return setting.logged().count('"cached":true') > 10

        wait_for(hits, what="answers from memory")

    for prefix, app in setting.apps.items():
        assert [request.target for request in app.requests] == [prefix] * rounds
        assert {tuple(each.all("x-doorward-app-id")) for each in app.requests} == {
            (setting.published[prefix].app_id,)
        }

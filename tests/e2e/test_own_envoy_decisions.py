"""An Envoy of one's own before the real check: routes that name an app, and answers that change no route."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.envoy_process import EnvoyProcess
from tests.e2e.support.own_envoy import hosts_of_apps, naming, own_envoy, virtual_hosts
from tests.e2e.support.raw_http import Answer, Headers, exchange
from tests.e2e.support.real_stack import RealStack, real_stack
from tests.e2e.support.stack import Published

OWN_HOST = "chat.example.com"
WRONG_HOST = "wrong.example.com"
TEAPOT = 418


class OwnEnvoy:
    """What an Envoy of one's own stands before, and the two apps behind it."""

    def __init__(self, stack: RealStack, app: RecordingApp, other: RecordingApp) -> None:
        self.stack = stack
        self.app, self.other = app, other
        self.named = stack.publish("127.0.0.1", app.port)
        """The app that the routes of the own hosts name."""
        self.by_host = stack.publish("127.0.0.1", other.port)
        """The app that is found by its host."""

    def edit(self, config: Any) -> None:
        """Hosts of one's own whose routes name an app, and a route that only check's answer could lead to."""
        hosts, apps = virtual_hosts(config), hosts_of_apps(config)
        identity = {"prefix": "/", "headers": [{"name": "x-doorward-role", "present_match": True}]}
        apps["routes"].insert(0, {"match": identity, "direct_response": {"status": TEAPOT}})
        for host, app_id in ((OWN_HOST, self.named.app_id), (WRONG_HOST, "of-nobody")):
            named = {"name": host, "domains": [host], "typed_per_filter_config": naming(app_id)}
            hosts.append({**apps, **named})


def _clears_the_route(config: Any) -> None:
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    filters = chain["filters"][0]["typed_config"]["http_filters"]
    (authz,) = (each for each in filters if each["name"] == "envoy.filters.http.ext_authz")
    assert authz["typed_config"]["clear_route_cache"] is False
    authz["typed_config"]["clear_route_cache"] = True


@pytest.fixture(scope="module")
def own() -> Iterator[OwnEnvoy]:
    """A platform with two apps."""
    with ExitStack() as opened:
        app, other = (opened.enter_context(RecordingApp()) for _ in range(2))
        yield OwnEnvoy(opened.enter_context(real_stack()), app, other)


@pytest.fixture(scope="module")
def envoy(own: OwnEnvoy) -> Iterator[EnvoyProcess]:
    """The Envoy with these routes."""
    with own_envoy(own.stack, "own", own.edit) as envoy:
        yield envoy


@pytest.fixture(autouse=True)
def _nothing_seen(own: OwnEnvoy) -> None:
    own.app.requests.clear()
    own.other.requests.clear()


def visit(envoy: EnvoyProcess, host: str, path: str = "/", *, headers: Headers = ()) -> Answer:
    """A request through that Envoy."""
    return exchange(("127.0.0.1", envoy.port), "GET", path, host=host, headers=headers)


def credential(published: Published) -> Headers:
    """The header that opens both apps."""
    return list(published.credential.items())


def test_a_route_that_names_an_app_leads_there(own: OwnEnvoy, envoy: EnvoyProcess) -> None:
    """On a host that is no app's, the app of the route is decided on, reached, told its id, and logged."""
    assert visit(envoy, OWN_HOST).status == 401
    assert visit(envoy, OWN_HOST, "/named", headers=credential(own.named)).status == 200
    assert own.app.last.all("host") == [OWN_HOST]
    assert own.app.last.all("x-doorward-app-id") == [own.named.app_id]
    assert len(own.app.requests) == 1
    entry = envoy.logged("/named")
    assert (entry["app_id"], entry["reason"], entry["role"]) == (own.named.app_id, "ALLOWED", "READ_ONLY")


def test_the_scope_of_a_token_holds_on_such_a_route(own: OwnEnvoy, envoy: EnvoyProcess) -> None:
    """A token that does not open the app is denied there as on the app's own host."""
    secret = own.stack.secret(role="ROLE_READ_ONLY", selector="group=nobodys")
    assert visit(envoy, OWN_HOST, headers=[("Authorization", f"Bearer {secret}")]).status == 403
    assert own.app.requests == []


def test_a_route_that_names_nobody_leads_nowhere(own: OwnEnvoy, envoy: EnvoyProcess) -> None:
    """A slip in the route is denied as an unknown app, and not mended by the host."""
    assert visit(envoy, WRONG_HOST, "/nobody", headers=credential(own.named)).status == 403
    assert envoy.logged("/nobody")["reason"] == "UNKNOWN_APP"
    assert own.app.requests == own.other.requests == []


def test_apps_are_found_by_their_hosts_beside_it(own: OwnEnvoy, envoy: EnvoyProcess) -> None:
    """The other hosts are as before."""
    assert visit(envoy, own.by_host.host, headers=credential(own.by_host)).status == 200
    assert own.other.last.all("x-doorward-app-id") == [own.by_host.app_id]
    assert own.app.requests == []


def test_an_answer_of_check_changes_no_route(own: OwnEnvoy, envoy: EnvoyProcess) -> None:
    """The headers that check sets lead to no other route than the one that was decided on."""
    host, headers = own.by_host.host, credential(own.by_host)
    assert visit(envoy, host, headers=headers).status == 200
    assert own.other.last.all("x-doorward-role") == ["READ_ONLY"]
    assert visit(envoy, host).status == 401

    def edit(config: Any) -> None:
        own.edit(config)
        _clears_the_route(config)

    # What the setting prevents: with the other value, the same request ends elsewhere.
    with own_envoy(own.stack, "clears", edit) as clearing:
        assert visit(clearing, host, headers=headers).status == TEAPOT
        assert visit(clearing, host).status == 401
    assert len(own.other.requests) == 1

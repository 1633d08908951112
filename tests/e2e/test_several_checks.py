"""Several check processes behind one Envoy, as `doorward up` runs them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.raw_http import Connection, request_bytes
from tests.e2e.support.real_stack import RealStack, real_stack
from tests.e2e.support.stack import Published
from tests.support.scraping import Scrape
from tests.support.waiting import wait_for

NAMES = ("check-0", "check-1", "check-2")
PATIENCE = 60.0


@pytest.fixture(scope="module")
def three() -> Iterator[RealStack]:
    """A platform with three check processes, which say what they have decided."""
    with real_stack(check_processes="3", metrics_port="0") as stack:
        yield stack


@pytest.fixture
def visited(three: RealStack, app: RecordingApp) -> Published:
    """The app behind them."""
    return three.publish("127.0.0.1", app.port)


def decided(three: RealStack, name: str) -> int:
    """How many requests one process has allowed so far."""
    text = httpx.get(three.platform.endpoints.metrics[name], timeout=PATIENCE, trust_env=False).text
    return int(Scrape.of(text).by("doorward_check_decisions_total", "reason").get("ALLOWED", 0))


def until_all_answer(three: RealStack, visited: Published) -> list[int]:
    """Visit the app until each process has allowed a visit; the statuses of all visits."""
    before = {name: decided(three, name) for name in NAMES}
    statuses: list[int] = []

    def all_have() -> bool:
        statuses.extend(visited.get().status for _ in range(20))
        return all(decided(three, name) > before[name] for name in NAMES)

    wait_for(all_have, what="all processes answer", within=PATIENCE)
    return statuses


def test_each_of_them_answers(three: RealStack, visited: Published) -> None:
    """Envoy asks each, and the app's visitors see no difference."""
    assert set(until_all_answer(three, visited)) == {200}


def test_all_have_forgotten_a_token_once_it_is_deleted(three: RealStack, visited: Published) -> None:
    """When the call returns, no process allows it any more."""
    until_all_answer(three, visited)
    secret = three.secret(role="ROLE_READ_ONLY")
    headers = [("Doorward-Token", secret)]

    def statuses() -> set[int]:
        request = request_bytes("GET", "/", host=visited.host, headers=headers)
        with Connection(three.address) as connection:
            seen = set()
            for _ in range(20):
                connection.send(request)
                seen.add(connection.answer().status)
        return seen

    assert statuses() == {200}
    three.call("DELETE", f"/v1/tokens/{secret.split('_')[1]}")
    assert statuses() == {401}


def test_one_that_is_killed_is_not_noticed(three: RealStack, visited: Published) -> None:
    """While requests go on, one process after the other is killed; every request is answered 200."""
    statuses = until_all_answer(three, visited)
    stop = threading.Event()

    def visit() -> None:
        request = request_bytes("GET", "/", host=visited.host, headers=visited.credential.items())
        with Connection(three.address) as connection:
            while not stop.is_set():
                connection.send(request)
                statuses.append(connection.answer().status)

    def visits_go_on() -> None:
        goal = len(statuses) + 200
        wait_for(lambda: len(statuses) >= goal, what=f"{goal} requests", within=PATIENCE)

    def replace(name: str) -> None:
        """Kill the process, and wait until another one in its place has allowed something."""
        victim = three.platform.child(name)
        victim.kill()

        def decides() -> bool:
            try:
                return three.platform.child(name).pid != victim.pid and decided(three, name) > 0
            except (AssertionError, httpx.HTTPError):
                return False

        visits_go_on()
        wait_for(decides, what=f"{name} is back", within=PATIENCE)

    with ThreadPoolExecutor() as pool:
        visits = [pool.submit(visit) for _ in range(2)]
        try:
            for name in NAMES:
                visits_go_on()
                replace(name)
        finally:
            stop.set()
        for each in visits:
            each.result()
    assert set(statuses) == {200}

"""When a call that narrows access returns, Envoy has forgotten, too: the platform under constant load."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.platform import Platform, running_platform
from tests.e2e.support.raw_http import Connection, exchange, request_bytes
from tests.e2e.support.stack import API_HOST
from tests.support.waiting import wait_for

LIFETIME = 0.3
ROUNDS = 50
VISITORS = 4


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Two replicas of check, and an Envoy with three workers that remembers."""
    with running_platform(
        edge_cache_lifetime=str(LIFETIME), envoy_concurrency="3", check_processes="2"
    ) as running:
        yield running


class Operator:
    """The holder of the first ADMIN token, over REST."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def call(self, method: str, target: str, body: object = None) -> Any:
        """One call, which must succeed."""
        answer = exchange(
            self._platform.address,
            method,
            target,
            host=API_HOST,
            headers={"Authorization": f"Bearer {self._platform.admin_token}"},
            body=None if body is None else json.dumps(body).encode(),
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def create_app(self, port: int) -> Any:
        """An external app, labelled `group=A`."""
        spec = {"external": {"address": f"127.0.0.1:{port}"}, "readiness": {"period": "60s"}}
        app = {"displayName": "app", "region": "GRA", "labels": {"group": "A"}, "spec": spec}
        return self.call("POST", "/v1/apps", app)

    def create_token(self, **changes: Any) -> Any:
        """A token for `group=A`, with its secret."""
        token = {"displayName": "t", "role": "ROLE_READ_ONLY", "region": "GRA", "labelSelector": "group=A"}
        return self.call("POST", "/v1/tokens", {**token, **changes})

    def relabel(self, app_id: str, group: str) -> None:
        """Put an app into another group."""
        self.call("PATCH", f"/v1/apps/{app_id}?updateMask=labels", {"labels": {"group": group}})


@dataclass
class Load:
    """Visitors that use one secret without a pause, each on a connection of its own."""

    address: tuple[str, int]
    host: str
    secret: str
    answers: list[tuple[float, int]] = field(default_factory=list)
    """When a request was sent, and the status of its answer."""

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(VISITORS)]
        self.faults: list[BaseException] = []

    def _visit(self) -> None:
        credential = {"Authorization": f"Bearer {self.secret}"}
        data = request_bytes("GET", "/", host=self.host, headers=credential.items())
        try:
            with Connection(self.address) as connection:
                while not self._ended.is_set():
                    sent = time.monotonic()
                    connection.send(data)
                    self.answers.append((sent, connection.answer().status))
        except BaseException as fault:  # noqa: BLE001 - for the test's thread to raise
            self.faults.append(fault)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """In this block."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join(15)
        if self.faults:
            raise self.faults[0]

    def wait_for(self, wanted: Callable[[int], bool], *, times: int, since: float = 0.0) -> None:
        """Wait for so many answers to requests that were sent since a moment."""

        def enough() -> bool:
            return sum(sent > since and wanted(status) for sent, status in list(self.answers)) >= times

        wait_for(enough, what=f"{times} answers", within=20)


def hits(platform: Platform) -> int:
    """How many requests Envoy has answered from memory."""
    return platform.log.read_text().count('"cached":true')


@pytest.fixture
def operator(platform: Platform) -> Operator:
    """Who narrows access."""
    return Operator(platform)


def test_no_request_that_is_sent_after_the_call_is_let_through(
    platform: Platform, operator: Operator, app: RecordingApp
) -> None:
    """Fifty times, in every way in which access can be narrowed, with all workers remembering allows."""
    created = operator.create_app(app.port)
    app_id, host = created["appId"], created["status"]["url"].removeprefix("http://")

    def delete(token_id: str) -> None:
        operator.call("DELETE", f"/v1/tokens/{token_id}")

    def regenerate(token_id: str) -> None:
        operator.call("POST", f"/v1/tokens/{token_id}:regenerate", {})

    def relabel(_: str) -> None:
        operator.relabel(app_id, "B")

    def stop(_: str) -> None:
        operator.call("POST", f"/v1/apps/{app_id}:stop", {})

    before = hits(platform)
    for _, narrow in zip(range(ROUNDS), itertools.cycle([delete, regenerate, relabel, stop]), strict=False):
        token = operator.create_token()
        with Load(platform.address, host, token["secret"]).running() as load:
            load.wait_for(lambda status: status == 200, times=10 * VISITORS)
            narrow(token["token"]["tokenId"])
            returned = time.monotonic()
            load.wait_for(lambda _: True, times=3 * VISITORS, since=returned)
        late = [status for sent, status in load.answers if sent > returned and status == 200]
        assert late == [], narrow.__name__
        if narrow is relabel:
            operator.relabel(app_id, "A")
        elif narrow is stop:
            operator.call("POST", f"/v1/apps/{app_id}:start", {})
    # The load was let through from memory, or the test would show nothing.
    wait_for(lambda: hits(platform) > before + ROUNDS, what="hits in the access log")


def test_a_token_that_is_about_to_end_is_not_remembered(
    platform: Platform, operator: Operator, app: RecordingApp
) -> None:
    """No request that is sent after a token's expiry is let through, though no call announced it."""
    created = operator.create_app(app.port)
    host = created["status"]["url"].removeprefix("http://")
    ends = time.time() + 3
    expire_time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ends)) + f".{int(ends % 1 * 1e6):06}Z"
    token = operator.create_token(expireTime=expire_time)
    with Load(platform.address, host, token["secret"]).running() as load:
        load.wait_for(lambda status: status == 200, times=VISITORS)
        load.wait_for(lambda status: status == 401, times=VISITORS)
        ended = time.monotonic() + ends - time.time()
    assert [status for sent, status in load.answers if sent > ended and status == 200] == []

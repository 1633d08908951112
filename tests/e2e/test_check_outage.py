"""What Envoy does when check is slow, wrong, or not there: nothing passes that check has not allowed."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import grpc
import pytest
from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

from tests.e2e.support.apps import RecordingApp
from tests.e2e.support.check_process import CheckProcess, start_replicas
from tests.e2e.support.fake_check import FakeCheck, Rules
from tests.e2e.support.raw_http import Answer, Connection, exchange, request_bytes
from tests.e2e.support.stack import FakeStack, fake_stack, new_host, new_rules
from tests.support.waiting import wait_for


class ScriptedCheck(FakeCheck):
    """Answers as the fake does, after a test had its way with the answer."""

    def alter(self, response: CheckResponse) -> None:
        """Change the answer, or take one's time."""

    def check(self, request: CheckRequest, context: grpc.ServicerContext) -> CheckResponse:
        """Decide, then alter."""
        response = super().check(request, context)
        self.alter(response)
        return response


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[FakeStack, ScriptedCheck]]:
    """A stack whose check a test can bend."""
    made: list[ScriptedCheck] = []

    def checks(home: Path, rules: Rules) -> list[ScriptedCheck]:
        made.append(ScriptedCheck(home / "check-0.sock", rules))
        return made

    with fake_stack(checks=checks) as stack:
        yield stack, made[0]


def assert_fails_closed(answer: Answer, app: RecordingApp) -> None:
    """503, in words that tell nothing of the inside, and nothing at the app."""
    assert answer.status == 503
    assert answer.all("content-type") == ["application/problem+json"]
    assert b"access check does not answer" in answer.body
    assert answer.all("retry-after") == ["1"]
    assert app.connections == 0


def test_without_check_nothing_passes(app: RecordingApp) -> None:
    """With no replica, every request is answered 503; when one is back, requests pass again."""
    with fake_stack() as stack:
        published = stack.publish("127.0.0.1", app.port)
        assert published.get().status == 200
        stack.checks[0].close()
        app.connections = 0
        for _ in range(5):
            assert_fails_closed(published.get(), app)
        assert_fails_closed(exchange(stack.address, "GET", "/", host=published.host), app)
        stack.replicas.append(FakeCheck(stack.home / "check-0.sock", stack.rules))
        wait_for(lambda: published.get().status == 200, what="requests pass again")


def test_a_check_that_hangs_denies(
    scripted: tuple[FakeStack, ScriptedCheck], app: RecordingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a second without an answer, the answer is 503."""
    stack, check = scripted
    published = stack.publish("127.0.0.1", app.port)
    done = threading.Event()
    monkeypatch.setattr(check, "alter", lambda _: done.wait(10))
    started = time.monotonic()
    try:
        assert_fails_closed(published.get(), app)
    finally:
        done.set()
    assert 0.9 < time.monotonic() - started < 5


def test_a_check_that_is_slow_is_waited_for(
    scripted: tuple[FakeStack, ScriptedCheck], app: RecordingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a second is no reason to ask again."""
    stack, check = scripted
    published = stack.publish("127.0.0.1", app.port)
    # The slowness itself: nothing is waited for.
    monkeypatch.setattr(check, "alter", lambda _: time.sleep(0.1))
    before = len(check.seen)
    assert published.get().status == 200
    assert len(check.seen) == before + 1


def test_a_check_that_crashes_on_a_request_denies(
    scripted: tuple[FakeStack, ScriptedCheck], app: RecordingApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in check opens nothing."""
    stack, check = scripted
    published = stack.publish("127.0.0.1", app.port)

    def crash(_: CheckResponse) -> None:
        raise RuntimeError("scripted")

    monkeypatch.setattr(check, "alter", crash)
    assert_fails_closed(published.get(), app)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "other.example"),
        (":path", "/other"),
        (":authority", "other.example"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-other", "1"),
        ("x-doorward-role", "a\r\nx-injected: 1"),
        ("x-doorward-role", "a\x00b"),
    ],
)
def test_check_may_set_identity_headers_alone(
    scripted: tuple[FakeStack, ScriptedCheck],
    app: RecordingApp,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    value: str,
) -> None:
    """An answer that would change anything else of the request, or break a header in two, is refused."""
    stack, check = scripted
    published = stack.publish("127.0.0.1", app.port)
    option = HeaderValueOption(header=HeaderValue(key=key, value=value))
    option.append_action = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    monkeypatch.setattr(check, "alter", lambda response: response.ok_response.headers.append(option))
    assert published.get().status >= 500
    assert app.connections == 0


def test_an_answer_without_an_address_reaches_nothing(
    scripted: tuple[FakeStack, ScriptedCheck], app: RecordingApp
) -> None:
    """Allowed but sent nowhere: Envoy never falls back to the Host, which the client chooses."""
    stack, _ = scripted
    name = new_host()
    stack.rules.apps[name] = ("", 0)
    assert stack.published(name).get().status == 503

    # The worst case: a Host that is an address, and check that allows it.
    own = f"127.0.0.1.nip.localhost:{app.port}"
    stack.rules.apps[""] = ("", 0)
    for host in (own, f"127.0.0.2:{app.port}", f"[::1]:{app.port}"):
        assert exchange(stack.address, "GET", "/", host=host, headers=stack.credential).status == 503
    assert app.connections == 0


def three_processes(home: Path, rules: Rules) -> list[CheckProcess]:
    """Three replicas that can be killed."""
    return start_replicas(home, rules, count=3)


def test_killing_a_replica_costs_no_request(app: RecordingApp) -> None:
    """Of three replicas two are killed while requests go on, and every request is answered 200."""
    name = new_host()
    rules = new_rules()
    rules.apps[name] = ("127.0.0.1", app.port)
    with fake_stack(checks=three_processes, rules=rules) as stack:
        published = stack.published(name)
        wait_for(lambda: published.get().status == 200, what="the first request passes")
        statuses: list[int] = []
        stop = threading.Event()

        def visit() -> None:
            request = request_bytes("GET", "/", host=published.host, headers=published.credential.items())
            with Connection(stack.address) as connection:
                while not stop.is_set():
                    connection.send(request)
                    statuses.append(connection.answer().status)

        def reached(goal: int) -> bool:
            return len(statuses) >= goal

        with ThreadPoolExecutor() as pool:
            visits = [pool.submit(visit) for _ in range(4)]
            try:
                for goal, victim in ((200, 0), (400, 1), (800, None)):
                    wait_for(partial(reached, goal), what=f"{goal} requests", within=60)
                    if victim is not None:
                        stack.replicas[victim].close()
            finally:
                stop.set()
            for visit_result in visits:
                visit_result.result()
        assert set(statuses) == {200}


def test_a_replica_that_hangs_costs_no_request(app: RecordingApp) -> None:
    """A replica that was stopped in its tracks is given up for another one, within the second."""
    name = new_host()
    rules = new_rules()
    rules.apps[name] = ("127.0.0.1", app.port)
    with fake_stack(checks=three_processes, rules=rules) as stack:
        published = stack.published(name)
        wait_for(lambda: published.get().status == 200, what="the first request passes")
        replica = stack.replicas[0]
        assert isinstance(replica, CheckProcess)
        replica.process.send_signal(signal.SIGSTOP)
        assert [published.get().status for _ in range(30)] == [200] * 30


def test_a_replica_that_is_not_serving_is_asked_no_more(app: RecordingApp) -> None:
    """A replica whose health check says NOT_SERVING leaves the rotation, and comes back."""

    def two(home: Path, rules: Rules) -> list[FakeCheck]:
        return [FakeCheck(home / f"check-{number}.sock", rules) for number in range(2)]

    with fake_stack(checks=two) as stack:
        published = stack.publish("127.0.0.1", app.port)

        def asked_after(requests: int) -> list[int]:
            before = [len(check.seen) for check in stack.checks]
            for _ in range(requests):
                assert published.get().status == 200
            return [len(check.seen) - count for check, count in zip(stack.checks, before, strict=True)]

        assert all(asked_after(20))
        stack.checks[0].set_serving(False)
        wait_for(lambda: asked_after(40)[0] == 0, what="the replica is out")
        assert asked_after(20) == [0, 20]
        stack.checks[0].set_serving(True)
        wait_for(lambda: asked_after(10)[0] > 0, what="the replica is back")

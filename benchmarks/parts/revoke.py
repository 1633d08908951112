"""Revoking, end to end: the real api through the real Envoy, while requests come."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from benchmarks.gateways import cheapest_app
from benchmarks.h2load import background
from benchmarks.load import percentile
from benchmarks.plan import Plan
from benchmarks.requests import PATH
from benchmarks.results import Figure, Results, Row, Spread, milliseconds
from tests.e2e.support.platform import Platform, running_platform
from tests.support.waiting import wait_for

_API_HOST: Final = "api.localhost"
_REGION: Final = "GRA"
_REGENERATED: Final = 20
"""Tokens whose secret is replaced again and again."""
_LOAD_RATE: Final = 500
"""Requests a second through Envoy meanwhile."""
_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Token:
    token_id: str
    secret: str = field(repr=False)


class _Caller:
    """One kept connection to Envoy."""

    def __init__(self, platform: Platform) -> None:
        self._connection = HTTPConnection(*platform.address, timeout=_TIMEOUT)
        self._admin = platform.admin_token

    def api(self, method: str, target: str, body: object = None) -> Any:
        """Call the API over REST as ADMIN."""
        headers = {"Host": _API_HOST, "Authorization": f"Bearer {self._admin}"}
        self._connection.request(method, target, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {target} answered {response.status}: {text!r}")
        return json.loads(text)

    def visit(self, host: str, secret: str) -> int:
        """Ask an app, and return the status."""
        self._connection.request("GET", PATH, headers={"Host": host, "Authorization": f"Bearer {secret}"})
        response = self._connection.getresponse()
        response.read()
        return response.status

    def create_token(self, number: int) -> _Token:
        """A token for every app of the region."""
        created = self.api(
            "POST",
            "/v1/tokens",
            {
                "displayName": f"benchmark {number}",
                "role": "ROLE_READ_ONLY",
                "region": _REGION,
                "allApps": True,
            },
        )
        return _Token(created["token"]["tokenId"], created["secret"])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Time the calls that revoke, and see that the very next request after each is denied."""
    with contextlib.ExitStack() as stack:
        _, port = stack.enter_context(cheapest_app(home / "app"))
        platform = stack.enter_context(running_platform())
        caller = stack.enter_context(_caller(platform))
        host = _publish(caller, port)
        tokens = _create_tokens(platform, plan.deletions + _REGENERATED + 1)
        visitor, doomed, renewed = tokens[0], tokens[1 : 1 + plan.deletions], tokens[1 + plan.deletions :]
        trials = _Trials(caller, host)
        with background(
            platform.address, host=host, secret=visitor.secret, path=PATH, rate=_LOAD_RATE
        ) as load:
            for token in doomed:
                trials.delete(token)
            for turn in range(plan.regenerations):
                place = turn % len(renewed)
                renewed[place] = trials.regenerate(renewed[place])
    results.faults += [f"revoke: {fault}" for fault in trials.faults]
    if load.failures or not load.requests:
        results.faults.append(f"revoke: of {load.requests} requests meanwhile {load.failures} failed")
    _report(trials, plan, results)


class _Trials:
    """Calls that revoke a secret, one after another."""

    def __init__(self, caller: _Caller, host: str) -> None:
        self._caller = caller
        self._host = host
        self.deletions: list[float] = []
        self.regenerations: list[float] = []
        self.faults: list[str] = []
        self.allowed_after = 0
        """Requests that were let through although the call that forbade them had returned."""

    def delete(self, token: _Token) -> None:
        """Delete a token that works."""
        self._expect(200, token, "before it was deleted")
        began = time.perf_counter()
        self._caller.api("DELETE", f"/v1/tokens/{token.token_id}")
        self.deletions.append(time.perf_counter() - began)
        self._expect_denied(token)

    def regenerate(self, token: _Token) -> _Token:
        """Replace the secret of a token that works."""
        self._expect(200, token, "before its secret was replaced")
        began = time.perf_counter()
        answer = self._caller.api("POST", f"/v1/tokens/{token.token_id}:regenerate", {})
        self.regenerations.append(time.perf_counter() - began)
        self._expect_denied(token)
        return _Token(token.token_id, answer["secret"])

    def _expect_denied(self, token: _Token) -> None:
        status = self._caller.visit(self._host, token.secret)
        if status != 401:
            self.allowed_after += status == 200
            self.faults.append(f"a revoked secret was answered {status}")

    def _expect(self, status: int, token: _Token, when: str) -> None:
        seen = self._caller.visit(self._host, token.secret)
        if seen != status:
            self.faults.append(f"a token was answered {seen} {when}")


@contextlib.contextmanager
def _caller(platform: Platform) -> Iterator[_Caller]:
    with contextlib.closing(_Caller(platform)) as caller:
        yield caller


def _publish(caller: _Caller, port: int) -> str:
    """Put what listens on a port behind Envoy, and return its host once it runs."""
    spec = {"external": {"address": f"127.0.0.1:{port}"}}
    created = caller.api("POST", "/v1/apps", {"displayName": "app", "region": _REGION, "spec": spec})

    def running() -> bool:
        state: str = caller.api("GET", f"/v1/apps/{created['appId']}")["status"]["state"]
        return state == "APP_STATE_RUNNING"

    wait_for(running, what="the app runs", within=_TIMEOUT)
    url: str = created["status"]["url"]
    return url.removeprefix("http://")


def _create_tokens(platform: Platform, count: int) -> list[_Token]:
    """Create tokens, two at a time: each costs one Argon2 hash."""

    def create(numbers: Sequence[int]) -> list[_Token]:
        with _caller(platform) as caller:
            return [caller.create_token(number) for number in numbers]

    with ThreadPoolExecutor(2) as pool:
        return [
            token for part in pool.map(create, (range(0, count, 2), range(1, count, 2))) for token in part
        ]


def _report(trials: _Trials, plan: Plan, results: Results) -> None:
    for key, name, seconds in (
        ("delete", "DeleteToken until denied everywhere", trials.deletions),
        ("regenerate", "RegenerateToken until denied everywhere", trials.regenerations),
    ):
        results.rows.append(
            Row(
                key=f"revoke.{key}",
                name=name,
                p50_ms=_spread(seconds, 50, rounds=plan.rounds),
                p99_ms=_spread(seconds, 99, rounds=plan.rounds),
            )
        )
    results.figures += (
        *(
            Figure(
                key=f"revoke.p{percent}_ms",
                meaning=f"p{percent} of DeleteToken, ms; the next request is denied",
                value=_spread(trials.deletions, percent, rounds=plan.rounds),
            )
            for percent in (50, 99)
        ),
        Figure(
            key="revoke.allowed_after_return",
            meaning=f"requests allowed after the call that forbade them returned, of "
            f"{len(trials.deletions) + len(trials.regenerations):,}",
            value=Spread.of([trials.allowed_after]),
        ),
    )


def _spread(seconds: Sequence[float], percent: float, *, rounds: int) -> Spread:
    """The percentile of all trials, and its extremes among as many parts of them as there are rounds."""
    size = max(1, len(seconds) // rounds)
    parts = [percentile(seconds[first : first + size], percent) for first in range(0, len(seconds), size)]
    spread = milliseconds(parts)
    return Spread(percentile(seconds, percent) * 1e3, spread.least, spread.most)

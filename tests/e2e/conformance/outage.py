"""Nobody decides: the check hangs, so nothing is let in."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.e2e.conformance.app import SOCKET
from tests.e2e.conformance.case import Answer, Case, Exchange, answer
from tests.e2e.conformance.http1 import get, http1
from tests.e2e.conformance.http2 import Headers, Http2, request
from tests.e2e.conformance.revoked import UPGRADE
from tests.e2e.conformance.rows import refused
from tests.e2e.conformance.target import OUTAGE, Target
from tests.e2e.support.apps import PROBE
from tests.e2e.support.raw_http import exchange
from tests.support.waiting import wait_for

_BEARER: Final = "Authorization: Bearer <token>"


@dataclass(frozen=True, slots=True)
class DuringAnOutage:
    """An exchange while the check does not answer."""

    exchange: Exchange

    def text(self) -> str:
        return f"⋯ the check hangs\n{self.exchange.text()}"

    def needs(self) -> frozenset[str]:
        return self.exchange.needs() | {OUTAGE}

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        """The answers, after which the check is asked again."""
        check = target.check
        assert check is not None
        check.pause()
        try:
            return self.exchange.perform(target, answers=answers)
        finally:
            check.resume()
            # If it does not, the honest request that follows every exchange finds that.
            with suppress(AssertionError):
                wait_for(lambda: _serves(target), what="the gateway asks the check again")


def _serves(target: Target) -> bool:
    values = target.values()
    headers = {"Authorization": f"Bearer {values['token']}"}
    return exchange(target.address, "GET", PROBE, host=values["mine"], headers=headers).status == 200


EXCHANGES: Final[dict[str, Exchange]] = {
    "with-a-token": get(_BEARER),
    "without-a-token": get(),
    "with-a-revoked-token": get("Authorization: Bearer <dead>"),
    "with-a-body": http1("POST / HTTP/1.1", "Host: <mine>", _BEARER, "Content-Length: 4", body="body"),
    "operator-path": get(_BEARER, target="/admin", host="<guarded>"),
    "public-app": get(host="<public>"),
    "websocket": get(_BEARER, *UPGRADE, target=SOCKET),
    "http2": Http2((Headers(fields=request()),)),
}
"""Requests that nobody can decide on."""


def _cases() -> Iterator[Case]:
    yield from refused(
        "outage",
        {
            name: (
                DuringAnOutage(sent),
                answer(503),
                "When the check does not answer, the answer is no.",
                "docs/security-model.md, 2",
            )
            for name, sent in EXCHANGES.items()
        },
    )


CASES: Final = tuple(_cases())

"""What a case of the table consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.e2e.conformance.target import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a response, or none because the gateway ended the connection or the stream."""

    status: int | None
    body: bytes = field(default=b"", repr=False)


CUT: Final = Answer(None)


@dataclass(frozen=True, slots=True)
class Expected:
    """The answers that are right."""

    statuses: frozenset[int | None]
    """None: no response at all."""

    @property
    def allowed(self) -> bool:
        """Whether the request must reach the app."""
        return any(status is not None and status < 300 for status in self.statuses)

    def __str__(self) -> str:
        named = sorted(str(status) for status in self.statuses if status is not None)
        return " or ".join([*named, *(["cut off"] if None in self.statuses else [])])


def answer(*statuses: int | None) -> Expected:
    """Any of these statuses; None: the gateway may also just end the connection or the stream."""
    return Expected(frozenset(statuses))


ALLOWED: Final = answer(200)
UPGRADED: Final = answer(101)
UNREADABLE: Final = answer(400)
"""What cannot be read, or could be read in two ways."""
UNAUTHENTICATED: Final = answer(401)
FORBIDDEN: Final = answer(403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as the app must have got it. Values are templates."""

    app: str = "mine"
    by: str | None = "token"
    """The role of the secret that the app is told about; None: of nobody."""
    method: str = "GET"
    target: str = "/"
    host: str | None = None
    """None: any spelling of the app's host."""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Some of the headers, each with every value of it; `()`: it is not there."""
    body: str = ""
    cut: bool = False
    """Whether it ends before it is whole: the app then sees some of the body, or nothing of it all."""


class Exchange(Protocol):
    """What is sent, and how the answers are read."""

    def text(self) -> str:
        """What is sent, for people to read."""
        ...

    def needs(self) -> frozenset[str]:
        """The facts about the target without which it cannot be sent (see `Target.facts`)."""
        ...

    def perform(self, target: Target, *, answers: int) -> list[Answer]:
        """Send it, and return that many answers, and more if more came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that a client may try, and what must come of it."""

    name: str
    rule: str
    """What the case shows, as a sentence."""
    source: str
    """The advisory, the standard or the document that the rule comes from."""
    exchange: Exchange
    answers: tuple[Expected, ...]
    seen: tuple[Seen, ...] = ()
    """All that the apps may have seen of it. Nothing, unless a case says otherwise."""

"""Cases of one request each, written as rows: the shape that most of them have."""

from collections.abc import Iterator, Mapping

from tests.e2e.conformance.case import ALLOWED, Case, Exchange, Expected, Seen


def refused(subject: str, rows: Mapping[str, tuple[Exchange, Expected, str, str]]) -> Iterator[Case]:
    """Requests that reach no app: each with its answer, the rule, and the source of the rule."""
    for name, (exchange, expected, rule, source) in rows.items():
        yield Case(name=f"{subject}/{name}", rule=rule, source=source, exchange=exchange, answers=(expected,))


def accepted(subject: str, rows: Mapping[str, tuple[Exchange, Seen, str, str]]) -> Iterator[Case]:
    """Requests that are let in: each with what the app sees, the rule, and the source of the rule."""
    for name, (exchange, seen, rule, source) in rows.items():
        yield Case(
            name=f"{subject}/{name}",
            rule=rule,
            source=source,
            exchange=exchange,
            answers=(ALLOWED,),
            seen=(seen,),
        )

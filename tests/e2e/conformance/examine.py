"""Tries a case on a target, and says what was wrong: never with a secret, or the value of a header."""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from hpack import HPACKError
from hyperframe.exceptions import HyperframeError

from tests.e2e.conformance.case import Answer, Case, Expected, Seen
from tests.e2e.conformance.target import FLEETING, Identity, Target
from tests.e2e.conformance.template import fill
from tests.e2e.support.apps import Received
from tests.e2e.support.raw_http import exchange

_HONEST: Final = (f"/honest/{number}" for number in count(1))
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_-]{24,}")


def missing(case: Case, target: Target) -> frozenset[str]:
    """What the case needs and the target does not have."""
    return case.exchange.needs() - target.facts()


def examine(case: Case, target: Target) -> list[str]:
    """Send the hostile request, then an honest one and one without a token; answer with what was wrong.

    However the hostile one was answered, the apps must have seen exactly what the case says, and the two
    others must fare as ever.
    """
    try:
        answers = case.exchange.perform(target, answers=len(case.answers))
        findings = list(_wrong_answers(case, answers, target))
    except (OSError, EOFError, ValueError, HyperframeError, HPACKError) as error:
        findings = [f"the answer does not come, or cannot be read: {type(error).__name__}"]
    path = next(_HONEST)
    findings += _wrong_afterwards(target, path)
    honest = Seen(target=path)
    for role, app in target.apps.items():
        expected = [seen for seen in (*case.seen, honest) if seen.app == role]
        received = app.app.fresh()
        if any(seen.cut for seen in expected):
            # An app notes what was cut off when it hears of that, which may be after the honest request.
            received.sort(key=lambda each: each.target == path)
        findings += _wrong_records(role, expected, received, target)
    return findings


def latecomers(target: Target) -> list[str]:
    """What reached an app after the last case was through."""
    apps = target.apps.items()
    return [found for role, app in apps for found in _wrong_records(role, [], app.app.fresh(), target)]


def _wrong_answers(case: Case, answers: list[Answer], target: Target) -> Iterator[str]:
    if len(answers) != len(case.answers):
        yield f"{len(answers)} answers instead of {len(case.answers)}: {[each.status for each in answers]}"
        return
    for number, (expected, found) in enumerate(zip(case.answers, answers, strict=True), 1):
        if not _is_right(expected, found.status, exact=target.exact):
            yield f"answer {number} is {found.status or 'cut off'} instead of {expected}"


def _is_right(expected: Expected, status: int | None, *, exact: bool) -> bool:
    if exact or expected.allowed:
        return status in expected.statuses
    return status is None or status >= 300


def _wrong_afterwards(target: Target, path: str) -> Iterator[str]:
    values = target.values()
    for token, expected in ((values["token"], 200), (None, 401)):
        headers = [] if token is None else [("Authorization", f"Bearer {token}")]
        whose = "without a token" if token is None else "with the token"
        try:
            found = exchange(target.address, "GET", path, host=values["mine"], headers=headers)
        except OSError as error:
            yield f"afterwards, a request {whose} fails: {type(error).__name__}"
            continue
        if found.status != expected:
            yield f"afterwards, a request {whose} is answered {found.status} instead of {expected}"
        elif token is not None and found.body != path.encode():
            yield "afterwards, an honest request gets the answer to another one"


def _wrong_records(
    role: str, expected: list[Seen], received: list[Received], target: Target
) -> Iterator[str]:
    if len(received) < len(expected):
        expected = [seen for seen in expected if not seen.cut]
    if len(received) != len(expected):
        what = [f"{each.method} {each.target[:60]}" for each in received]
        yield f"the app {role!r} saw {len(received)} requests instead of {len(expected)}: {what}"
        return
    for seen, found in zip(expected, received, strict=True):
        yield from (f"the app {role!r} saw {wrong}" for wrong in _wrong_request(seen, found, target))


def _wrong_request(seen: Seen, found: Received, target: Target) -> Iterator[str]:
    values = target.values()
    if found.method != seen.method:
        yield f"the method {found.method} instead of {seen.method}"
    if found.target != fill(seen.target, values):
        yield f"another path than {seen.target}"
    body = fill(seen.body, values).encode("latin-1")
    if found.body != body and not (seen.cut and body.startswith(found.body)):
        yield "another body"
    if not _is_host(found.all("host"), seen, values):
        yield f"another host than {seen.host or f'<{seen.app}>'}"
    for name, wanted in seen.headers.items():
        if found.all(name) != [fill(value, values) for value in wanted]:
            yield f"another {name} than {list(wanted)}"
    yield from _wrong_identity(_identity(seen, target), found, target.identity_prefix)
    yield from _leaks(found, [secret.secret for secret in target.secrets.values()])


def _is_host(found: list[str], seen: Seen, values: dict[str, str]) -> bool:
    if seen.host is not None:
        return found == [fill(seen.host, values)]
    (name,) = [host.partition(":")[0].rstrip(".").lower() for host in found] or [""]
    return name == values[f"{seen.app}-name"].lower()


def _identity(seen: Seen, target: Target) -> Identity:
    of_app = target.apps[seen.app].identity
    if seen.by is None:
        return of_app
    if seen.by == FLEETING:
        return {**of_app, **dict.fromkeys(target.secrets["token"].identity)}
    return {**of_app, **target.secrets[seen.by].identity}


def _wrong_identity(expected: Identity, found: Received, prefix: str) -> Iterator[str]:
    """Names are compared as the laxest server would: WSGI and CGI read `_` as `-`."""
    told = [
        (name.lower(), value)
        for name, value in (*found.headers, *found.trailers)
        if re.split("[-_]", name.lower())[: prefix.count("-") + 1] == prefix.split("-")
    ]
    if sorted(name for name, _ in told) != sorted(expected):
        yield f"the identity headers {sorted(name for name, _ in told)} instead of {sorted(expected)}"
        return
    for name, value in told:
        if expected[name] not in {None, value}:
            yield f"a wrong {name}"


def _leaks(found: Received, secrets: Iterable[str]) -> Iterator[str]:
    """The places in which the app saw a secret, as it is or in base64."""
    fields = [*found.headers, *found.trailers]
    places = [("the path", found.target), ("the body", found.body.decode("latin-1"))]
    places += [(f"the header {name}", f"{name}: {value}") for name, value in fields]
    for secret in secrets:
        for place, text in places:
            if any(secret in reading for reading in (text, *_decoded(text))):
                yield f"a secret in {place}"


def _decoded(text: str) -> Iterator[str]:
    for run in _BASE64.findall(text):
        standard = run.replace("-", "+").replace("_", "/")
        whole = standard[: len(standard) - (len(standard) % 4 == 1)]
        yield b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")

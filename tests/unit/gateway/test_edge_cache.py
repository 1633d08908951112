"""What Envoy remembers, for how long, and for whom: envoy/edge_cache.lua by itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.edge_cache import BY_HOST, OWN, EdgeCache, Header, Seconds, Stream

FACTS: Mapping[str, Any] = {
    "reason": "ALLOWED",
    "app_id": "app-1",
    "token_id": "token-1",
    "role": "READ_ONLY",
    "region": "GRA",
    "upstream_host": "127.0.0.1",
    "upstream_port": "9000",
}
ANSWER: Mapping[str, Any] = {
    **FACTS,
    "remember": {"milliseconds": 1000.0, "any_path": True, "remove": ["authorization"]},
}
REQUEST: Mapping[str, str] = {
    ":method": "GET",
    ":authority": "app-1.example",
    ":path": "/predict",
    "authorization": "Bearer one",
    "doorward-token": "two",
    "cookie": "a=1",
    "accept": "*/*",
}


def remembering(**changes: Any) -> dict[str, Any]:
    """An allow that is to be remembered in another way."""
    return {**ANSWER, "remember": {**ANSWER["remember"], **changes}}


def headers(changes: Mapping[str, str | None] | None = None) -> list[Header]:
    """The usual request with changes; None takes a header away."""
    return [(name, value) for name, value in {**REQUEST, **(changes or {})}.items() if value is not None]


@pytest.fixture
def cache() -> EdgeCache:
    """The script of a worker that has just begun."""
    return EdgeCache()


def ask(
    cache: EdgeCache, changes: Mapping[str, str | None] | None = None, *, answer: Mapping[str, Any] = ANSWER
) -> Stream:
    """A request that check was asked about."""
    stream = cache.request(headers(changes))
    assert not stream.hit
    return stream.answered(answer)


def test_an_allow_is_repeated_as_it_was(cache: EdgeCache) -> None:
    """A hit sets the identity, removes what the answer removed, and names the same app, token and address."""
    ask(cache)
    again = cache.request(headers())
    assert again.hit
    assert again.facts == FACTS
    kept = [pair for pair in headers() if pair[0] != "authorization"]
    identity = {
        ("x-doorward-app-id", "app-1"),
        ("x-doorward-token-id", "token-1"),
        ("x-doorward-role", "READ_ONLY"),
    }
    assert again.headers[: len(kept)] == kept
    assert set(again.headers[len(kept) :]) == identity
    assert len(again.headers) == len(kept) + len(identity)


def test_without_a_token_there_is_no_token_in_the_identity(cache: EdgeCache) -> None:
    """A public app is told which app it is, and nothing of a caller."""
    public = {
        name: value for name, value in remembering(remove=[]).items() if name not in {"token_id", "role"}
    }
    ask(cache, {"authorization": None}, answer=public)
    again = cache.request(headers({"authorization": None}))
    assert again.hit
    assert [name for name, _ in again.headers if name.startswith("x-")] == ["x-doorward-app-id"]


@pytest.mark.parametrize(
    "answer",
    [
        {"reason": "NO_CREDENTIAL"},
        FACTS,
        {**FACTS, "remember": {"milliseconds": 0.0, "any_path": True, "remove": []}},
        # A denial of a check that has gone wrong.
        {key: value for key, value in ANSWER.items() if not key.startswith("upstream")},
        {},
    ],
)
def test_only_what_check_allowed_and_let_be_remembered_is(cache: EdgeCache, answer: dict[str, Any]) -> None:
    """A denial, or an allow without leave, is asked about again."""
    ask(cache, answer=answer)
    assert not cache.request(headers()).hit


def test_an_answer_that_would_remove_other_headers_is_not_remembered(cache: EdgeCache) -> None:
    """A hit can take away credentials, and nothing else."""
    ask(cache, answer=remembering(remove=["authorization", "host"]))
    assert not cache.request(headers()).hit


@pytest.mark.parametrize(
    "changes",
    [
        {":authority": "app-2.example"},
        {":authority": "App-1.example"},
        {":authority": "app-1.example:80"},
        {"authorization": "Bearer onE"},
        {"authorization": "Bearer one "},
        {"authorization": None},
        {"authorization": ""},
        {"doorward-token": "twO"},
        {"doorward-token": None},
        {"doorward-token": ""},
        {"cookie": "a=2"},
        {"cookie": "a=1; b"},
        {"cookie": None},
        {"authorization": "two", "doorward-token": "Bearer one"},
    ],
)
def test_whatever_a_decision_looked_at_is_in_the_key(
    cache: EdgeCache, changes: dict[str, str | None]
) -> None:
    """With one thing changed, check is asked."""
    ask(cache)
    assert not cache.request(headers(changes)).hit
    assert cache.request(headers()).hit


@given(
    one=st.tuples(*[st.none() | st.text("=\\n1a: ", max_size=4)] * 3),
    other=st.tuples(*[st.none() | st.text("=\\n1a: ", max_size=4)] * 3),
)
def test_two_requests_that_differ_never_share_an_entry(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    """Values cannot be arranged so that one request's key reads as another's."""
    cache = EdgeCache()
    names = ("authorization", "doorward-token", "cookie")
    ask(cache, dict(zip(names, one, strict=True)))
    assert cache.request(headers(dict(zip(names, other, strict=True)))).hit == (one == other)


def test_a_path_counts_when_check_says_so(cache: EdgeCache) -> None:
    """An allow for one path opens no other one; one for every path does."""
    ask(cache, answer=remembering(any_path=False))
    assert cache.request(headers()).hit
    for other in ("/predict?", "/predict/", "/Predict", "/admin", "/%70redict"):
        assert not cache.request(headers({":path": other})).hit
    ask(cache, {":path": "/elsewhere"})
    assert cache.request(headers({":path": "/admin?x"})).hit


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_the_usual_methods_are_one_class(cache: EdgeCache, method: str) -> None:
    """No decision looks at them."""
    ask(cache)
    assert cache.request(headers({":method": method})).hit


UNUSUAL: list[dict[str, str | None]] = [
    # May be a preflight, a tunnel, or anything.
    {":method": "OPTIONS"},
    {":method": "CONNECT"},
    {":method": "BREW"},
    {":method": None},
    {"upgrade": "websocket"},
    {"upgrade": ""},
    {":authority": "app\xff"},
    {":authority": "a\tb"},
    {"authorization": "Bearer one\xa0"},
    {"authorization": "Bearer\tone"},
    {"cookie": "a=\x7f"},
    {"authorization": "x" * 1025},
    {"cookie": "x" * 1025},
    {":path": "/caf\xe9"},
    {":path": "/a b"},
    {":path": "/" + "x" * 2048},
    {":path": None},
]


@pytest.mark.parametrize("changes", UNUSUAL)
def test_an_unusual_request_is_neither_remembered_nor_answered_from_memory(
    cache: EdgeCache, changes: dict[str, str | None]
) -> None:
    """Check is asked about it each time, and nothing is kept of it."""
    for _ in range(2):
        stream = ask(cache, changes)
        assert "ticket" not in stream.handle.metadata.values.get(OWN, {})
    ask(cache)
    if changes.keys() <= {":method", ":path", "upgrade"}:
        assert not cache.request(headers(changes)).hit


@pytest.mark.parametrize("route", ["", "app", "chat", "own-app-by-host"])
def test_a_route_of_another_name_is_unusual(cache: EdgeCache, route: str) -> None:
    """It may name the app, which no script can see: it is asked about, and gets nothing of another's."""
    ask(cache)
    for _ in range(2):
        stream = cache.request(headers(), route=route)
        assert not stream.hit
        stream.answered(ANSWER)
    assert cache.request(headers()).hit


def test_each_route_has_its_own(cache: EdgeCache) -> None:
    """What was allowed by one route counts for no other."""
    ask(cache)
    assert not cache.request(headers(), route=f"{BY_HOST}-grpc").answered(ANSWER).hit
    assert cache.request(headers(), route=f"{BY_HOST}-grpc").hit


@pytest.mark.parametrize("name", [":authority", "authorization", "doorward-token", "cookie"])
def test_a_repeated_header_is_unusual(cache: EdgeCache, name: str) -> None:
    """Joined or not, two values are never taken for one."""
    twice = [*headers(), (name, REQUEST[name])]
    for _ in range(2):
        stream = cache.request(twice)
        assert not stream.hit
        stream.answered(ANSWER)
    joined = f"{REQUEST[name]},{REQUEST[name]}"
    assert not cache.request(headers({name: joined})).hit


def test_an_allow_is_forgotten_when_its_time_is_over(cache: EdgeCache) -> None:
    """To the millisecond; and hits make it live no longer."""
    ask(cache, answer=remembering(milliseconds=250.0))
    for _ in range(2):
        cache.clock.pass_by(0.1)
        assert cache.request(headers()).answered(ANSWER).hit
    cache.clock.pass_by(0.049)
    assert cache.request(headers()).hit
    cache.clock.pass_by(0.001)
    assert not cache.request(headers()).hit


def test_the_time_counts_from_before_check_was_asked(cache: EdgeCache) -> None:
    """A check or an app that takes its time does not make an allow live longer."""
    slow = cache.request(headers())
    cache.clock.pass_by(0.9)
    slow.answered(ANSWER)
    assert cache.request(headers()).hit
    cache.clock.pass_by(0.1)
    assert not cache.request(headers()).hit


def test_an_answer_that_comes_too_late_is_not_remembered(cache: EdgeCache) -> None:
    """Nor does it bring back what was forgotten."""
    slow = cache.request(headers())
    cache.clock.pass_by(1.0)
    slow.answered(ANSWER)
    assert not cache.request(headers()).hit


def test_nothing_is_remembered_for_longer_than_a_second(cache: EdgeCache) -> None:
    """Whatever check says."""
    ask(cache, answer=remembering(milliseconds=60_000.0))
    cache.clock.pass_by(0.999)
    assert cache.request(headers()).hit
    cache.clock.pass_by(0.001)
    assert not cache.request(headers()).hit


@pytest.mark.parametrize("jump", [-0.5, -3600.0, 3600.0])
def test_a_clock_that_jumps_makes_nothing_live_longer(cache: EdgeCache, jump: float) -> None:
    """The clock never does; if it did, what is from the future would not count."""
    cache.clock.pass_by(0.2)
    ask(cache)
    cache.clock.pass_by(jump)
    assert not cache.request(headers()).hit


def test_without_a_clock_nothing_is_remembered() -> None:
    """Where there is no such clock, check is asked each time."""
    cache = EdgeCache(Seconds(now=None))
    for _ in range(3):
        ask(cache)


def test_a_newer_allow_takes_the_place_of_an_older_one(cache: EdgeCache) -> None:
    """An app that has moved is reached at its new address."""
    first, second = cache.request(headers()), cache.request(headers())
    first.answered(ANSWER)
    second.answered({**ANSWER, "upstream_port": "9001"})
    assert cache.request(headers()).facts["upstream_port"] == "9001"


def test_each_question_is_answered_once(cache: EdgeCache) -> None:
    """A second response of one stream, if there ever was one, changes nothing."""
    stream = ask(cache, answer=FACTS)
    stream.answered(ANSWER)
    assert not cache.request(headers()).hit


def test_tables_are_bounded() -> None:
    """However many requests there are at one moment, answered or not, memory stays where it was."""
    cache = EdgeCache()
    # A table has two halves of 2,048 entries, and every second request becomes an entry.
    all_halves = 2 * 2 * 2_048

    def flood(first: int) -> float:
        for index in range(first, first + all_halves):
            stream = cache.request(headers({"cookie": f"{index:01000}"}))
            if index % 2:
                stream.answered(ANSWER)
        return cache.kilobytes()

    full = flood(0)
    assert flood(all_halves) < 1.1 * full
    # Those that came first had to make room.
    assert not cache.request(headers({"cookie": f"{1:01000}"})).hit
    assert cache.request(headers({"cookie": f"{2 * all_halves - 1:01000}"})).hit


def test_what_is_forgotten_leaves_the_memory(cache: EdgeCache) -> None:
    """Secrets stay in Envoy's memory no longer than the next requests after their time."""
    empty = cache.kilobytes()
    for index in range(1_000):
        ask(cache, {"cookie": f"{index:01000}"})
    full = cache.kilobytes()
    assert full > empty + 1_000
    for _ in range(2):
        cache.clock.pass_by(1.0)
        ask(cache)
    # LuaJIT's table of strings keeps its size.
    assert cache.kilobytes() < empty + 200

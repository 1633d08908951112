"""The two clients are one surface: what each of them has, and that it is the same."""

import inspect
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import doorward

METHODS = {
    "apps": {"create", "delete", "get", "list", "logs", "start", "stop", "update", "wait", "watch"},
    "tokens": {"create", "delete", "explain", "get", "list", "preview", "regenerate", "update"},
    "sessions": {"create", "delete"},
    "audit": {"list"},
    "replicas": {"list"},
}


COUNTERPARTS = {
    doorward.AsyncPages: doorward.Pages,
    doorward.AsyncStream: doorward.Stream,
    AsyncIterator: Iterator,
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}
"""What stands in the awaited client where something else stands in the blocking one."""

PROTOCOLS = ("__aenter__", "__aexit__", "__aiter__", "__anext__")


def public(thing: object) -> list[str]:
    """Return the public names of an object's class."""
    return [name for name in dir(thing) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [doorward.Client, doorward.AsyncClient])
def test_client_surface(kind: Any) -> None:
    """A method that programs call is neither lost nor added by accident, in either client."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        client = kind("127.0.0.1:1")
        assert set(public(client)) == {"channel", "close", "from_env", "metadata", "whoami", *METHODS}
        assert {part: set(public(getattr(client, part))) for part in METHODS} == METHODS
        del client


def pairs() -> Iterator[tuple[str, Any, Any]]:
    """Yield every class of the blocking surface, and its counterpart."""
    yield "Client", doorward.Client, doorward.AsyncClient
    yield "Pages", doorward.Pages, doorward.AsyncPages
    yield "Stream", doorward.Stream, doorward.AsyncStream
    for part in METHODS:
        yield part, get_type_hints(doorward.Client)[part], get_type_hints(doorward.AsyncClient)[part]


def twin(value: Any) -> Any:
    """Return what stands in the blocking surface for something of the awaited one."""
    if get_origin(value) in COUNTERPARTS:
        return COUNTERPARTS[get_origin(value)][get_args(value)]  # type: ignore[index]  # they are generic
    return COUNTERPARTS.get(value, value)


@pytest.mark.parametrize(
    ("blocking", "awaiting"), [pair[1:] for pair in pairs()], ids=[p[0] for p in pairs()]
)
def test_both_clients_have_the_same_surface(blocking: Any, awaiting: Any) -> None:
    """Whatever is in one client is in the other, with the same parameters, results and words."""
    ours = {name for name in PROTOCOLS if hasattr(awaiting, name)}
    assert {twin(name) for name in ours} == {
        twin(name) for name in PROTOCOLS if hasattr(blocking, twin(name))
    }
    assert public(blocking) == public(awaiting)
    made = {"__init__"} if awaiting is doorward.AsyncClient else set()  # others come from a client
    for name in {*public(awaiting), *made, *ours}:
        one, other = inspect.getattr_static(blocking, twin(name)), inspect.getattr_static(awaiting, name)
        assert inspect.getdoc(one) == inspect.getdoc(other), name
        if isinstance(one, property):
            continue
        first, second = (signature(kind, each) for kind, each in ((blocking, twin(name)), (awaiting, name)))
        assert list(first.parameters.values()) == list(second.parameters.values()), name
        if not name.startswith("__"):
            assert first.return_annotation == twin(second.return_annotation), name


def signature(kind: Any, name: str) -> inspect.Signature:
    """Return what a method takes and answers, as an editor shows it."""
    return inspect.signature(getattr(kind, name))


@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part in METHODS for name in sorted(METHODS[part])]
)
def test_what_is_awaited(part: str, name: str) -> None:
    """An awaited method is a coroutine function, but for lists and streams, which are iterated over."""
    method = getattr(get_type_hints(doorward.AsyncClient)[part], name)
    iterated = name in {"list", "preview", "watch", "logs"}
    assert inspect.iscoroutinefunction(method) is not iterated
    returned = inspect.signature(method).return_annotation
    assert (get_origin(returned) in {doorward.AsyncPages, doorward.AsyncStream}) is iterated


@pytest.mark.parametrize(
    ("part", "name"), [(part, name) for part in METHODS for name in sorted(METHODS[part])]
)
def test_every_method_is_documented_and_takes_a_timeout(part: str, name: str) -> None:
    """Every method says what it does, and lets its caller say how long it may take."""
    method = getattr(get_type_hints(doorward.Client)[part], name)
    assert inspect.getdoc(method)
    assert "timeout" in inspect.signature(method).parameters

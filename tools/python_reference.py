"""Writes docs/reference/python.md from the client's own docstrings: `python -m tools.python_reference`."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, get_type_hints

import doorward
import doorward.testing
from doorward.testing import fixtures

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "python.md"

_HEAD: Final = """\
# Python

`import doorward`, from `pip install doorward`. [Using it](../how-to/python.md) has examples; this page has
every public name. `Client` and `AsyncClient` are one surface: what is said of one holds for the other, whose
methods are awaited; lists and streams are not, but iterated over with `async for`.

Written by `python -m tools.python_reference` from the docstrings; a test compares.
"""

_PARTS: Final = ("apps", "tokens", "sessions", "audit", "replicas")
_FUNCTIONS: Final = ("external", "process", "readiness")
_ANSWERS: Final = ("Pages", "AsyncPages", "Stream", "AsyncStream", "IssuedToken", "NewSession", "TLS")
_LONGEST_LINE: Final = 88


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(f"\n{section.rstrip()}\n" for section in _sections())


def _sections() -> Iterator[str]:
    yield f"## Clients\n\n{_text(doorward.Client)}\n\n{_text(doorward.AsyncClient)}\n"
    yield _method("Client", doorward.Client.__init__)
    yield _method("Client.from_env", doorward.Client.from_env)
    for name in ("whoami", "metadata", "close"):
        yield _method(f"client.{name}", getattr(doorward.Client, name))
    yield f"### `client.channel`\n\n{_text(doorward.Client.channel)}\n"
    for name in _PARTS:
        yield from _part(name, get_type_hints(doorward.Client)[name])
    yield "## Specs of apps\n"
    for name in _FUNCTIONS:
        yield _method(f"doorward.{name}", getattr(doorward, name))
    yield "## Answers\n"
    for name in _ANSWERS:
        yield _class(getattr(doorward, name))
    yield from _messages()
    yield from _errors()
    yield from _testing()


def _part(name: str, kind: Any) -> Iterator[str]:
    yield f"## `client.{name}`\n\n{_text(kind)}\n"
    for method in _public(kind):
        yield _method(f"client.{name}.{method}", getattr(kind, method))


def _messages() -> Iterator[str]:
    names = [name for name in doorward.__all__ if hasattr(getattr(doorward, name), "DESCRIPTOR")]
    links = (f"- [`{name}`](api.md#{_anchor(name)})\n" for name in names)
    yield (
        "## Messages of the API\n\nAnswers are the messages of `doorward.v1`, where all of them are. Those "
        f"that are met most are in `doorward`, too:\n\n{''.join(links)}"
    )


def _anchor(name: str) -> str:
    """Where reference/api.md describes a message or an enum."""
    return name.lower()


def _errors() -> Iterator[str]:
    module = inspect.getmodule(doorward.DoorwardError)
    yield f"## Errors\n\n```text\n{_text(module).strip()}\n```\n"
    for kind in (doorward.DoorwardError, doorward.ErrorDetails, doorward.FieldViolation):
        yield _class(kind)
    rest = [name for name in doorward.__all__ if _is_error(name) and name != "DoorwardError"]
    rows = "".join(f"| `{name}` | {_text(getattr(doorward, name))} |\n" for name in rest)
    yield f"| error | when |\n| --- | --- |\n{rows}"


def _is_error(name: str) -> bool:
    value = getattr(doorward, name)
    return inspect.isclass(value) and issubclass(value, Exception)


def _testing() -> Iterator[str]:
    about = "A real Doorward for the tests of programs that use it. Needs the extra `server`."
    yield f"## `doorward.testing`\n\n{about}\n"
    yield _method("doorward.testing.server", doorward.testing.server)
    yield f"### `Server`\n\n{_text(doorward.testing.Server)}\n"
    for name in _public(doorward.testing.Server):
        value = inspect.getattr_static(doorward.testing.Server, name)
        if isinstance(value, property):
            yield f"### `server.{name}`\n\n{_text(value)}\n"
        else:
            yield _method(f"server.{name}", value)
    yield _class(doorward.testing.Decision)
    yield f"### `ServerNotInstalledError`\n\n{_text(doorward.testing.ServerNotInstalledError)}\n"
    rows = (f"- `{name}`: {_text(inspect.unwrap(_function(name)))}\n" for name in fixtures.__all__)
    yield f"### Fixtures\n\n{inspect.cleandoc(fixtures.__doc__ or '')}\n\n{''.join(rows)}"


def _function(name: str) -> Callable[..., Any]:
    """The function of a fixture."""
    fixture: Any = getattr(fixtures, name)
    function: Callable[..., Any] = fixture.__wrapped__
    return function


def _class(kind: Any) -> str:
    """A class that programs get, and do not make."""
    members = [f"- `{name}`: {text}\n" for name, text in _attributes(kind).items()]
    for name in _public(kind):
        value = inspect.getattr_static(kind, name)
        if isinstance(value, property) or inspect.isfunction(value):
            called = "" if isinstance(value, property) else "()"
            members.append(f"- `{name}{called}`: {_line(value)}\n")
    return f"### `{kind.__name__}`\n\n{_text(kind)}\n\n{''.join(members)}"


def _attributes(kind: Any) -> dict[str, str]:
    """The fields of a class, with the text that stands below each."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found: dict[str, str] = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            said = following.value if isinstance(following, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) else ast.unparse(node.annotation)
            found[node.target.id] = " ".join(str(text).split())
    return found


def _method(name: str, function: Any) -> str:
    return f"### `{name}`\n\n```text\n{_signature(name, function)}\n```\n\n{_text(function)}\n"


def _signature(name: str, function: Any) -> str:
    """How something is called, on one line or on one for each parameter."""
    signature = inspect.signature(function)
    parameters = [_shown(each) for each in signature.parameters.values() if each.name not in {"self", "cls"}]
    if (star := next((n for n, each in enumerate(_kinds(function)) if each is _KEYWORD), None)) is not None:
        parameters.insert(star, "*")
    returns = signature.return_annotation
    answer = "" if returns in {None, signature.empty} else f" -> {_type(returns)}"
    line = f"{name}({', '.join(parameters)}){answer}"
    if len(line) <= _LONGEST_LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {each}," for each in parameters), f"){answer}"])


_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def _kinds(function: Any) -> list[Any]:
    parameters = inspect.signature(function).parameters.values()
    return [each.kind for each in parameters if each.name not in {"self", "cls"}]


def _shown(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {_type(parameter.annotation)}{default}"


def _type(annotation: Any) -> str:
    """A type as programs write it, without the modules that it comes from."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    plain = re.sub(r"(?:\w+\.)+(?=\w)", "", text).replace("~", "").replace("NoneType", "None")
    plain = plain.replace("Source", "Callable[[], str]")
    union = re.fullmatch(r"Union\[(.+)\]", plain)  # with a type variable or a literal in it
    return plain if union is None else " | ".join(re.split(r", (?![^\[]*\])", union[1]))


def _public(kind: Any) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def _text(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _line(thing: Any) -> str:
    return " ".join(_text(thing).split())


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()

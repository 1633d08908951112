"""How answers look: tables for people, the JSON of the REST API for programs."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import click
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from doorward._errors import one_line
from doorward.cli import _colour
from doorward.cli._report import warn
from doorward.v1.app_pb2 import App
from doorward.v1.policy_update_pb2 import Enforcement, PolicyUpdate

M = TypeVar("M", bound=Message)
Columns: TypeAlias = Sequence[tuple[str, Callable[[M], str]]]
"""The heading of each column and what stands in it."""

_PARTS = ("name", "id", "url")
"""Outputs that are one thing alone."""


def as_json(message: Message) -> dict[str, Any]:
    """Return a message as the REST API has it: every field, also without a value, in the protos' order."""
    return _ordered(
        MessageToDict(message, always_print_fields_with_no_presence=True), message.DESCRIPTOR.fields
    )


def _ordered(data: dict[str, Any], fields: Iterable[Any]) -> dict[str, Any]:
    """Return *data* in the order of *fields*: protobuf puts what has no value at the end."""
    return {
        field.json_name: _ordered_value(data[field.json_name], field.message_type)
        for field in fields
        if field.json_name in data
    }


def _ordered_value(value: Any, kind: Any) -> Any:
    """*kind*: the descriptor of a message; None of what is none."""
    if isinstance(value, list):
        return [_ordered_value(each, kind) for each in value]
    if kind is None or not isinstance(value, dict):
        return value
    return dict(sorted(value.items())) if kind.GetOptions().map_entry else _ordered(value, kind.fields)


def print_data(data: object, output: str) -> None:
    """Print JSON or YAML, in ASCII: what is in it cannot move the cursor of a terminal."""
    if output == "json":
        click.echo(json.dumps(data, indent=2))
        return
    import yaml  # noqa: PLC0415 - the server's commands work without the extra `cli`

    click.echo(yaml.safe_dump(data, sort_keys=False), nl=False)


def print_item(item: Message, fields: Iterable[tuple[str, str]], output: str) -> None:
    """Print one message: in a table, as names and values."""
    if output == "table":
        print_fields(fields)
    elif output in _PARTS:
        click.echo(part_of(item, output))
    else:
        print_data(as_json(item), output)


def print_items(items: Iterable[M], columns: Columns[M], output: str, *, nothing: str) -> None:
    """Print a list: a line for each, or a JSON array. An empty table is a note on standard error."""
    if output in _PARTS:
        for item in items:
            click.echo(part_of(item, output))
        return
    if output != "table":
        print_data([as_json(item) for item in items], output)
        return
    rows = [[text(item) for _, text in columns] for item in items]
    if rows:
        print_table([heading for heading, _ in columns], rows)
    else:
        click.echo(nothing, err=True)


def print_done(answer: Message, text: str, output: str) -> None:
    """Print that something is done which leaves nothing to show: in words, or as the REST API has it."""
    if output == "table":
        click.echo(one_line(text))
    else:
        print_data(as_json(answer), output)


def print_stream_item(item: Message, text: str, output: str) -> None:
    """Print one of many messages as it comes: a line, a JSON object on one line, or a YAML document."""
    if output == "table":
        click.echo(text)
    elif output == "json":
        click.echo(json.dumps(as_json(item)))
    else:
        click.echo("---")
        print_data(as_json(item), output)


def warn_of_gap(update: PolicyUpdate) -> None:
    """Say on standard error when a replica may still allow what has just been taken away."""
    if update.enforcement == Enforcement.ENFORCEMENT_REACHABLE_ONLY:
        warn(
            "the server has a policy lease of zero: a check replica that it could not reach goes on "
            "deciding by what it knew"
        )


def part_of(item: Any, output: str) -> str:
    """Return the one thing of a message that *output* asks for."""
    if output == "url":
        return one_line(item.status.url)
    kind, id_ = ("apps", item.app_id) if isinstance(item, App) else ("tokens", item.token_id)
    return one_line(f"{kind}/{id_}" if output == "name" else id_)


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one pair a line; a value without a name belongs to the one above it."""
    pairs = list(fields)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{_colour.heading(f'{name:<{width}}')}  {_colour.cell(one_line(value) or '-', name)}")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; what could move the cursor of a terminal is escaped."""
    click.echo(table(headings, rows))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; what could move the cursor of a terminal is escaped."""
    from tabulate import tabulate  # noqa: PLC0415 - the server's commands work without the extra `cli`

    safe = [
        [_colour.cell(one_line(text) or "-", under) for under, text in zip(headings, row, strict=True)]
        for row in rows
    ]
    return tabulate(
        safe, headers=list(map(_colour.heading, headings)), tablefmt="plain", disable_numparse=True
    )

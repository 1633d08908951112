"""How a plan is shown: as lines that are taken away and lines that are added, or as data."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

import doorward
from doorward._errors import one_line
from doorward.cli import _colour
from doorward.cli._apply_plan import Step
from doorward.cli._output import as_json


def print_plan(steps: Sequence[Step], *, err: bool) -> None:
    """Print what each document asks for, on standard error when standard output is for the answer."""
    for step in steps:
        click.echo(one_line(f"{step.where}: {_headline(step)}"), err=err)
        for line in _lines(step):
            click.echo(line, err=err)


def as_data(step: Step, app: doorward.App | None, error: doorward.DoorwardError | None) -> dict[str, Any]:
    """Return what came of a step for programs; *app*: as it is now, when there is one."""
    before, after = dict(step.removed), dict(step.added)
    paths = dict.fromkeys((*before, *after))
    return {
        "document": step.where,
        "action": step.action,
        "changes": [{"path": path, "before": before.get(path), "after": after.get(path)} for path in paths],
        "app": None if app is None else as_json(app),
        **({} if error is None else {"error": str(error)}),
    }


def _headline(step: Step) -> str:
    name = step.declared.display_name
    match step.action:
        case "create":
            return f"create app {name} in {step.declared.region}"
        case "update":
            return f"update app {name}, {step.declared.app_id or _id(step)}"
        case _:
            return f"app {name}, {_id(step)}, is as declared"


def _id(step: Step) -> str:
    return step.current.app_id if step.current is not None else ""


def _lines(step: Step) -> Iterator[str]:
    """Yield what changes: what goes beside what comes in its place."""
    before, after = dict(step.removed), dict(step.added)
    for path in dict.fromkeys((*before, *after)):
        if path in before:
            yield _colour.removed(one_line(f"- {path}: {before[path]}"))
        if path in after:
            yield _colour.added(one_line(f"+ {path}: {after[path]}"))

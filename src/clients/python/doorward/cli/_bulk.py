"""Deleting several things: which, whether that is meant, and what came of each."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from google.protobuf.message import Message

import doorward
from doorward.cli._confirm import confirm, confirm_count, counted
from doorward.cli._many import STANDARD_INPUT, Each, is_one
from doorward.cli._output import Columns, as_json, print_data, print_done, table, warn_of_gap
from doorward.cli._report import fail, note
from doorward.v1.app_service_pb2 import DeleteAppResponse
from doorward.v1.token_service_pb2 import DeleteTokenResponse

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Message)
Deleted = DeleteAppResponse | DeleteTokenResponse


def delete_options(command: F) -> F:
    """Add what says that a delete is meant."""
    for option in reversed(
        (
            click.option(
                "--yes", is_flag=True, help="Do not ask. For ids that are given, not for a selection."
            ),
            click.option(
                "--expect",
                type=click.IntRange(min=0),
                metavar="N",
                help="Do not ask, and delete nothing unless N are selected.",
            ),
        )
    ):
        command = option(command)
    return command


def make_sure(ids: Sequence[str], given: Sequence[str], noun: str, *, yes: bool, expect: int | None) -> None:
    """End the command unless ids that were *given* are meant to go; those from a pipe need `--yes`."""
    if expect is not None:
        confirm_count(len(ids), noun, expect=expect)
    elif yes or not ids:
        return
    elif STANDARD_INPUT in given:
        raise click.UsageError("standard input has the ids, so nobody can be asked: give --yes or --expect N")
    else:
        what = f"{noun} {ids[0]}" if len(ids) == 1 else f"these {counted(len(ids), noun)}"
        confirm(f"Delete {what}?")


def make_sure_of_selection(
    found: Sequence[M], columns: Columns[M], noun: str, *, yes: bool, expect: int | None
) -> None:
    """End the command unless what a selection *found* is meant to go."""
    if expect is None:
        if yes:
            raise click.UsageError(
                f"--yes does not say how many: with a selection, give --expect N, the number of {noun}s"
            )
        if not found:
            note(f"no {noun}s match: nothing to do")
            return
        rows = [[text(each) for _, text in columns] for each in found]
        click.echo(table([heading for heading, _ in columns], rows), err=True)
    confirm_count(len(found), noun, expect=expect)


def delete_given(
    ids: Sequence[str], given: Sequence[str], delete: Callable[[str], Deleted], noun: str, output: str
) -> int | None:
    """Delete what was named by its id: one is answered by itself, several as `delete_each` does."""
    if not is_one(given) or output in ("id", "name"):
        return delete_each(ids, delete, noun, output)
    answer = delete(given[0])
    warn_of_gap(answer.policy_update)
    print_done(answer, f"{noun} {given[0]} deleted", output)
    return None


def delete_each(ids: Sequence[str], delete: Callable[[str], Deleted], noun: str, output: str) -> int:
    """Delete one after the other, report on each, and return the exit code."""
    each = Each(noun)
    answers: dict[str, Deleted] = {}
    try:
        for id_, answer in each.answers(ids, delete):
            answers[id_] = answer
            warn_of_gap(answer.policy_update)
            if output == "table":
                click.echo(f"{noun} {id_} deleted")
            elif output in ("id", "name"):
                click.echo(f"{noun}s/{id_}" if output == "name" else id_)
    finally:  # also when it is interrupted: what is gone is gone
        if output in ("json", "yaml"):
            print_data([_outcome(id_, noun, answers, each) for id_ in ids], output)
    if each.failures:
        fail(f"{len(answers)} of {counted(len(ids), noun)} deleted", each.exit_code)
    return each.exit_code


def _outcome(id_: str, noun: str, answers: dict[str, Deleted], each: Each) -> dict[str, Any]:
    """What came of one: deleted, failed, or not tried any more."""
    outcome: dict[str, Any] = {"name": f"{noun}s/{id_}", "deleted": id_ in answers}
    if id_ in answers:
        return outcome | as_json(answers[id_])
    error: doorward.DoorwardError | None = each.failures.get(id_)
    return outcome | {"error": "not tried" if error is None else str(error)}

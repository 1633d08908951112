"""Apps as files describe them."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

import doorward
from doorward.cli._documents import read_documents
from doorward.cli._exit_codes import USAGE
from doorward.cli._message_fields import fill
from doorward.cli._report import fail


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredApp:
    """One app as a document has it, and where it stands."""

    where: str
    app: doorward.App


def read_apps(files: Sequence[str]) -> list[DeclaredApp]:
    """Return the apps that *files* describe, each file read to its end.

    Prints every fault that there is, and raises `click.exceptions.Exit`.
    """
    if len({"-", *files}) < len(files) + ("-" not in files):
        raise click.UsageError("-f names a file more than once")
    found: list[DeclaredApp] = []
    faults: list[str] = []
    for file in files:
        for document in read_documents(file):
            app = doorward.App()

            def fault(path: str, rule: str, where: str = document.where) -> None:
                faults.append(f"{where}: {path}: {rule}" if path else f"{where}: {rule}")

            fill(app, document.data, fault)
            found.append(DeclaredApp(where=document.where, app=app))
    for each in faults:
        fail(each, USAGE)
    if faults:
        raise click.exceptions.Exit(USAGE)
    return found

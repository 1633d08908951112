"""The YAML (or JSON) documents of a file, each with where it stands."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

STANDARD_INPUT = "-"
MAX_FILE_BYTES = 4 * 1024 * 1024
"""No file of documents is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing that a file describes."""

    where: str
    """The file and the document's number, and that of the item when the document is a list."""
    data: Any


def read_documents(name: str) -> list[Document]:
    """Return what the file *name*, or standard input for `-`, describes: at least one thing.

    A document holds one thing or a list of them; empty documents count, and describe nothing. Raises
    `click.UsageError` for what cannot be read, which never shows what is in the file: it may be a secret.
    """
    from doorward.cli._strict_yaml import NotYamlError, load_all  # noqa: PLC0415 - needs the extra `cli`

    shown = "standard input" if name == STANDARD_INPUT else name
    found: list[Document] = []
    try:
        for number, data in enumerate(load_all(_text(name, shown)), 1):
            found += _things(data, f"{shown}, document {number}")
    except NotYamlError as error:
        raise click.UsageError(f"{shown}, {error}") from None
    if not found:
        raise click.UsageError(f"{shown}: there is no document in it")
    return found


def _text(name: str, shown: str) -> str:
    try:
        if name == STANDARD_INPUT:
            raw = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(name).open("rb") as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{shown}: {error.strerror}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise click.UsageError(f"{shown}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise click.UsageError(f"{shown}: not UTF-8") from None


def _things(data: Any, where: str) -> Iterator[Document]:
    if isinstance(data, list):
        for index, each in enumerate(data, 1):
            yield Document(where=f"{where}, item {index}", data=each)
    elif data is not None:
        yield Document(where=where, data=data)

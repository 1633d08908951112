"""Writes the list of commands in docs/reference/cli.md from the commands: `python -m tools.cli_reference`.

What people wrote stands above the mark, and stays.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from doorward.cli._main import doorward_command

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "cli.md"
MARK = "## Every command\n"

_INTRODUCTION = """
Written by `python -m tools.cli_reference` from what `--help` says; a test compares. The options under
[Options of most commands](#options-of-most-commands) stand before or after a command's name.
"""
_SHARED = ("address", "profile", "token_file", "ca_file", "insecure", "timeout", "token", "color")


def render() -> str:
    """The whole page."""
    written, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    root = click.Context(doorward_command, info_name="doorward")
    return written + mark + "".join((_INTRODUCTION, _shared(root), *_sections(root)))


def _shared(root: click.Context) -> str:
    options = [param for param in root.command.params if param.name in _SHARED]
    return "\n### Options of most commands\n\n" + _table(options, root)


def _sections(context: click.Context) -> Iterator[str]:
    """Yield a section for each command under a group, and for its groups' own commands."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if not isinstance(command, click.Group):
            yield _section(command, inner)
        yield from _sections(inner)


def _section(command: click.Command, context: click.Context) -> str:
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    own = [param for param in command.params if isinstance(param, click.Option) and param.name not in _SHARED]
    shared = [param.opts[-1] for param in command.params if param.name in _SHARED]
    parts = [f"\n### {context.command_path}\n", f"\n`{usage}`\n", f"\n{_prose(command.help or '')}\n"]
    if own:
        parts.append("\n" + _table(own, context))
    if shared:
        parts.append(f"\nAlso {', '.join(f'`{option}`' for option in shared)}.\n")
    parts.append(f"\n```text\n{_examples(command)}\n```\n")
    return "".join(parts)


def _table(options: list[click.Parameter] | list[click.Option], context: click.Context) -> str:
    rows = (_row(option, context) for option in options if isinstance(option, click.Option))
    return "| option | meaning |\n| --- | --- |\n" + "".join(rows)


def _row(option: click.Option, context: click.Context) -> str:
    names = [f"`{name}`" for name in (*option.opts, *option.secondary_opts)]
    if not option.is_flag:
        names[-1] = f"`{option.opts[-1]} {option.make_metavar(context)}`"
    meaning = f"{option.help}{' Required.' if option.required else ''}"
    return f"| {_cell(', '.join(names))} | {_cell(meaning)} |\n"


def _cell(text: str) -> str:
    """What a table of Markdown may have in it."""
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()))
    return "\n\n".join(paragraphs)


def _examples(command: click.Command) -> str:
    """The lines of the examples in the help, without their heading."""
    lines = (command.epilog or "").split("\n")[2:]
    return "\n".join(line.strip() for line in lines)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

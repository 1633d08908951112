"""The group that holds all commands: the client's own, and those that other packages bring."""

from functools import cached_property
from importlib import metadata

import click

ENTRY_POINTS = "doorward.commands"
"""The group of entry points whose values are tuples of `click.Command`."""


class Commands(click.Group):
    """A group that looks for further commands when one is asked for that it does not have itself.

    The server's commands are found so, without the client importing the server, and only when they are
    needed: importing a server takes longer than most calls.
    """

    @cached_property
    def _found(self) -> tuple[dict[str, click.Command], list[str]]:
        """The commands of other packages, and why some are not there."""
        commands: dict[str, click.Command] = {}
        missing: list[str] = []
        for entry_point in metadata.entry_points(group=ENTRY_POINTS):
            try:
                commands |= {command.name: command for command in entry_point.load() if command.name}
            except ModuleNotFoundError as error:
                missing.append(f"the commands of {entry_point.name!r} need {error.name}")
        return commands, missing

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._found[0]})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._found[0].get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            missing = self._found[1]
            if not missing:
                raise
            hint = f"{'; '.join(missing)}: pip install 'doorward[server]'"
            raise click.UsageError(f"{error.format_message()} ({hint})", error.ctx) from error

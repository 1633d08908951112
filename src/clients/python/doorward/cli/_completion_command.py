"""`doorward completion`."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from doorward.cli._examples import examples

VARIABLE = "_DOORWARD_COMPLETE"
"""What the shell sets when it asks for completions: click's name for a program `doorward`."""

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.command(
    short_help="Print what lets a shell complete commands.",
    epilog=examples(
        'eval "$(doorward completion bash)"    # in ~/.bashrc',
        'eval "$(doorward completion zsh)"     # in ~/.zshrc, after compinit',
        "doorward completion fish > ~/.config/fish/completions/doorward.fish",
    ),
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(*, shell: str) -> None:
    """Print the script that lets a shell complete commands, options, ids, profiles and regions.

    Ids and regions are asked of the api that the options and the environment name, for a second at most; when
    that fails there is nothing to complete. In bash and zsh the beginning of a name becomes an id.
    """
    names = {"complete_func": "_doorward_completion", "complete_var": VARIABLE, "prog_name": "doorward"}
    click.echo(_SHELLS[shell].source_template % names, nl=False)

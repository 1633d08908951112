"""`python -m doorward_server`: the server's commands without the client's."""

import click

from doorward_server.commands import COMMANDS

click.Group("doorward_server", commands=COMMANDS)()

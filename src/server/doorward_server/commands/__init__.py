"""The server's part of the `doorward` command line."""

from doorward_server.commands.processes import api, check, envoy, web
from doorward_server.commands.setup import db, init
from doorward_server.commands.up import up

__all__ = ["COMMANDS"]

COMMANDS = (up, api, check, web, envoy, init, db)
"""What the command line finds through the entry point group `doorward.commands`."""

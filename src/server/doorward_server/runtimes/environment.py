"""What a process app is started with."""

import os
from collections.abc import Mapping
from typing import Final

from doorward_server.domain.apps import ProcessSource

_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")
"""All that an app gets of our environment: no setting, and no secret."""


def environment(
    source: ProcessSource, *, port: int, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of an app that is to listen on *port*."""
    base = {name: inherited[name] for name in _INHERITED if name in inherited}
    return {"PATH": os.defpath, **base, **source.env, "PORT": str(port)}


def arguments(source: ProcessSource, *, port: int) -> list[str]:
    """The program and its arguments."""
    return [each.replace("{port}", str(port)) for each in source.command]

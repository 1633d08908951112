"""What a caller may say of a local process, and of how its readiness is probed.

Errors never repeat what they refuse but names of variables: arguments and values may hold secrets.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.quoting import quoted

MAX_ARGUMENTS: Final = 64
"""How many arguments a command may have, the program included."""
MAX_ARGUMENT_LENGTH: Final = 4096
"""Characters of one argument."""
MAX_VARIABLES: Final = 64
"""How many environment variables a process may be given."""
MAX_VARIABLE_LENGTH: Final = 32_000
"""Characters of a value: at most 128,000 bytes, which Linux still takes (execve(2), MAX_ARG_STRLEN)."""
MAX_PATH_LENGTH: Final = 2048
"""Characters of a folder or of a readiness path."""
MIN_PROBE_PERIOD: Final = timedelta(milliseconds=100)
MAX_PROBE_PERIOD: Final = timedelta(seconds=60)
MAX_FAILURE_THRESHOLD: Final = 20
"""Probes in a row that may have to fail before an app counts as not ready."""

_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_PORT: Final = "PORT"
_NO_NUL: Final = "must not hold a NUL character"
# What may stand in the request target of a probe (RFC 9112 §3.2.1): no space, no line end, no fragment.
_PROBE_PATH: Final = re.compile(r"/[!\"$-~]*")


def parse_command(command: Sequence[str]) -> tuple[str, ...]:
    """Parse a program and its arguments; raises `InvalidValueError`."""
    if not command:
        raise InvalidValueError("must have at least the program to run")
    if len(command) > MAX_ARGUMENTS:
        raise InvalidValueError(f"must have at most {MAX_ARGUMENTS} arguments, has {len(command)}")
    if not command[0]:
        raise InvalidValueError("the program must not be empty")
    for index, argument in enumerate(command):
        if len(argument) > MAX_ARGUMENT_LENGTH:
            raise InvalidValueError(
                f"argument {index} must have at most {MAX_ARGUMENT_LENGTH} characters, has {len(argument)}"
            )
        if "\0" in argument:
            raise InvalidValueError(f"argument {index} {_NO_NUL}")
    return tuple(command)


def parse_environment(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Parse environment variables; raises `InvalidValueError`."""
    if len(variables) > MAX_VARIABLES:
        raise InvalidValueError(f"must have at most {MAX_VARIABLES} variables, has {len(variables)}")
    for name, value in variables.items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise InvalidValueError(
                f"name {quoted(name)}: must be a letter or '_', then at most 255 letters, digits or '_'"
            )
        if name == _PORT:
            raise InvalidValueError("name 'PORT': is set by the server, to the port to listen on")
        if len(value) > MAX_VARIABLE_LENGTH:
            raise InvalidValueError(
                f"the value of {name} must have at most {MAX_VARIABLE_LENGTH} characters, has {len(value)}"
            )
        if "\0" in value:
            raise InvalidValueError(f"the value of {name} {_NO_NUL}")
    return MappingProxyType(dict(variables))


def parse_working_dir(text: str) -> str:
    """Parse the folder that a process runs in; raises `InvalidValueError`."""
    if not text.startswith("/"):
        raise InvalidValueError("must be an absolute path")
    if len(text) > MAX_PATH_LENGTH:
        raise InvalidValueError(f"must have at most {MAX_PATH_LENGTH} characters, has {len(text)}")
    if "\0" in text:
        raise InvalidValueError(_NO_NUL)
    return text


def parse_probe_path(text: str) -> str:
    """Parse the path that a probe asks for, with or without a query; raises `InvalidValueError`."""
    if len(text) > MAX_PATH_LENGTH:
        raise InvalidValueError(f"must have at most {MAX_PATH_LENGTH} characters, has {len(text)}")
    if not _PROBE_PATH.fullmatch(text):
        raise InvalidValueError("must begin with '/' and have printable ASCII alone, without spaces and '#'")
    return text


def parse_probe_period(period: timedelta) -> timedelta:
    """Parse the time between two probes; raises `InvalidValueError`."""
    if not MIN_PROBE_PERIOD <= period <= MAX_PROBE_PERIOD:
        raise InvalidValueError("must be between 0.1 and 60 seconds")
    return period


def parse_failure_threshold(count: int) -> int:
    """Parse how many probes in a row must fail; raises `InvalidValueError`."""
    if not 1 <= count <= MAX_FAILURE_THRESHOLD:
        raise InvalidValueError(f"must be between 1 and {MAX_FAILURE_THRESHOLD}, is {count}")
    return count

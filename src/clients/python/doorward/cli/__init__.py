"""The command line, `doorward`. Needs the extra `cli`; the rest of the package does not."""

import os
import sys

__all__ = ["main"]

_EXTRAS = frozenset({"click", "tabulate", "yaml"})
_CLIENT_COMMANDS = frozenset({"apps", "audit", "login", "status", "tokens", "whoami"})
_COMPLETING = "_DOORWARD_COMPLETE"
"""Set by a shell that asks what could come next."""


def main() -> int:
    """Run the command line and return its exit code."""
    if _COMPLETING in os.environ:
        _nobody_writes_to_standard_error()
    elif not _CLIENT_COMMANDS.isdisjoint(sys.argv):
        _keep_standard_error_to_ourselves()
    try:
        from doorward.cli._main import run  # noqa: PLC0415 - to name the extra when it is missing

        return run()
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        sys.stderr.write(f"error: the command line needs {error.name}: pip install 'doorward[cli]'\n")
        return 2
    except KeyboardInterrupt:  # so early that no command has begun
        return 130


def _nobody_writes_to_standard_error() -> None:
    """Let what goes wrong be silent: a person is typing on that terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _keep_standard_error_to_ourselves() -> None:
    """Let Python write to standard error, and nobody else.

    An error is one line, and gRPC's core would add its own (a failed TLS handshake gives several). It takes
    GRPC_VERBOSITY only before it is imported, which `import doorward` has done by now; whoever has set it
    wants to see what it says. The commands that run a server keep its logs.
    """
    if "GRPC_VERBOSITY" in os.environ:
        return
    try:
        ours = os.dup(2)
    except OSError:  # closed: nobody reads it anyway
        return
    _nobody_writes_to_standard_error()
    sys.stderr = os.fdopen(ours, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")

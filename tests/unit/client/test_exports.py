"""The names that programs may rely on."""

import inspect
import subprocess
import sys

import doorward

NAMES = """
    TLS Access App AppGaveUp AppSpec AppState AppStatus AsyncClient AsyncPages AsyncStream AuditEvent
    Cancelled Client ConfigurationError
    Conflict DeadlineExceeded DoorwardError Enforcement ErrorDetails ErrorReason FailedPrecondition
    FieldViolation Internal InvalidArgument IssuedToken NewSession NotFound Pages PermissionDenied
    PolicyUpdate Replica ReplicaState ResourceExhausted Role SecretLost Stream Token Unauthenticated
    Unavailable Unimplemented external process readiness
"""


def test_public_names() -> None:
    """A name that programs import is neither lost nor added by accident."""
    assert doorward.__all__ == NAMES.split()
    assert [name for name in doorward.__all__ if not hasattr(doorward, name)] == []


def test_errors_are_in_the_tree_of_the_docstring() -> None:
    """The tree at the top of the module has every error, under its parent."""
    module = inspect.getmodule(doorward.DoorwardError)
    assert module is not None
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in inspect.getdoc(module).splitlines():  # type: ignore[union-attr]  # it has one, or this fails
        if (name := line.lstrip().removeprefix("- ")) != line.lstrip():
            depth = (len(line) - len(line.lstrip())) // 4
            parents[depth:] = [name.split()[0]]
            drawn[parents[depth]] = parents[depth - 1] if depth else ""
    errors = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    parents_of = {name: error.__mro__[1].__name__ for name, error in errors.items()}
    assert drawn == {name: parent if parent in errors else "" for name, parent in parents_of.items()}


def test_the_library_needs_no_click() -> None:
    """`import doorward` works where the extra `cli` is not installed, and brings no server."""
    code = (
        "import sys\n"
        "for name in ('click', 'yaml', 'tabulate', 'doorward_server'):\n"
        "    sys.modules[name] = None\n"
        "import doorward\n"
        "doorward.Client('127.0.0.1:1').close()\n"
        "import asyncio\n"
        "asyncio.run(doorward.AsyncClient('127.0.0.1:1').close())\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_the_command_line_names_the_extra_it_misses() -> None:
    """Without click the command says what to install, and nothing about Python."""
    code = "import sys; sys.modules['click'] = None; from doorward.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (
        2,
        "error: the command line needs click: pip install 'doorward[cli]'\n",
    )

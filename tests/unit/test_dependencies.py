"""What the packages import is what they ask for."""

import ast
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.test_packaging import CLIENT, FIXTURES, PROJECT, SERVER

_OURS = {"doorward", "doorward_server"}


def imported(package: Path) -> set[str]:
    """The top-level modules that the files of a package import, its own and Python's left out."""
    modules = set()
    for file in package.rglob("*.py"):
        if file == FIXTURES:  # which nobody but pytest imports
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.partition(".")[0])
    return modules - set(sys.stdlib_module_names) - _OURS


def test_every_import_is_of_something_that_is_asked_for() -> None:
    """No module is there only because something else, or the developers' tools, brought it along."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["cli"], *extras["gateway"], *extras["server"]]
    asked = {canonicalize_name(Requirement(line).name) for line in lines}
    providers = metadata.packages_distributions()
    missing = {
        module
        for module in imported(CLIENT) | imported(SERVER)
        if not asked & {canonicalize_name(name) for name in providers.get(module, [])}
    }
    assert missing == set()

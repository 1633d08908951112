"""The client as people have it installed: with old and new versions of what it needs, and beside others."""

import re
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.unit.test_packaging import PROJECT, ROOT, build, locked, lower_bound

VERSIONS = Path(__file__).parent / "versions"
TESTS = ROOT / "tests" / "unit" / "client"

INSTALLED = """
import importlib.metadata

for distribution in importlib.metadata.distributions():
    for file in distribution.files or ():
        if "__pycache__" not in file.parts:
            print(distribution.name, file)
"""
"""Prints which file is of which package."""

TOGETHER = """
import doorward
from doorward.v1 import app_service_pb2_grpc, audit_service_pb2_grpc, replica_service_pb2_grpc
from doorward.v1 import session_service_pb2_grpc, token_service_pb2_grpc
from doorward_server.extauthz.v1 import check_request_pb2
from doorward_server.policy.v1 import policy_pb2_grpc

import temporalio.client, temporalio.api.workflowservice.v1
from envoy.service.auth.v3 import external_auth_pb2
from google.cloud import kms
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2

pool = descriptor_pool.Default()
for name in (
    "doorward.v1.App",
    "doorward.extauthz.v1.CheckRequest",
    "envoy.service.auth.v3.CheckRequest",
    "google.cloud.kms.v1.CryptoKey",
    "google.rpc.ErrorInfo",
    "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest",
):
    pool.FindMessageTypeByName(name)
doorward.Client("127.0.0.1:1").close()
"""
"""Has the generated code of all of them in one process, where protobuf keeps one pool of descriptors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python with what a lock names, and the client's wheel."""

    folder: Path

    def run(self, *arguments: str, within: float = 60) -> str:
        """Run Python; answers what it printed, and fails with that when it fails."""
        ended = subprocess.run(
            [self.folder / "bin" / "python", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout.strip()


Environments = Callable[[str], Environment]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Makes the environment of a lock, once."""
    wheel = build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))

    @cache
    def environment(lock: str) -> Environment:
        folder = tmp_path_factory.mktemp(lock)
        venv.create(folder, with_pip=False, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
        install = [*pip, "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps"]
        for what in (["--require-hashes", "--requirement", str(VERSIONS / f"{lock}.txt")], [str(wheel)]):
            ended = subprocess.run(
                [*install, *what], capture_output=True, text=True, check=False, timeout=300
            )
            assert ended.returncode == 0, ended.stderr
        return Environment(folder=folder)

    return environment


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lock", ["oldest", "newest"])
def test_the_clients_own_tests_pass(environments: Environments, lock: str) -> None:
    """What the client promises holds with the oldest and the newest versions that it can be used with."""
    environment = environments(lock)
    of_the_server = [path for path in TESTS.rglob("test_*.py") if imports_the_server(path)]
    ignored = [f"--ignore={path}" for path in of_the_server]
    said = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *ignored, str(TESTS), within=500)
    (passed,) = re.findall(r"^(\d+) passed in ", said, re.MULTILINE)
    assert int(passed) > 500, said


@pytest.mark.parametrize("lock", ["oldest", "newest"])
def test_what_was_tested_is_what_is_installed(environments: Environments, lock: str) -> None:
    """The client's tests ran with the wheel and the lock, and without anything that only the server needs."""
    environment = environments(lock)
    assert Path(environment.run("-c", "import doorward; print(doorward.__file__)")).is_relative_to(
        environment.folder
    )
    versions = "import grpc, google.protobuf as p; print(grpc.__version__, p.__version__)"
    pins = pinned(lock)
    assert environment.run("-c", versions) == f"{pins['grpcio']} {pins['protobuf']}"
    search = "import importlib.util; print(importlib.util.find_spec('sqlalchemy'))"
    assert environment.run("-c", search) == "None"


@pytest.mark.parametrize("lock", ["oldest", "newest"])
def test_programs_are_type_checked(environments: Environments, lock: str, tmp_path: Path) -> None:
    """A type checker at its strictest knows what a program does with the client, and its mistakes.

    It knows them from the wheel alone, without the type stubs of gRPC and protobuf that are installed here.
    """
    program = tmp_path / "program.py"
    program.write_bytes((Path(__file__).parent / "typed_program.py").read_bytes())
    python = str(environments(lock).folder / "bin" / "python")
    strict = ["--strict", "--config-file=", "--no-incremental", "--python-executable"]
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, python, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_the_wheel_stands_beside_others(environments: Environments) -> None:
    """No file of the wheel is another package's too, and it adds no top-level name but its own two."""
    owners: dict[str, set[str]] = {}
    for line in environments("newest").run("-c", INSTALLED).splitlines():
        name, _, file = line.partition(" ")
        owners.setdefault(file, set()).add(name)
    assert set(neighbours()) | {"doorward", "googleapis-common-protos"} <= set().union(*owners.values())
    ours = {file for file, names in owners.items() if "doorward" in names}
    assert {file: owners[file] for file in ours if owners[file] != {"doorward"}} == {}
    top = {file.split("/")[0] for file in ours if ".dist-info/" not in file and not file.startswith("../")}
    assert top == {"doorward", "doorward_server"}


def test_the_generated_code_stands_beside_others(environments: Environments) -> None:
    """One process can use the client and all its neighbours: no name in the pool is claimed twice."""
    environments("newest").run("-c", TOGETHER)


def test_the_oldest_versions_are_those_that_are_promised() -> None:
    """The lock of the oldest versions has the lower bounds of what the client asks for."""
    oldest = pinned("oldest")
    for name in ("googleapis-common-protos", "grpcio", "grpcio-status", "protobuf"):
        bound = lower_bound(name)
        assert oldest[name].release[: len(bound.release)] == bound.release


def test_the_newest_versions_are_not_behind() -> None:
    """The lock of the newest versions is at least as new as what everything else is tested with."""
    newest, everywhere = pinned("newest"), locked("requirements.txt")
    for name in ("googleapis-common-protos", "grpcio", "grpcio-status", "protobuf"):
        assert newest[name] >= everywhere[name][0]


@pytest.mark.parametrize("lock", ["oldest", "newest"])
def test_locks_pin_versions_and_hashes(lock: str) -> None:
    """These locks, too, are made of pins with hashes alone: no index, no link, no name of a host."""
    pins = locked(path_of(lock))
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []
    assert "://" not in (ROOT / path_of(lock)).read_text(encoding="utf-8")


def path_of(lock: str) -> str:
    """Return where a lock is, seen from the root."""
    return (VERSIONS / f"{lock}.txt").relative_to(ROOT).as_posix()


def pinned(lock: str) -> dict[str, Version]:
    """Return the versions of a lock."""
    return {name: version for name, (version, _) in locked(path_of(lock)).items()}


def neighbours() -> list[str]:
    """Return the libraries that the client is installed beside."""
    return [Requirement(line).name for line in PROJECT["dependency-groups"]["neighbours"]]


def imports_the_server(path: Path) -> bool:
    """Return whether a file has tests of the client together with the server."""
    return bool(re.search(r"^(from|import) doorward_server", path.read_text(encoding="utf-8"), re.MULTILINE))

"""What is installed: one wheel, a base install that is the client alone, and locks that resolve nothing."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from doorward_server.policy.v1 import policy_pb2

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "src" / "clients" / "python" / "doorward"
FIXTURES = CLIENT / "testing" / "fixtures.py"
SERVER = ROOT / "src" / "server" / "doorward_server"
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-apps.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def build(kind: str, source: Path, directory: Path) -> Path:
    """Build a wheel or an sdist of `source` with the installed hatchling, and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(directory)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=60)
    (built,) = directory.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built once from the working tree."""
    with zipfile.ZipFile(build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


def contents(wheel: zipfile.ZipFile) -> set[str]:
    """Return the files of a wheel, without its metadata."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def files(directory: Path) -> Iterator[Path]:
    """Yield what belongs to a package: its files, without what Python caches."""
    return (
        path for path in sorted(directory.rglob("*")) if path.is_file() and "__pycache__" not in path.parts
    )


def test_the_wheel_holds_two_packages(wheel: zipfile.ZipFile) -> None:
    """The wheel brings `doorward` and `doorward_server`, and no other top-level name that could clash."""
    assert {name.split("/")[0] for name in contents(wheel)} == {"doorward", "doorward_server"}


def test_the_wheel_holds_every_file(wheel: zipfile.ZipFile) -> None:
    """Code, type stubs, migrations and Envoy's configuration are all in the wheel, and nothing else is."""
    expected = {f"doorward/{path.relative_to(CLIENT).as_posix()}" for path in files(CLIENT)}
    expected |= {f"doorward_server/{path.relative_to(SERVER).as_posix()}" for path in files(SERVER)}
    envoy = ROOT / "envoy"
    expected |= {
        f"doorward_server/gateway/envoy/{path.relative_to(envoy).as_posix()}" for path in files(envoy)
    }
    assert contents(wheel) == expected


def test_both_packages_are_typed(wheel: zipfile.ZipFile) -> None:
    """Type checkers use the annotations of both packages, and find a stub beside every generated module."""
    names = contents(wheel)
    assert {"doorward/py.typed", "doorward_server/py.typed"} <= names
    generated = {name for name in names if re.search(r"_pb2(_grpc)?\.py$", name)}
    assert generated
    assert {f"{name}i" for name in generated} <= names


def test_an_sdist_gives_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Whoever builds from the source distribution gets what whoever builds from the repository gets."""
    sdist = build("sdist", ROOT, tmp_path / "sdist")
    subprocess.run(["tar", "-xf", sdist, "-C", tmp_path], check=True, timeout=60)
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path / "wheel")) as second:
        assert contents(second) == contents(wheel)


def test_the_base_install_is_the_client_alone(wheel: zipfile.ZipFile) -> None:
    """Without extras the wheel asks for gRPC and protobuf, and for nothing that only a server needs."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    requirements = re.findall(r"^Requires-Dist: (.*)$", wheel.read(name).decode(), re.MULTILINE)
    base = {Requirement(text).name for text in requirements if Requirement(text).marker is None}
    assert base == {"googleapis-common-protos", "grpcio", "grpcio-status", "protobuf"}


def imported(path: Path) -> set[str]:
    """Return the top-level names that a module imports, in whatever function it does so."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", sorted((SERVER / "domain").rglob("*.py")), ids=lambda path: path.stem)
def test_the_domain_needs_the_standard_library_alone(path: Path) -> None:
    """A module of `domain` imports the standard library and its own package: no framework can leak in."""
    assert imported(path) <= sys.stdlib_module_names | {"doorward_server"}


def test_the_client_imports_no_extra() -> None:
    """The base install is enough for `doorward`, but for its command line and its fixtures for pytest."""
    allowed = sys.stdlib_module_names | {"doorward", "google", "grpc", "grpc_status"}
    strangers = {
        path.relative_to(CLIENT).as_posix(): imported(path) - allowed
        for path in CLIENT.rglob("*.py")
        if path.relative_to(CLIENT).parts[0] != "cli" and path != FIXTURES
    }
    assert {path: names for path, names in strangers.items() if names} == {}


@pytest.mark.parametrize(
    "entry_point", metadata.distribution("doorward").entry_points, ids=lambda entry_point: entry_point.name
)
def test_entry_points_load(entry_point: metadata.EntryPoint) -> None:
    """What the wheel promises to other programs, the command line and its server commands, is there."""
    assert entry_point.load()


def lower_bound(name: str) -> Version:
    """Return the oldest version of a package that the base install accepts."""
    (requirement,) = (r for r in map(Requirement, PROJECT["project"]["dependencies"]) if r.name == name)
    (bound,) = (s.version for s in requirement.specifier if s.operator == ">=")
    return Version(bound)


@pytest.mark.parametrize(
    "package", [CLIENT / "v1", SERVER / "policy" / "v1"], ids=lambda path: path.parent.name
)
def test_generated_code_runs_with_the_oldest_accepted_versions(package: Path) -> None:
    """The lower bounds of grpcio and protobuf are what the generated code checks when it is imported."""
    text = "".join(path.read_text(encoding="utf-8") for path in package.glob("*_pb2*.py"))
    protobuf = set(re.findall(r"^# Protobuf Python Version: (\S+)$", text, re.MULTILINE))
    grpcio = set(re.findall(r"^GRPC_GENERATED_VERSION = '(\S+)'$", text, re.MULTILINE))
    assert {Version(version) for version in protobuf} == {lower_bound("protobuf")}
    assert {Version(version) for version in grpcio} == {lower_bound("grpcio")}


def test_the_internal_package_keeps_its_name_on_the_wire() -> None:
    """Python finds the policy stream in the server; its proto, and so its RPCs, are named as in protos/."""
    descriptor = policy_pb2.DESCRIPTOR
    assert descriptor.name == "doorward/policy/v1/policy.proto"
    assert list(descriptor.services_by_name) == ["PolicyService"]
    assert policy_pb2.Hello.__module__ == "doorward_server.policy.v1.policy_pb2"


def locked(lock: str) -> dict[str, tuple[Version, int]]:
    """Return the packages of a lock: name to version and number of hashes. Refuses a line it cannot read."""
    pins: dict[str, tuple[Version, int]] = {}
    text = re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", "").splitlines():
        pin, *hashes = re.split(r" +--hash=sha256:(?=[0-9a-f]{64}\b)", line)
        requirement = Requirement(pin)
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        pins[canonicalize_name(requirement.name)] = (Version(specifier.version), len(hashes))
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_versions_and_hashes(lock: str) -> None:
    """A lock is made of pins with hashes alone: no index, no link, no name of a host."""
    pins = locked(lock)
    assert pins
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []


def test_the_locks_agree() -> None:
    """What the tests run with is what users run with, also once the apps for them are installed."""
    runtime, dev, apps = map(locked, LOCKS)
    assert runtime.items() <= dev.items()
    assert all(pin == dev[name] for name, pin in apps.items() if name in dev)


def test_the_lock_satisfies_what_is_declared() -> None:
    """Every dependency, extras included, is in the lock of `make up` and within its declared bounds."""
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    pins = locked("requirements.txt")
    for requirement in map(Requirement, (text for group in groups for text in group)):
        if requirement.name != "doorward":
            assert pins[canonicalize_name(requirement.name)][0] in requirement.specifier, requirement


@pytest.mark.parametrize("name", [*LOCKS, "Makefile", "buf.yaml", "buf.gen.yaml", ".ci/run"])
def test_no_tool_depends_on_a_named_host(name: str) -> None:
    """Installing and generating use the package index of the machine, never an address written here."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"\w+://|--(?:extra-)?index-url|--find-links", text) == []

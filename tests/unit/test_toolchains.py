"""The SDKs of other languages, where no toolchain is needed: versions, locks, what tells what is missing."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import generate
from tools.toolchains import TOOLCHAINS

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "src" / "clients"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("go/doorward/version.go", r'Version = "(.+)"'),
        ("java/pom.xml", r"<artifactId>doorward-client</artifactId>\s*<version>(.+)</version>"),
        ("java/src/main/java/dev/doorward/Version.java", r'VERSION = "(.+)"'),
        ("typescript/package.json", r'"version": "(.+)"'),
        ("typescript/src/version.ts", r'VERSION = "(.+)"'),
    ],
)
def test_all_clients_have_one_version(file: str, pattern: str) -> None:
    """Whatever the language, a release is a release."""
    found = re.search(pattern, (CLIENTS / file).read_text(encoding="utf-8"))
    assert found is not None
    assert found[1] == VERSION


def test_the_npm_lock_names_no_registry() -> None:
    """It has versions and hashes: each machine uses the registry that it is set to."""
    lock = json.loads((CLIENTS / "typescript" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in package and "integrity" in package for package in packages.values())


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each toolchain names the commands that are not there, and where they come from."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for toolchain in TOOLCHAINS.values():
        said = toolchain.missing()
        assert said is not None
        assert toolchain.source in said
        assert all(command in said for command in toolchain.commands)


def test_without_a_toolchain_its_language_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has Python alone can generate Python, and hears of the others; in CI that is an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    assert generate.languages() == ["python"]
    assert capsys.readouterr().err.count("left as it is") == len(TOOLCHAINS)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="SDK needs"):
        generate.languages()


def test_only_what_is_wanted_is_generated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A block of buf.gen.yaml belongs to the language that its output is named after."""
    monkeypatch.setattr(generate, "SCRATCH", tmp_path)
    whole = yaml.safe_load((ROOT / "buf.gen.yaml").read_text(encoding="utf-8"))
    for language in ("python", *TOOLCHAINS):
        part = yaml.safe_load(generate.template([language]).read_text(encoding="utf-8"))
        assert {plugin["out"] for plugin in part["plugins"]} == {f".protos/{language}"}
        assert {**part, "plugins": []} == {**whole, "plugins": []}

"""The Go SDK: its own tests and rules, its README, and the journeys of all languages."""

from collections.abc import Callable
from pathlib import Path

import pytest

import doorward
from tests.sdk.support.building import BUILD_SECONDS, CI_PAGE, CLIENTS, example, require, succeed
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
from tests.sdk.support.nightly import assert_nightly
from tests.sdk.support.scene import Scene

GO = CLIENTS / "go"

pytestmark = pytest.mark.timeout(BUILD_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def toolchain() -> None:
    """Go."""
    require("go")


@pytest.fixture(scope="module")
def language(toolchain: None, tmp_path_factory: pytest.TempPathFactory) -> Language:
    """The driver, built."""
    program = tmp_path_factory.mktemp("go") / "driver"
    succeed(["go", "build", "-o", program, "./internal/driver"], folder=GO)
    return Language(name="Go", command=[str(program)], folder=GO, user_agent="doorward-go/* grpc-go/*")


@tabled(selected(web=False))
def test_journey(case: Case, language: Language, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens in Go."""
    run(case, drivers(language), stage)


def test_it_is_formatted_vetted_and_tested() -> None:
    """Its formatter has nothing to change, vet nothing to say, and its own tests pass."""
    assert succeed(["gofmt", "-l", "."], folder=GO) == ""
    succeed(["go", "vet", "./..."], folder=GO)
    assert "ok" in succeed(["go", "test", "-count=1", "./doorward"], folder=GO)


def test_its_module_is_tidy() -> None:
    """go.mod names what is imported, and nothing else."""
    succeed(["go", "mod", "tidy", "-diff"], folder=GO)


def test_the_readme_works(stage: Scene, greeter: doorward.App, tmp_path: Path) -> None:
    """The program on the first page does what it says, as it stands there."""
    program = tmp_path / "main.go"
    program.write_text(example(GO / "README.md", "go"), encoding="utf-8")
    printed = succeed(["go", "run", program], folder=GO, environment=stage.environment)
    assert greeter.status.url in printed


def test_the_program_for_ci_works(stage: Scene, admin: doorward.Client, tmp_path: Path) -> None:
    """The one in docs/how-to/ci.md makes the token that the page says, and prints its id."""
    program = tmp_path / "main.go"
    program.write_text(example(CI_PAGE, "go"), encoding="utf-8")
    succeed(["go", "vet", program], folder=GO)
    printed = succeed(["go", "run", program], folder=GO, environment=stage.environment)
    assert_nightly(admin, printed)

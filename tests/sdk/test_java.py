"""The Java SDK: its own rules and tests, its README, and the journeys of all languages."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import doorward
from tests.sdk.support.building import BUILD_SECONDS, CI_PAGE, CLIENTS, example, require, succeed
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
from tests.sdk.support.nightly import assert_nightly
from tests.sdk.support.scene import Scene

JAVA = CLIENTS / "java"
MAVEN = ["mvn", "--quiet", "--batch-mode", "--no-transfer-progress"]

pytestmark = pytest.mark.timeout(BUILD_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compiled with every warning as an error, and tested by its own tests; what it needs to run."""
    require("java")
    listed = tmp_path_factory.mktemp("java") / "class-path"
    listing = ["dependency:build-classpath", f"-Dmdep.outputFile={listed}"]
    succeed([*MAVEN, "package", *listing], folder=JAVA)
    return os.pathsep.join([str(JAVA / "target" / "classes"), listed.read_text(encoding="utf-8").strip()])


@pytest.fixture(scope="module")
def language(class_path: str) -> Language:
    """The driver."""
    with_tests = os.pathsep.join([str(JAVA / "target" / "test-classes"), class_path])
    return Language(
        name="Java",
        command=["java", "-XX:TieredStopAtLevel=1", "-cp", with_tests, "dev.doorward.Driver"],
        folder=JAVA,
        user_agent="doorward-java/* grpc-java-*",
    )


@tabled(selected(web=False))
def test_journey(case: Case, language: Language, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens in Java."""
    run(case, drivers(language), stage)


def test_its_own_tests_have_run(class_path: str) -> None:
    """Maven runs what src/test holds, and fails when a test does; here it says that it did."""
    (report,) = (JAVA / "target" / "surefire-reports").glob("TEST-*ClientTest.xml")
    assert 'errors="0"' in report.read_text(encoding="utf-8")


def test_the_readme_works(stage: Scene, greeter: doorward.App, class_path: str, tmp_path: Path) -> None:
    """The program on the first page does what it says, as it stands there."""
    program = tmp_path / "Main.java"
    program.write_text(example(JAVA / "README.md", "java"), encoding="utf-8")
    printed = succeed(["java", "-cp", class_path, program], folder=tmp_path, environment=stage.environment)
    assert greeter.status.url in printed


def test_the_program_for_ci_works(
    stage: Scene, admin: doorward.Client, class_path: str, tmp_path: Path
) -> None:
    """The one in docs/how-to/ci.md makes the token that the page says, and prints its id."""
    program = tmp_path / "Nightly.java"
    program.write_text(example(CI_PAGE, "java"), encoding="utf-8")
    printed = succeed(["java", "-cp", class_path, program], folder=tmp_path, environment=stage.environment)
    assert_nightly(admin, printed)

"""The TypeScript SDK: its own rules and tests, its README, and the journeys of all languages, twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

import doorward
from tests.sdk.support.building import BUILD_SECONDS, CI_PAGE, CLIENTS, example, require, succeed
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
from tests.sdk.support.nightly import assert_nightly
from tests.sdk.support.scene import Scene
from tools.toolchains import TOOLCHAINS

TYPESCRIPT = CLIENTS / "typescript"
TSC = TYPESCRIPT / "node_modules" / ".bin" / "tsc"
DRIVER = "build/test/driver.js"

OVER_GRPC = Language(
    name="TypeScript", command=["node", DRIVER], folder=TYPESCRIPT, user_agent="doorward-typescript/*"
)
OVER_GRPC_WEB = Language(
    name="TypeScript over gRPC-Web",
    command=["node", DRIVER, "web"],
    folder=TYPESCRIPT,
    user_agent="doorward-typescript-web/*",
    web=True,
)

pytestmark = pytest.mark.timeout(BUILD_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Compiled strictly, together with its tests."""
    require("typescript")
    TOOLCHAINS["typescript"].prepare()
    succeed([TSC], folder=TYPESCRIPT)


@tabled(selected(web=False))
def test_journey(case: Case, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens in TypeScript."""
    run(case, drivers(OVER_GRPC), stage)


@tabled(selected(web=True))
def test_journey_over_grpc_web(case: Case, drivers: Callable[[Language], Driver], stage: Scene) -> None:
    """What the table says happens, happens through Envoy as browsers speak."""
    run(case, drivers(OVER_GRPC_WEB), stage)


def test_it_is_formatted_linted_and_tested() -> None:
    """Biome has nothing to say, and its own tests pass."""
    succeed(["npm", "run", "lint"], folder=TYPESCRIPT)
    own = ["node", "--test", "--test-reporter=tap", "build/test/client.test.js"]
    assert "# fail 0" in succeed(own, folder=TYPESCRIPT)


@pytest.fixture(scope="module")
def project(built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of somebody else's, with the package as it is published."""
    folder = tmp_path_factory.mktemp("project")
    succeed(["npm", "run", "build"], folder=TYPESCRIPT)
    packed = succeed(["npm", "pack", "--silent", "--pack-destination", folder], folder=TYPESCRIPT).strip()
    home = folder / "node_modules" / "@doorward" / "client"
    home.mkdir(parents=True)
    succeed(["tar", "-xzf", folder / packed, "--strip-components=1", "-C", home], folder=folder)
    for scope in ("@bufbuild", "@connectrpc", "@types"):
        (folder / "node_modules" / scope).symlink_to(TYPESCRIPT / "node_modules" / scope)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return folder


def compiled_and_run(project: Path, program: str, stage: Scene) -> str:
    """Return what a program prints that is compiled strictly."""
    (project / "main.ts").write_text(program, encoding="utf-8")
    language = ["--strict", "--module", "nodenext", "--target", "es2022"]
    succeed([TSC, *language, "main.ts"], folder=project)
    return succeed(["node", "main.js"], folder=project, environment=stage.environment)


def test_the_readme_works(stage: Scene, greeter: doorward.App, project: Path) -> None:
    """The program on the first page does what it says."""
    assert greeter.status.url in compiled_and_run(project, example(TYPESCRIPT / "README.md", "ts"), stage)


def test_the_program_for_ci_works(stage: Scene, admin: doorward.Client, project: Path) -> None:
    """The one in docs/how-to/ci.md makes the token that the page says, and prints its id."""
    assert_nightly(admin, compiled_and_run(project, example(CI_PAGE, "typescript"), stage))

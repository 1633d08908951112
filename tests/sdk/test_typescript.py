"""The TypeScript SDK: its own rules and tests, its README, and the journeys of all languages, twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

import doorward
from tests.sdk.support.building import BUILD_SECONDS, CLIENTS, example, require, succeed
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.journey import Case, run, selected, tabled
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


def test_the_readme_works(stage: Scene, greeter: doorward.App, tmp_path: Path) -> None:
    """The program on the first page does what it says with the package as it is published."""
    succeed(["npm", "run", "build"], folder=TYPESCRIPT)
    packed = succeed(["npm", "pack", "--silent", "--pack-destination", tmp_path], folder=TYPESCRIPT).strip()
    home = tmp_path / "node_modules" / "@doorward" / "client"
    home.mkdir(parents=True)
    succeed(["tar", "-xzf", tmp_path / packed, "--strip-components=1", "-C", home], folder=tmp_path)
    for scope in ("@bufbuild", "@connectrpc", "@types"):
        (tmp_path / "node_modules" / scope).symlink_to(TYPESCRIPT / "node_modules" / scope)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "main.ts").write_text(example(TYPESCRIPT / "README.md", "ts"), encoding="utf-8")
    options = [
        "--strict",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2023,dom,esnext.disposable",
    ]
    succeed([TSC, *options, "main.ts"], folder=tmp_path)
    printed = succeed(["node", "main.js"], folder=tmp_path, environment=stage.environment)
    assert greeter.status.url in printed

"""What the tests of all client libraries share."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

import doorward
from tests.sdk.support import driver, scene
from tests.sdk.support.driver import Driver, Language
from tests.sdk.support.scene import Scene


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A real platform and what else the journeys meet, once for all of them."""
    with scene.scene(tmp_path_factory.mktemp("scene")) as ready:
        yield ready


@pytest.fixture(scope="module")
def drivers() -> Iterator[Callable[[Language], Driver]]:
    """Drivers that stay up from case to case; one that has ended is started anew for the next."""
    with ExitStack() as stack:
        running: dict[str, Driver] = {}

        def driver_of(language: Language) -> Driver:
            if language.name not in running or running[language.name].ended:
                running[language.name] = stack.enter_context(driver.running(language, os.environ))
            return running[language.name]

        yield driver_of


@pytest.fixture
def admin(stage: Scene) -> Iterator[doorward.Client]:
    """A client of the platform's owner."""
    with doorward.Client(stage.platform.endpoints.api_grpc, token=stage.platform.admin_token) as client:
        yield client


@pytest.fixture
def greeter(stage: Scene, admin: doorward.Client) -> Iterator[doorward.App]:
    """An app with the label that the READMEs look for."""
    spec = doorward.external(f"127.0.0.1:{stage.app.port}")
    app = admin.apps.create("greeter", region="GRA", labels={"group": "A"}, spec=spec)
    yield app
    admin.apps.delete(app.app_id)

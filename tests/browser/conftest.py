"""Fixtures of the tests that drive a real browser: the Chromium of this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.support.platform import Platform, running_platform

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "no Chromium on this machine: Debian and Ubuntu have it as the package chromium"

# Nothing that a test does leaves this machine, and nothing that the browser does on its own.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Where there is none the tests are skipped, but not in CI.

    Of a module and not of the session: Playwright keeps an event loop running in this thread meanwhile, and
    other tests begin their own.
    """
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def platform(chromium: Browser) -> Iterator[Platform]:
    """A platform, for which a browser is needed."""
    with running_platform() as running:
        yield running


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go; `DOORWARD_SCREENSHOTS=docs/images` renews the documentation's."""
    chosen = os.environ.get("DOORWARD_SCREENSHOTS")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")

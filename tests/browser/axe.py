"""What axe-core finds wrong with a page for whoever cannot see it, or not well."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.sync_api import Page

_AXE = Axe()


def complaints_of(page: Page) -> list[str]:
    """Each fault, with the places that have it."""
    found = _AXE.run(page).response
    # A page of which nothing was judged has no faults either.
    assert found["passes"]
    return [
        f"{fault['impact']} {fault['id']}: {', '.join(node['html'] for node in fault['nodes'])}"
        for fault in found["violations"]
    ]

"""Where the pages of apps are."""

from typing import Final

from doorward_server.web.console.visit import Visit

APPS: Final = "/apps"
NEW: Final = f"{APPS}/new"
APP: Final = f"{APPS}/{{app_id:uuid}}"
LABELS: Final = f"{APP}/labels"
START: Final = f"{APP}/start"
STOP: Final = f"{APP}/stop"
DELETE: Final = f"{APP}/delete"
LOGS: Final = f"{APP}/logs"


def app_id_of(visit: Visit) -> str:
    """The app that the address names."""
    return str(visit.path["app_id"])


def app_page(app_id: str) -> str:
    """The page of an app."""
    return f"{APPS}/{app_id}"

"""AI Apps: what runs, and what may be done with it."""

from typing import Final

from doorward_server.web.console.apps.addresses import APPS
from doorward_server.web.console.apps.list import list_apps
from doorward_server.web.console.sections import Page, Section

SECTION: Final = Section(
    title="AI Apps",
    path=APPS,
    pages=(Page(path=APPS, get=list_apps),),
)

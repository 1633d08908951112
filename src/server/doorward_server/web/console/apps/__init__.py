"""AI Apps: what runs, and what may be done with it."""

from typing import Final

from doorward.v1.role_pb2 import ROLE_ADMIN, ROLE_OPERATOR
from doorward_server.web.console.apps import addresses
from doorward_server.web.console.apps.actions import DELETION, START, STOP
from doorward_server.web.console.apps.create import create_app, new_app
from doorward_server.web.console.apps.detail import show_app
from doorward_server.web.console.apps.labels import edit_labels, save_labels
from doorward_server.web.console.apps.list import list_apps
from doorward_server.web.console.apps.logs import follow_logs
from doorward_server.web.console.apps.notices import NOTICES
from doorward_server.web.console.sections import Page, Section

SECTION: Final = Section(
    title="AI Apps",
    path=addresses.APPS,
    pages=(
        Page(path=addresses.APPS, get=list_apps),
        Page(path=addresses.NEW, get=new_app, post=create_app, least_role=ROLE_ADMIN),
        Page(path=addresses.APP, get=show_app),
        Page(path=addresses.LABELS, get=edit_labels, post=save_labels, least_role=ROLE_ADMIN),
        Page(path=addresses.START, get=START.ask, post=START.act, least_role=ROLE_OPERATOR),
        Page(path=addresses.STOP, get=STOP.ask, post=STOP.act, least_role=ROLE_OPERATOR),
        Page(path=addresses.DELETE, get=DELETION.ask, post=DELETION.act, least_role=ROLE_OPERATOR),
        Page(path=addresses.LOGS, get=follow_logs),
    ),
    notices=NOTICES,
)

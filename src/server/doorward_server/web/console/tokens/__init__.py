"""Tokens: who has which, what they open, and making, renewing and ending them."""

from typing import Final

from doorward.v1.role_pb2 import ROLE_ADMIN
from doorward_server.web.console.sections import Page, Section
from doorward_server.web.console.tokens.addresses import DELETE, EDIT, NEW, PREVIEW, REGENERATE, TOKENS
from doorward_server.web.console.tokens.delete import ask_to_delete, delete
from doorward_server.web.console.tokens.edit import edit, show_edit
from doorward_server.web.console.tokens.list import list_tokens
from doorward_server.web.console.tokens.new import create, preview, show_new
from doorward_server.web.console.tokens.regenerate import ask_to_regenerate, regenerate

SECTION: Final = Section(
    title="Tokens",
    path=TOKENS,
    least_role=ROLE_ADMIN,
    pages=(
        Page(path=TOKENS, get=list_tokens),
        Page(path=NEW, get=show_new, post=create),
        Page(path=PREVIEW, get=show_new, post=preview),
        Page(path=EDIT, get=show_edit, post=edit),
        Page(path=REGENERATE, get=ask_to_regenerate, post=regenerate),
        Page(path=DELETE, get=ask_to_delete, post=delete),
    ),
    notices={
        "token-changed": "The token was changed.",
        "token-deleted": "The token was deleted. Nothing is open to it any more.",
    },
)

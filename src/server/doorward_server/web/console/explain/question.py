"""What is asked: a token, an app and a request, as people type them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from doorward.v1.token_service_pb2 import ExplainAccessRequest
from doorward_server.web.console.names import Known
from doorward_server.web.console.pasted import without_secrets

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_TYPED: Final = ("token", "app", "method", "path")
_LONGEST: Final = 8192
_APP_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TOKEN_ID: Final = re.compile(r"[0-9A-Za-z]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What stands in the form."""

    token: str = ""
    """An id, or a name that one token has."""
    app: str = ""
    """An id, an address that has it, or a name that one app has."""
    method: str = "GET"
    path: str = "/"
    sent: bool = False
    """Whether the form was sent. A link to it may have filled in a part."""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """What the address says."""
        given = {name: without_secrets(params.get(name, "")).strip()[:_LONGEST] for name in _TYPED}
        return cls(**{name: text for name, text in given.items() if text}, sent="path" in params)

    @property
    def is_asked(self) -> bool:
        """Whether there is something to answer."""
        return self.sent or bool(self.token and self.app)

    def request(self, known: Known) -> tuple[ExplainAccessRequest, dict[str, str]]:
        """What to ask api, and what is wrong with it by field."""
        tokens = [each.token_id for each in known.tokens if each.display_name == self.token]
        apps = [each.app_id for each in known.apps if each.display_name == self.app]
        token_id = self.token if _TOKEN_ID.fullmatch(self.token) and not tokens else _only(tokens)
        named = _APP_ID.search(self.app)
        app_id = named[0].lower() if named else _only(apps)
        errors = {}
        if token_id is None:
            errors["token"] = _said("token", self.token, tokens)
        if app_id is None:
            errors["app"] = _said("app", self.app, apps)
        return (
            ExplainAccessRequest(
                token_id=token_id or "", app_id=app_id or "", method=self.method, path=self.path
            ),
            errors,
        )


def _only(ids: list[str]) -> str | None:
    return ids[0] if len(ids) == 1 else None


def _said(what: str, typed: str, ids: list[str]) -> str:
    if not typed:
        return f"Choose a{'n' if what == 'app' else ''} {what}."
    if ids:
        return f"More than one {what} is called that: choose it by its id."
    return f"No {what} has this id or name."

"""The form of a new token: what was typed into it, and what api is asked for with it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from uuid import UUID, uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from doorward.v1 import role_pb2, token_pb2, token_service_pb2

ROLES: Final = MappingProxyType(
    {
        "READ_ONLY": role_pb2.ROLE_READ_ONLY,
        "OPERATOR": role_pb2.ROLE_OPERATOR,
        "ADMIN": role_pb2.ROLE_ADMIN,
    }
)

LABELS: Final = "labels"
ALL: Final = "all"

NEVER: Final = "never"
LIFETIMES: Final = MappingProxyType(
    {
        "1": "in 1 day",
        "7": "in 7 days",
        "30": "in 30 days",
        "90": "in 90 days",
        "365": "in a year",
        NEVER: "never",
    }
)
"""What may be chosen as the expiry: days from when the form was opened, and its name."""

FIELDS: Final = MappingProxyType(
    {
        "token.display_name": "name",
        "token.role": "role",
        "token.region": "region",
        "token.label_selector": "selector",
        "token.all_apps": "selector",
        "token.expire_time": "lifetime",
        "region": "region",
        "label_selector": "selector",
        "all_apps": "selector",
    }
)
"""Which field of the form a field of the request comes from."""

_DAY: Final = 86_400
_OLDEST: Final = 7 * _DAY
"""Seconds that a form may be open, as long as api remembers the request that it makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """What stands in the form. The defaults are the safe ones."""

    name: str = ""
    role: str = "READ_ONLY"
    region: str = ""
    scope: str = LABELS
    selector: str = ""
    lifetime: str = "90"
    request_id: str
    """Makes the form create one token, however often it is sent."""
    opened: int
    """When the form was opened, in seconds since 1970: sent again, it asks for the same expiry."""

    @classmethod
    def fresh(cls, *, region: str, now: float | None = None) -> Self:
        """A form that nobody has typed into."""
        return cls(region=region, request_id=str(uuid4()), opened=int(time.time() if now is None else now))

    @classmethod
    def read(cls, fields: Mapping[str, str], *, now: float | None = None) -> Self:
        """What was sent. Whatever cannot come from the form is left for api to refuse."""
        present = int(time.time() if now is None else now)
        return cls(
            name=fields.get("name", "").strip(),
            role=fields.get("role", ""),
            region=fields.get("region", ""),
            scope=fields.get("scope", ""),
            selector=fields.get("selector", "").strip(),
            lifetime=fields.get("lifetime", ""),
            request_id=_request_id(fields.get("request_id", "")),
            opened=_opened(fields.get("opened", ""), present),
        )

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with it that api could not say, or not in the words of the form: by field."""
        found = {}
        if self.lifetime not in LIFETIMES:
            found["lifetime"] = "Choose when the token expires."
        return found | self.scope_problems

    @property
    def scope_problems(self) -> dict[str, str]:
        """The same of what the token opens alone."""
        if self.role == "ADMIN" and self.selector:
            return {
                "selector": "An ADMIN token opens every app, whatever its labels: leave this empty, or choose"
                " another role."
            }
        if self.role == "ADMIN":
            return {}
        if self.scope not in (LABELS, ALL):
            return {"selector": "Choose which apps the token opens."}
        if self.scope == ALL and self.selector:
            return {
                "selector": "Every app is chosen above: leave this empty, or choose apps by their labels."
            }
        if self.scope == LABELS and not self.selector:
            return {"selector": "Say which labels the apps have, such as group=A, or choose every app."}
        return {}

    def create_request(self) -> token_service_pb2.CreateTokenRequest:
        """The token to create."""
        token = token_pb2.Token(display_name=self.name, role=ROLES.get(self.role, role_pb2.ROLE_UNSPECIFIED))
        if self.role != "ADMIN":
            token.region = self.region
            if self.scope == ALL:
                token.all_apps = True
            else:
                token.label_selector = self.selector
        if (expiry := self._expire_time()) is not None:
            token.expire_time.CopyFrom(expiry)
        return token_service_pb2.CreateTokenRequest(token=token, request_id=self.request_id)

    def preview_request(self, *, page_size: int) -> token_service_pb2.PreviewSelectorRequest:
        """The apps that it would open now."""
        request = token_service_pb2.PreviewSelectorRequest(page_size=page_size)
        if self.role != "ADMIN":
            request.region = self.region
        if self.role == "ADMIN" or self.scope == ALL:
            request.all_apps = True
        else:
            request.label_selector = self.selector
        return request

    def _expire_time(self) -> Timestamp | None:
        if self.lifetime == NEVER:
            return None
        return lifetime_end(self.lifetime, self.opened)


def lifetime_end(lifetime: str, begin: int) -> Timestamp:
    """When a lifetime of some days ends that begins at *begin*, in seconds since 1970."""
    return Timestamp(seconds=begin + int(lifetime) * _DAY)


def _request_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid4())


def _opened(text: str, now: int) -> int:
    """When the form was opened, if that can be: not in the future, and not longer ago than is remembered."""
    opened = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else now
    return opened if now - _OLDEST <= opened <= now else now

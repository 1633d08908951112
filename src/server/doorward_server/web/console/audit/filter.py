"""Which events of the audit are asked for, from the address of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from doorward.v1 import audit_service_pb2
from doorward_server.web.console.pasted import without_secrets

DEEDS: Final = MappingProxyType(
    {
        "Bootstrap": "set the platform up",
        "CreateApp": "created an app",
        "UpdateApp": "changed an app",
        "StartApp": "started an app",
        "StopApp": "stopped an app",
        "DeleteApp": "deleted an app",
        "CreateToken": "created a token",
        "UpdateToken": "changed a token",
        "RegenerateToken": "gave a token a new secret",
        "DeleteToken": "deleted a token",
        "CreateSession": "logged in with a browser",
        "DeleteSession": "logged out",
    }
)
"""What was done, in words, by the name of the action."""

_LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What stands in the form above the events. Empty: any."""

    actor: str = ""
    action: str = ""
    resource: str = ""
    since: str = ""
    until: str = ""
    zone: str = ""
    """The reader's time zone, such as `Europe/Paris`, which a script puts there. Empty: UTC."""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """What the address says."""
        return cls(
            **{name: without_secrets(params.get(name, "")).strip()[:_LONGEST] for name in cls.__slots__}
        )

    @property
    def is_set(self) -> bool:
        """Whether anything is left out."""
        return any((self.actor, self.action, self.resource, self.since, self.until))

    @property
    def zone_name(self) -> str:
        """The zone that the times are in."""
        return str(_zone(self.zone))

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with it, by field."""
        found = {}
        since, until = (self._time(text) for text in (self.since, self.until))
        for name, text, time in (("since", self.since, since), ("until", self.until, until)):
            if text and time is None:
                found[name] = "Give a day and a time, such as 2030-01-31T14:00."
        if since is not None and until is not None and until <= since:
            found["until"] = "This is not later than the first time."
        return found

    def request(self, *, page_size: int, page_token: str) -> audit_service_pb2.ListAuditEventsRequest:
        """What to ask for; a time that is none counts as not given."""
        request = audit_service_pb2.ListAuditEventsRequest(
            actor_token_id=self.actor,
            action=self.action,
            resource_id=self.resource,
            page_size=page_size,
            page_token=page_token,
        )
        if (since := self._time(self.since)) is not None:
            request.start_time.FromDatetime(since)
        if (until := self._time(self.until)) is not None:
            request.end_time.FromDatetime(until)
        return request

    def params(self) -> dict[str, str]:
        """What makes the address of these events, without what is empty."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def _time(self, text: str) -> datetime | None:
        """A day, or a day and a time, in the reader's zone; None for what is neither."""
        try:
            time = datetime.fromisoformat(text)
            return (time if time.tzinfo else time.replace(tzinfo=_zone(self.zone))).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def _zone(name: str) -> ZoneInfo:
    """The zone of that name. Not every machine knows all of them: UTC then, which the page says."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")

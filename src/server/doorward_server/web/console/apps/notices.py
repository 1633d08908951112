"""What pages tell of what was done with an app."""

from types import MappingProxyType
from typing import Final

CREATED: Final = "app-created"
STARTING: Final = "app-starting"
STOPPING: Final = "app-stopping"
STOPPING_WHERE_REACHED: Final = "app-stopping-where-reached"
DELETED: Final = "app-deleted"
DELETED_WHERE_REACHED: Final = "app-deleted-where-reached"
LABELLED: Final = "app-labelled"
LABELLED_WHERE_REACHED: Final = "app-labelled-where-reached"

_REACHED: Final = (
    " Replicas that could not be reached may go on by what they knew: this server is set to a policy lease"
    " of 0."
)
_STOPPING: Final = "The app is stopping. No request reaches it any more."
_DELETED: Final = "The app is deleted. Its address opens nothing any more."
_LABELLED: Final = "The labels are saved, and tokens open the app by them."

NOTICES: Final = MappingProxyType(
    {
        CREATED: "The app is submitted, and starting. This page follows it.",
        STARTING: "The app is starting. Requests reach it as soon as it is ready.",
        STOPPING: _STOPPING,
        STOPPING_WHERE_REACHED: f"The app is stopping.{_REACHED}",
        DELETED: _DELETED,
        DELETED_WHERE_REACHED: f"The app is deleted.{_REACHED}",
        LABELLED: _LABELLED,
        LABELLED_WHERE_REACHED: f"The labels are saved.{_REACHED}",
    }
)

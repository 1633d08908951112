"""The states of apps, as pages deal with them."""

from typing import Final

from doorward.v1.app_pb2 import (
    APP_STATE_DELETING,
    APP_STATE_ERROR,
    APP_STATE_FAILED,
    APP_STATE_INITIALIZING,
    APP_STATE_QUEUED,
    APP_STATE_SCALING,
    APP_STATE_STOPPED,
    APP_STATE_STOPPING,
    APP_STATE_UNSPECIFIED,
    AppState,
)

STATES: Final = tuple(
    name.removeprefix("APP_STATE_") for name, value in AppState.items() if value != APP_STATE_UNSPECIFIED
)
"""The names of all, in the order of an app's life."""


def changes_by_itself(state: AppState.ValueType) -> bool:
    """Whether the app is on its way to another state."""
    return state in {
        APP_STATE_QUEUED,
        APP_STATE_INITIALIZING,
        APP_STATE_SCALING,
        APP_STATE_STOPPING,
        APP_STATE_DELETING,
    }


def can_start(state: AppState.ValueType) -> bool:
    """Whether starting it would do something."""
    return state in {APP_STATE_STOPPED, APP_STATE_FAILED, APP_STATE_ERROR}


def can_stop(state: AppState.ValueType) -> bool:
    """Whether stopping it would do something."""
    return state not in {APP_STATE_STOPPING, APP_STATE_STOPPED, APP_STATE_DELETING}

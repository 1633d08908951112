"""Enums of the API and of the domain, value by value."""

from collections.abc import Mapping
from typing import Final, Generic, Protocol, TypeVar

from doorward.v1.app_pb2 import Access as AccessMessage
from doorward.v1.app_pb2 import AppState as AppStateMessage
from doorward.v1.app_service_pb2 import LogStream as LogStreamMessage
from doorward.v1.policy_update_pb2 import Enforcement as EnforcementMessage
from doorward.v1.replica_service_pb2 import ReplicaState as ReplicaStateMessage
from doorward.v1.role_pb2 import Role as RoleMessage
from doorward_server.domain.apps import Access, AppState
from doorward_server.domain.errors import InvalidValueError
from doorward_server.domain.roles import Role
from doorward_server.services.propagation import Enforcement
from doorward_server.services.replica_service import ReplicaState
from doorward_server.services.runtime import LogStream

V = TypeVar("V", bound=int)
D = TypeVar("D")
V_contra = TypeVar("V_contra", bound=int, contravariant=True)


class Names(Protocol[V_contra]):
    """The part of a generated enum that knows its values' names."""

    def Name(self, number: V_contra) -> str: ...


class EnumTable(Generic[V, D]):
    """Which value of the API is which value of the domain."""

    def __init__(self, names: Names[V], pairs: Mapping[V, D]) -> None:
        """*pairs*: every value of the enum but the unspecified one."""
        self._domain = dict(pairs)
        self._message = {value: number for number, value in pairs.items()}
        self._allowed = ", ".join(names.Name(number) for number in pairs)

    def parse(self, number: V) -> D:
        """The domain's value; raises `InvalidValueError` for the unspecified and for unknown ones."""
        try:
            return self._domain[number]
        except KeyError:
            fault = "must be set" if number == 0 else f"has no value {number}"
            raise InvalidValueError(f"{fault}: one of {self._allowed}") from None

    def message(self, value: D) -> V:
        """The API's value."""
        return self._message[value]


ROLES: Final = EnumTable(
    RoleMessage,
    {
        RoleMessage.ROLE_READ_ONLY: Role.READ_ONLY,
        RoleMessage.ROLE_OPERATOR: Role.OPERATOR,
        RoleMessage.ROLE_ADMIN: Role.ADMIN,
    },
)

ACCESSES: Final = EnumTable(
    AccessMessage,
    {
        AccessMessage.ACCESS_TOKEN_REQUIRED: Access.TOKEN_REQUIRED,
        AccessMessage.ACCESS_PUBLIC: Access.PUBLIC,
    },
)

APP_STATES: Final = EnumTable(
    AppStateMessage,
    {
        AppStateMessage.APP_STATE_QUEUED: AppState.QUEUED,
        AppStateMessage.APP_STATE_INITIALIZING: AppState.INITIALIZING,
        AppStateMessage.APP_STATE_SCALING: AppState.SCALING,
        AppStateMessage.APP_STATE_RUNNING: AppState.RUNNING,
        AppStateMessage.APP_STATE_STOPPING: AppState.STOPPING,
        AppStateMessage.APP_STATE_STOPPED: AppState.STOPPED,
        AppStateMessage.APP_STATE_FAILED: AppState.FAILED,
        AppStateMessage.APP_STATE_ERROR: AppState.ERROR,
        AppStateMessage.APP_STATE_DELETING: AppState.DELETING,
    },
)

LOG_STREAMS: Final = EnumTable(
    LogStreamMessage,
    {
        LogStreamMessage.LOG_STREAM_STDOUT: LogStream.STDOUT,
        LogStreamMessage.LOG_STREAM_STDERR: LogStream.STDERR,
        LogStreamMessage.LOG_STREAM_PLATFORM: LogStream.PLATFORM,
    },
)

ENFORCEMENTS: Final = EnumTable(
    EnforcementMessage,
    {
        EnforcementMessage.ENFORCEMENT_EVERYWHERE: Enforcement.EVERYWHERE,
        EnforcementMessage.ENFORCEMENT_REACHABLE_ONLY: Enforcement.REACHABLE_ONLY,
    },
)

REPLICA_STATES: Final = EnumTable(
    ReplicaStateMessage,
    {
        ReplicaStateMessage.REPLICA_STATE_CURRENT: ReplicaState.CURRENT,
        ReplicaStateMessage.REPLICA_STATE_BEHIND: ReplicaState.BEHIND,
        ReplicaStateMessage.REPLICA_STATE_LAGGING: ReplicaState.LAGGING,
        ReplicaStateMessage.REPLICA_STATE_DISCONNECTED: ReplicaState.DISCONNECTED,
    },
)

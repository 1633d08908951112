"""Who makes a call, and whether their role permits it."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from doorward_server.domain.apps import App
from doorward_server.domain.ids import SessionId, TokenId
from doorward_server.domain.roles import Role
from doorward_server.domain.tokens import Token
from doorward_server.services.errors import RoleTooLowError

REQUIRED_ROLES: Final = MappingProxyType(
    {
        "CreateApp": Role.ADMIN,
        "GetApp": Role.READ_ONLY,
        "ListApps": Role.READ_ONLY,
        "UpdateApp": Role.ADMIN,
        "StartApp": Role.OPERATOR,
        "StopApp": Role.OPERATOR,
        "DeleteApp": Role.OPERATOR,
        "WatchApp": Role.READ_ONLY,
        "ReadAppLogs": Role.OPERATOR,
        "CreateToken": Role.ADMIN,
        "GetToken": Role.ADMIN,
        "ListTokens": Role.ADMIN,
        "UpdateToken": Role.ADMIN,
        "RegenerateToken": Role.ADMIN,
        "DeleteToken": Role.ADMIN,
        "PreviewSelector": Role.ADMIN,
        "ExplainAccess": Role.ADMIN,
        "WhoAmI": Role.READ_ONLY,
        "CreateSession": Role.READ_ONLY,
        "DeleteSession": Role.READ_ONLY,
        "ListAuditEvents": Role.ADMIN,
        "ListReplicas": Role.ADMIN,
    }
)
"""The lowest role that permits each RPC of the public API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call whose caller is known and has the role for it. Only `authorize` makes one."""

    action: str
    """The name of the RPC."""
    caller: Token
    generation: int
    """The number of the secret that it carries, of the caller's."""
    session_id: SessionId | None = None
    """The session that it carries in place of the secret."""
    request_id: str
    """Names the call in logs and the audit."""

    @property
    def actor(self) -> TokenId:
        """The caller's id."""
        return self.caller.token_id

    def in_scope(self, app: App) -> bool:
        """Whether the app is in the caller's region and selector."""
        caller = self.caller
        return (caller.region is None or caller.region == app.region) and (
            caller.selector is None or caller.selector.matches(app.labels)
        )


def authorize(
    action: str,
    caller: Token,
    *,
    generation: int,
    session_id: SessionId | None = None,
    request_id: str,
) -> Call:
    """Let *caller* make the call *action*; raises `RoleTooLowError`."""
    required = REQUIRED_ROLES[action]
    if caller.role < required:
        raise RoleTooLowError(action, role=caller.role, required=required)
    return Call(
        action=action, caller=caller, generation=generation, session_id=session_id, request_id=request_id
    )

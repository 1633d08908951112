"""Why a use case did not do what it was asked.

```
ServiceError
├── UnauthenticatedError
├── RoleTooLowError
├── AppNotFoundError
├── TokenNotFoundError
├── SessionNotFoundError
├── SupersededSecretError
├── TooManySessionsError
├── EtagMismatchError
├── RequestIdReusedError
├── AppStateConflictError
├── LastAdminTokenError
└── HashingQueueFullError
```

Fields that break a rule are `doorward_server.domain.errors.InvalidFieldsError`, a database that does not
work is `doorward_server.services.ports.StorageUnavailableError`, and an app whose source this server does
not run is `doorward_server.services.runtime.RuntimeDisabledError`.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from doorward_server.domain.apps import AppState
from doorward_server.domain.ids import AppId, SessionId, TokenId
from doorward_server.domain.roles import Role


class ServiceError(Exception):
    """A use case did not do what it was asked; nothing was changed. The text is fit for the caller."""

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata: Mapping[str, str] = metadata
        """What a program needs to know of the cause; never a secret."""


class CredentialFault(Enum):
    """What is wrong with a caller's credential."""

    MISSING = "no token: send it as authorization: Bearer <token>"
    MALFORMED = "not a whole Doorward token (65 characters, dw_<id>_<secret>): was it cut short or mistyped?"
    INVALID = "no live token has this secret: it is unknown, expired, regenerated or deleted"


class UnauthenticatedError(ServiceError):
    """The caller is nobody we know."""

    def __init__(self, fault: CredentialFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class RoleTooLowError(ServiceError):
    """The caller's role does not permit the call."""

    def __init__(self, action: str, *, role: Role, required: Role) -> None:
        super().__init__(
            f"{action} needs the role {required.name}; the token's role is {role.name}",
            role=role.name,
            required_role=required.name,
        )


class AppNotFoundError(ServiceError):
    """No such app, or none in the caller's scope: the two are answered alike."""

    def __init__(self, app_id: AppId) -> None:
        super().__init__(f"no app {app_id} in the token's scope", app_id=app_id)


class TokenNotFoundError(ServiceError):
    """No such token."""

    def __init__(self, token_id: TokenId) -> None:
        super().__init__(f"no token {token_id}", token_id=token_id)


class SessionNotFoundError(ServiceError):
    """No such session, or none of the caller: the two are answered alike."""

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"no session {session_id} of this token", session_id=session_id)


class SupersededSecretError(ServiceError):
    """The caller came with a former secret of its token."""

    def __init__(self, token_id: TokenId) -> None:
        super().__init__(
            f"token {token_id} was regenerated: a session needs its newest secret", token_id=token_id
        )


class TooManySessionsError(ServiceError):
    """The caller's token begins too many sessions."""

    def __init__(self, token_id: TokenId, retry_after: timedelta) -> None:
        super().__init__(f"token {token_id} begins too many sessions: try again later", token_id=token_id)
        self.retry_after = retry_after


class EtagMismatchError(ServiceError):
    """The resource has changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("the etag is of an earlier version: read the resource again and repeat")


class RequestIdReusedError(ServiceError):
    """A request id was used before, for a request with other contents."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request_id {request_id} was used for another request", request_id=request_id)


class AppStateConflictError(ServiceError):
    """The app's state does not permit the call."""

    def __init__(self, app_id: AppId, state: AppState, what: str) -> None:
        super().__init__(f"app {app_id} is {state.name}: {what}", app_id=app_id, state=state.name)


class LastAdminTokenError(ServiceError):
    """The platform would be left without a live ADMIN token."""

    def __init__(self, token_id: TokenId) -> None:
        super().__init__(
            f"token {token_id} is the last live ADMIN token: create another one first", token_id=token_id
        )


class HashingQueueFullError(ServiceError):
    """Too many secrets wait to be hashed."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many secrets wait to be hashed: try again later")
        self.retry_after = retry_after

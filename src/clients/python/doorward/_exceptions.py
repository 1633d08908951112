"""What can go wrong.

- DoorwardError                 a call failed; `code` says how, `reason` why
    - Unauthenticated           no credential, or one that is not (or no longer) valid
    - PermissionDenied          the token's role is too low
    - NotFound                  no such app or token, or none in the token's scope
    - InvalidArgument           a field breaks a rule; `field_violations` says which
    - Conflict                  somebody else was faster, or a request id was used twice
    - FailedPrecondition        the state of the app or of the server does not permit it
        - AppGaveUp             an app that was waited for will not get there
        - SecretLost            a token was created, and the answer with its secret was lost
    - ResourceExhausted         too much at once; `retry_after` says when to try again
    - Unavailable               the api cannot be reached, or cannot work now
    - DeadlineExceeded          no answer in time; the call may or may not have happened
    - Cancelled                 the call was ended from outside, such as by closing the client
    - Unimplemented             this server does not offer the call
    - Internal                  a defect of the server; its log has more under `request_id`
- ConfigurationError            the client was set up in a way that cannot work; nothing was sent
"""
# ruff: noqa: N818 - named after the status codes of gRPC, which is how people look them up

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import grpc

from doorward.v1.app_pb2 import AppStatus


class ConfigurationError(ValueError):
    """The client was set up in a way that cannot work. Nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One field that breaks a rule."""

    field: str
    """The field's path in the request, such as `app.labels`."""
    description: str
    """The rule, and how the value breaks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """What the server said about an error besides its code: `google.rpc.ErrorInfo` and its companions."""

    reason: str = ""
    """Name of a value of `doorward.v1.ErrorReason`; empty when the error did not come from Doorward."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the comment of that value says, such as `app_id`."""
    field_violations: Sequence[FieldViolation] = ()
    request_id: str = ""
    """The id under which the server's log and audit have the call."""
    retry_after: timedelta | None = None
    """When the server asks to try again."""


class DoorwardError(Exception):
    """A call failed. Its text is one line and never holds a token."""

    def __init__(self, message: str, *, code: grpc.StatusCode, details: ErrorDetails | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or ErrorDetails()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), code=self.code, details=self.details), self.args

    @property
    def reason(self) -> str:
        """Name of a value of `doorward.v1.ErrorReason`; empty when the error did not come from Doorward."""
        return self.details.reason

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the comment of the reason says, such as `app_id`."""
        return self.details.metadata

    @property
    def field_violations(self) -> Sequence[FieldViolation]:
        """The fields that break a rule."""
        return self.details.field_violations

    @property
    def request_id(self) -> str:
        """The id under which the server's log and audit have the call; empty when no answer came."""
        return self.details.request_id

    @property
    def retry_after(self) -> timedelta | None:
        """When the server asks to try again."""
        return self.details.retry_after


class Unauthenticated(DoorwardError):
    """No credential, or one that is not (or no longer) valid."""


class PermissionDenied(DoorwardError):
    """The token's role is too low for the call."""


class NotFound(DoorwardError):
    """No such app or token, or none in the token's scope: the two are answered alike."""


class InvalidArgument(DoorwardError):
    """One or more fields break a rule."""


class Conflict(DoorwardError):
    """Somebody else was faster (ABORTED), or a request id was used twice (ALREADY_EXISTS)."""


class FailedPrecondition(DoorwardError):
    """The state of the app or of the server does not permit the call."""


class AppGaveUp(FailedPrecondition):
    """An app that was waited for has failed, or is going, and will not reach the state."""

    def __init__(self, message: str, *, status: AppStatus) -> None:
        super().__init__(message, code=grpc.StatusCode.FAILED_PRECONDITION)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), status=self.status), self.args


class SecretLost(FailedPrecondition):
    """A token was created, and the answer with its secret was lost. Regenerate it to have a new one."""

    def __init__(self, message: str, *, token_id: str) -> None:
        super().__init__(message, code=grpc.StatusCode.FAILED_PRECONDITION)
        self.token_id = token_id

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), token_id=self.token_id), self.args


class ResourceExhausted(DoorwardError):
    """Too much at once; `retry_after` says when to try again."""


class Unavailable(DoorwardError):
    """The api cannot be reached, or cannot work now."""


class DeadlineExceeded(DoorwardError):
    """No answer in time. The call may or may not have happened."""


class Cancelled(DoorwardError):
    """The call was ended from outside, such as by closing the client."""


class Unimplemented(DoorwardError):
    """This server does not offer the call."""


class Internal(DoorwardError):
    """A defect of the server; its log has more under `request_id`."""

"""The exit codes of the command line. They stay as they are: scripts tell failures apart by them."""

import doorward

OK = 0
FAILED = 1
"""Whatever has no code of its own: a defect of the server, an answer of no, some of several that failed."""
USAGE = 2
"""Wrong arguments or settings, found here or by the server."""
UNAUTHENTICATED = 3
PERMISSION_DENIED = 4
NOT_FOUND = 5
CONFLICT = 6
"""Somebody else was faster, or the state of the app or the server does not permit it."""
UNAVAILABLE = 7
"""The api cannot be reached, did not answer in time, or has too much to do: worth another try."""
APP_GAVE_UP = 8
"""An app that was waited for has FAILED, or is going, and will not reach the state."""
INTERRUPTED = 130

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (doorward.AppGaveUp, APP_GAVE_UP),
    (doorward.SecretLost, FAILED),
    (doorward.Unauthenticated, UNAUTHENTICATED),
    (doorward.PermissionDenied, PERMISSION_DENIED),
    (doorward.NotFound, NOT_FOUND),
    (doorward.InvalidArgument, USAGE),
    (doorward.ConfigurationError, USAGE),
    (doorward.Conflict, CONFLICT),
    (doorward.FailedPrecondition, CONFLICT),
    (doorward.ResourceExhausted, UNAVAILABLE),
    (doorward.Unavailable, UNAVAILABLE),
    (doorward.DeadlineExceeded, UNAVAILABLE),
)


def exit_code(error: Exception) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)

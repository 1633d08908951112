"""What a failed call raises."""

import pickle
from datetime import timedelta

import grpc
import pytest

import doorward
from doorward._errors import ERRORS
from doorward.v1.app_pb2 import AppStatus
from doorward.v1.error_reason_pb2 import ErrorReason
from tests.unit.client.both import Connect
from tests.unit.client.fake_api import REQUEST_ID, FakeApi

CODES = {
    "CREDENTIAL_MISSING": (grpc.StatusCode.UNAUTHENTICATED, doorward.Unauthenticated),
    "CREDENTIAL_MALFORMED": (grpc.StatusCode.UNAUTHENTICATED, doorward.Unauthenticated),
    "CREDENTIAL_INVALID": (grpc.StatusCode.UNAUTHENTICATED, doorward.Unauthenticated),
    "ROLE_TOO_LOW": (grpc.StatusCode.PERMISSION_DENIED, doorward.PermissionDenied),
    "INVALID_FIELD": (grpc.StatusCode.INVALID_ARGUMENT, doorward.InvalidArgument),
    "APP_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, doorward.NotFound),
    "TOKEN_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, doorward.NotFound),
    "ETAG_MISMATCH": (grpc.StatusCode.ABORTED, doorward.Conflict),
    "REQUEST_ID_REUSED": (grpc.StatusCode.ALREADY_EXISTS, doorward.Conflict),
    "APP_STATE_CONFLICT": (grpc.StatusCode.FAILED_PRECONDITION, doorward.FailedPrecondition),
    "RUNTIME_DISABLED": (grpc.StatusCode.FAILED_PRECONDITION, doorward.FailedPrecondition),
    "LAST_ADMIN_TOKEN": (grpc.StatusCode.FAILED_PRECONDITION, doorward.FailedPrecondition),
    "HASHING_QUEUE_FULL": (grpc.StatusCode.RESOURCE_EXHAUSTED, doorward.ResourceExhausted),
    "STORAGE_UNAVAILABLE": (grpc.StatusCode.UNAVAILABLE, doorward.Unavailable),
    "NOT_IMPLEMENTED": (grpc.StatusCode.UNIMPLEMENTED, doorward.Unimplemented),
    "INTERNAL": (grpc.StatusCode.INTERNAL, doorward.Internal),
    "SERVER_STOPPING": (grpc.StatusCode.UNAVAILABLE, doorward.Unavailable),
    "SECRET_SUPERSEDED": (grpc.StatusCode.FAILED_PRECONDITION, doorward.FailedPrecondition),
    "SESSION_NOT_FOUND": (grpc.StatusCode.NOT_FOUND, doorward.NotFound),
    "TOO_MANY_SESSIONS": (grpc.StatusCode.RESOURCE_EXHAUSTED, doorward.ResourceExhausted),
}
"""The status and the error of each reason, as error_reason.proto has them."""


def failure(client: doorward.Client) -> doorward.DoorwardError:
    """Return the error of a call, which fails."""
    with pytest.raises(doorward.DoorwardError) as caught:
        client.tokens.regenerate("1B2m9cQk0XyZ")  # a call that is never repeated
    return caught.value


def test_every_reason_is_here() -> None:
    """The table of these tests has every reason of the API."""
    names = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118 - not a mapping
    assert set(CODES) == names - {"UNSPECIFIED"}


@pytest.mark.parametrize("reason", CODES)
def test_every_reason_has_its_error(api: FakeApi, client: doorward.Client, reason: str) -> None:
    """Each reason of the API raises its error, with all that the server said."""
    code, kind = CODES[reason]
    api.fail(
        "RegenerateToken",
        code,
        "in so many words",
        reason=f"ERROR_REASON_{reason}",
        metadata={"token_id": "1B2m9cQk0XyZ"},
    )
    error = failure(client)
    assert type(error) is kind
    assert (str(error), error.code, error.reason) == ("in so many words", code, f"ERROR_REASON_{reason}")
    assert error.metadata == {"token_id": "1B2m9cQk0XyZ"}
    assert error.request_id == REQUEST_ID


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status_has_its_error(api: FakeApi, client: doorward.Client, code: grpc.StatusCode) -> None:
    """Every status of gRPC raises an error of the client, also one that came without details."""
    api.fail("RegenerateToken", code)
    error = failure(client)
    assert type(error) is ERRORS[code]
    assert (error.code, error.reason) == (code, "")
    assert str(error)


def test_field_violations(api: FakeApi, client: doorward.Client) -> None:
    """An error about fields names each of them with its rule."""
    api.fail(
        "RegenerateToken",
        grpc.StatusCode.INVALID_ARGUMENT,
        "2 fields",
        reason="ERROR_REASON_INVALID_FIELD",
        violations={"grace_period": "longer than 7 days", "etag": "not an etag"},
    )
    error = failure(client)
    assert str(error) == "grace_period: longer than 7 days; etag: not an etag"
    assert error.field_violations == (
        doorward.FieldViolation(field="grace_period", description="longer than 7 days"),
        doorward.FieldViolation(field="etag", description="not an etag"),
    )


@pytest.mark.parametrize("delay", [timedelta(seconds=2.5), timedelta(0), None])
def test_retry_after(api: FakeApi, client: doorward.Client, delay: timedelta | None) -> None:
    """The error says when the server asks to try again, if it asks."""
    api.fail("RegenerateToken", grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", retry_after=delay)
    assert failure(client).retry_after == delay


def test_a_hostile_text(api: FakeApi, client: doorward.Client) -> None:
    """An error is one line, whatever the server says: nothing in it moves a cursor or begins a new line."""
    api.fail(
        "RegenerateToken",
        grpc.StatusCode.NOT_FOUND,
        "gone\r\nerror: forged\x1b[2J \u202edesrever",
        reason="ERROR_REASON_TOKEN_NOT_FOUND",
    )
    assert str(failure(client)) == "gone\\r\\nerror: forged\\x1b[2J \\u202edesrever"


def test_an_api_that_is_not_there(api: FakeApi, token: str, connect: Connect) -> None:
    """When nothing listens, the error names the address and not the token."""
    api.stop()
    error = failure(connect(api.address, token=token, timeout=5))
    assert isinstance(error, doorward.Unavailable)
    assert str(error).startswith(f"the api at {api.address} cannot be reached: ")
    assert token not in f"{error}{error!r}{error.__cause__}{vars(error)}"


def test_an_answer_that_does_not_come(api: FakeApi, client: doorward.Client) -> None:
    """A deadline that passes names the address."""
    api.state.statuses.append(AppStatus())  # nothing happens any more
    app = client.apps.create("a", region="GRA", spec=doorward.external("127.0.0.1:1"))
    with pytest.raises(doorward.DeadlineExceeded, match=f"the api at {api.address} did not answer in time"):
        next(client.apps.watch(app.app_id, timeout=0.05))


@pytest.mark.parametrize(
    "error",
    [
        doorward.NotFound(
            "gone", code=grpc.StatusCode.NOT_FOUND, details=doorward.ErrorDetails(reason="R", request_id="1")
        ),
        doorward.AppGaveUp("failed", status=AppStatus(message="exit status 1")),
        doorward.SecretLost("lost", token_id="1B2m9cQk0XyZ"),  # noqa: S106 - an id
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_processes(error: doorward.DoorwardError) -> None:
    """An error can be pickled, as process pools do, and says the same afterwards."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))

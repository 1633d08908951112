"""Errors on their way to the caller."""

from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from doorward.v1.app_pb2 import Access, AppState
from doorward.v1.app_service_pb2 import LogStream
from doorward.v1.policy_update_pb2 import Enforcement
from doorward.v1.role_pb2 import Role
from doorward_server.domain.errors import InvalidFieldsError, Violation
from doorward_server.rpc.conversion import enums
from doorward_server.rpc.failures import _SERVICE_ERRORS, defect, failure_of
from doorward_server.rpc.request_ids import REQUEST_ID_KEY, request_id_of
from doorward_server.services.errors import CredentialFault, ServiceError, UnauthenticatedError

TRAILER_BYTES = 8 * 1024
"""What gRPC's clients take by default."""


def test_every_service_error_is_told_as_what_it_is() -> None:
    """None is passed off as a defect of the server."""
    assert {*_SERVICE_ERRORS, UnauthenticatedError} == set(ServiceError.__subclasses__())


@pytest.mark.parametrize("fault", CredentialFault)
def test_every_credential_fault_has_a_challenge(fault: CredentialFault) -> None:
    """RFC 6750 asks for one with each 401."""
    failure = failure_of(UnauthenticatedError(fault), request_id="r")
    assert failure is not None
    assert failure.challenge is not None
    assert failure.challenge.startswith('Bearer realm="doorward"')


def test_what_nobody_thought_of_is_a_defect() -> None:
    """Of which the caller learns the request's id alone."""
    assert failure_of(KeyError("s3cret"), request_id="r1") is None
    status = defect(request_id="r1").status()
    assert status.code is grpc.StatusCode.INTERNAL
    assert "r1" in status.details


@given(
    st.lists(
        st.builds(Violation, st.sampled_from(["app.labels", "app.spec.operator_paths"]), st.text()),
        min_size=1,
        max_size=40,
    )
    | st.lists(st.just(Violation("app.labels", "ü\n" * 3000)), min_size=1, max_size=40)
)
def test_errors_fit_into_the_trailers(violations: list[Violation]) -> None:
    """However much is wrong: the text, escaped, and the details, in base64."""
    failure = failure_of(InvalidFieldsError(tuple(violations)), request_id="r")
    assert failure is not None
    status = failure.status()
    ((_, details),) = status.trailing_metadata
    assert isinstance(details, bytes)
    escaped = 3 * len(status.details.encode())
    assert escaped + len(details) * 4 / 3 < TRAILER_BYTES
    sent = Status.FromString(details)
    info, bad = ErrorInfo(), BadRequest()
    assert sent.details[0].Unpack(info)
    assert sent.details[1].Unpack(bad)
    assert info.metadata["field"] == violations[0].field
    assert len(bad.field_violations) == min(len(violations), 16)


@given(st.text(max_size=80))
def test_a_request_id_never_holds_a_secret_or_a_line_end(text: str) -> None:
    """What is kept of it is plain; one that was sent twice is not kept at all."""
    kept = request_id_of(((REQUEST_ID_KEY, text),))
    assert kept.isascii()
    assert kept.isprintable()
    assert "_" not in kept
    assert " " not in kept
    assert request_id_of(((REQUEST_ID_KEY, "a"), (REQUEST_ID_KEY, "a"))) != "a"


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (enums.ROLES, Role),
        (enums.ACCESSES, Access),
        (enums.APP_STATES, AppState),
        (enums.LOG_STREAMS, LogStream),
        (enums.ENFORCEMENTS, Enforcement),
    ],
)
def test_every_value_of_an_enum_has_its_counterpart(table: enums.EnumTable[int, Any], names: Any) -> None:
    """Both ways, and of the same name."""
    for name, number in names.items():
        if number:
            value = table.parse(number)
            assert table.message(value) == number
            assert name.endswith(value.name)

"""The OpenAPI document, and the REST API held against it: schemathesis asks, through the real Envoy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from doorward_server import gateway
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.real_stack import RealStack
from tests.e2e.support.stack import API_HOST, FakeStack

PATH: Final = "/openapi.json"
DOCUMENT: Final = Path(gateway.__file__).parent / "openapi.json"
STREAMS: Final = ["watchApp", "readAppLogs"]
"""These need not end, so nobody waits for what they answer."""
NOT_CHECKED: Final = [
    # The comments of the protos state limits that a schema does not, such as which regions there are.
    positive_data_acceptance,
    # Protobuf's JSON is read in more ways than a schema says: null, numbers in quotes. What is refused all
    # the same has tests of its own.
    negative_data_rejection,
    # The gateway looks at the form of a request before the api looks at the credential,
    missing_required_header,
    # and answers 404 to a method that a path does not have, as to a path that there is not.
    unsupported_method,
]

documented = schemathesis.openapi.from_path(DOCUMENT).exclude(operation_id=STREAMS)


@pytest.fixture(scope="module")
def objects(stack: RealStack) -> "Objects":
    """What the calls are about."""
    return Objects(stack)


class Objects:
    """An app and a token that exist, and are made again when a call has deleted them."""

    def __init__(self, stack: RealStack) -> None:
        self._stack = stack
        self._paths: dict[str, str] = {}

    def fill(self, case: Case[Any]) -> None:
        """Let the path of a call name what exists."""
        for name, value in self._existing():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = value

    def _existing(self) -> Iterator[tuple[str, str]]:
        for name, collection, body in _BODIES:
            path = self._paths.get(name)
            if path is None or self._gone(path):
                made = self._stack.call("POST", collection, body)
                path = self._paths[name] = f"{collection}/{made.get('token', made)[name]}"
            yield name, path.rpartition("/")[2]

    def _gone(self, path: str) -> bool:
        credential = {"Authorization": f"Bearer {self._stack.platform.admin_token}"}
        answer = exchange(self._stack.address, "GET", path, host=API_HOST, headers=credential)
        return answer.status == 404 or json.loads(answer.body).get("status", {}).get("state") == _DELETING


_DELETING: Final = "APP_STATE_DELETING"
_BODIES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "appId",
        "/v1/apps",
        {"displayName": "documented", "region": "GRA", "spec": {"external": {"address": "127.0.0.1:9"}}},
    ),
    (
        "tokenId",
        "/v1/tokens",
        {"displayName": "documented", "role": "ROLE_READ_ONLY", "region": "GRA", "labelSelector": "a=b"},
    ),
)


def call(case: Case[Any], stack: RealStack) -> None:
    """Make the call, and compare the answer with the document."""
    host, port = stack.address
    case.call_and_validate(
        base_url=f"http://{host}:{port}",
        headers={"Authorization": f"Bearer {stack.platform.admin_token}"},
        excluded_checks=NOT_CHECKED,
    )


@documented.parametrize()
@settings(max_examples=15, deadline=None)
def test_the_api_is_as_documented(case: Case[Any], stack: RealStack) -> None:
    """Whatever is asked, the answer has a status, a type, headers and a form that the document names."""
    call(case, stack)


@documented.include(path_regex="Id}").parametrize()
@settings(max_examples=15, deadline=None)
def test_what_exists_is_as_documented(case: Case[Any], stack: RealStack, objects: Objects) -> None:
    """The same of calls about an app and a token that there are."""
    objects.fill(case)
    call(case, stack)


def test_anybody_may_read_the_document(glass: FakeStack) -> None:
    """It is served whole, as JSON, without a credential."""
    answer = exchange(glass.address, "GET", PATH, host=API_HOST)
    assert answer.status == 200
    assert answer.all("content-type") == ["application/json"]
    assert json.loads(answer.body) == json.loads(DOCUMENT.read_text("utf-8"))


def test_header_names_that_grpc_does_not_have_are_dropped(glass: FakeStack) -> None:
    """A REST request with such a header is answered as if it were not there, and not with 500."""
    odd = [("x$", "1"), ("a'b", "2"), ("x-fine_1.0", "3")]
    assert exchange(glass.address, "GET", "/v1/apps", host=API_HOST, headers=odd).status == 200
    metadata = glass.api.calls[-1].metadata
    assert metadata["x-fine_1.0"] == "3"
    assert not {"x$", "a'b"} & metadata.keys()

"""Envoy's way to an api that serves TLS."""

from pathlib import Path

import grpc

from doorward_server.gateway.config import PinnedCertificate
from tests.e2e.support.fake_api import FakeApi
from tests.e2e.support.raw_http import exchange
from tests.e2e.support.stack import API_HOST, fake_stack
from tests.support.certificates import Certificate, self_signed


def status_of_an_api_with(served: Certificate, pinned: Certificate, folder: Path) -> tuple[int, int]:
    """The status of a REST call, and how many calls reached the api."""
    credentials = grpc.ssl_server_credentials([(served.private_key, served.certificate)])

    def api(path: Path) -> FakeApi:
        return FakeApi(path, credentials=credentials)

    certificate, _ = pinned.write(folder)
    with fake_stack(api=api, api_certificate=PinnedCertificate.from_file(certificate)) as stack:
        answer = exchange(stack.address, "GET", "/v1/apps", host=API_HOST)
        return answer.status, len(stack.api.calls)


def test_the_api_is_known_by_its_certificate(tmp_path: Path) -> None:
    """The certificate that was pinned is accepted, whoever signed it."""
    certificate = self_signed("api.internal")
    assert status_of_an_api_with(certificate, certificate, tmp_path) == (200, 1)


def test_another_certificate_of_the_same_name_is_not_the_api(tmp_path: Path) -> None:
    """Nothing is sent to a server that presents any other certificate."""
    assert status_of_an_api_with(self_signed("api.internal"), self_signed("api.internal"), tmp_path) == (
        503,
        0,
    )

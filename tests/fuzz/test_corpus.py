"""The committed corpus, replayed on every machine, with and without atheris."""

from pathlib import Path

import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

from doorward_server.domain.credentials import holds_secret
from tests.fuzz.corpus import CORPUS, NAMES, inputs
from tests.fuzz.seeds import SEEDS
from tests.fuzz.stand_ins import filled_in
from tests.fuzz.targets import TARGETS
from tests.fuzz.wire import UnreadableError, WireRequest, read_check_request
from tests.fuzz.world import FRESH

ALL = [(name, path) for name in NAMES for path in inputs(name)]


def test_every_target_has_a_corpus() -> None:
    """No folder lacks a target, and no target a folder."""
    assert sorted(TARGETS) == sorted(NAMES) == sorted(path.name for path in CORPUS.iterdir())


@pytest.mark.parametrize(("name", "path"), ALL, ids=[f"{name}/{path.name}" for name, path in ALL])
def test_an_input_passes(name: str, path: Path) -> None:
    """What was once thought of, or found, is right now."""
    TARGETS[name].check(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_tells_a_planted_bug(name: str) -> None:
    """At least one input fails when the target has a bug, so that the replay means something."""
    with pytest.raises(AssertionError):  # noqa: PT012 - whichever it is
        for path in inputs(name):
            TARGETS[name].planted(path.read_bytes())


@pytest.mark.parametrize("path", inputs("requests"), ids=lambda path: path.name)
def test_a_request_is_answered_as_its_name_says(path: Path) -> None:
    """The corpus holds requests that are allowed in every way, without which a denial would prove nothing."""
    response = CheckResponse.FromString(FRESH(filled_in(path.read_bytes())))
    assert path.name.startswith("allowed-" if response.HasField("ok_response") else "denied-")


@pytest.mark.parametrize(
    "path",
    [path for path in inputs("requests") if path.name != "denied-cut-short"],
    ids=lambda path: path.name,
)
def test_the_oracle_reads_requests_as_protobuf_does(path: Path) -> None:
    """The reader that needs no library agrees with it about what is whole."""
    payload = filled_in(path.read_bytes())
    attributes = CheckRequest.FromString(payload).attributes
    http = attributes.request.http
    listed = [(each.key, each.raw_value or each.value.encode()) for each in http.header_map.headers]
    assert read_check_request(payload) == WireRequest(
        method=http.method,
        host=http.host,
        path=http.path,
        headers=listed or [(name, value.encode()) for name, value in http.headers.items()],
        route=dict(attributes.context_extensions),
    )


def test_the_oracle_reads_nothing_broken() -> None:
    """What is cut short is no request to it either."""
    with pytest.raises(UnreadableError):
        read_check_request(filled_in((CORPUS / "requests" / "denied-cut-short").read_bytes()))


@pytest.mark.parametrize("target", SEEDS)
def test_the_seeds_are_committed(target: str) -> None:
    """`--seed-corpus` changes nothing: what it writes is there."""
    for name, data in SEEDS[target].items():
        assert (CORPUS / target / name).read_bytes() == data, name


def test_no_secret_is_committed() -> None:
    """Secrets are named by stand-ins alone: nothing in the corpus has the form of one."""
    for _, path in ALL:
        assert not holds_secret(path.read_bytes()), path.name

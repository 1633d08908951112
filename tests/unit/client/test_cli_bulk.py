"""Deleting many apps or tokens: which, how that is confirmed, and what is said of each."""

import json
from datetime import timedelta
from typing import Any

import grpc
import pytest

from doorward._conversions import timestamp
from doorward.v1.app_pb2 import AppState
from doorward.v1.role_pb2 import Role
from doorward.v1.token_pb2 import Token
from tests.unit.client.cli import Doorward
from tests.unit.client.fake_api import ADMIN_ID, FakeApi
from tests.unit.client.terminal import at_a_terminal, piped

SELECT = ("apps", "delete", "--selector", "group=A")
NOBODY = "3f0c1c9e-5d1f-4f3e-9d53-0a1e0f6f2b11"


@pytest.fixture
def app_ids(doorward_cli: Doorward) -> list[str]:
    """Three apps."""
    create = ("apps", "create", "hello", "--region", "GRA", "--external", "a:1", "-q")
    return [doorward_cli(*create).lines()[0] for _ in range(3)]


def deleted(api: FakeApi, rpc: str = "DeleteApp") -> list[Any]:
    """Return the requests of all calls that delete."""
    return [call.request for call in api.state.seen[rpc]]


def test_a_person_types_the_number(
    api: FakeApi, doorward_cli: Doorward, app_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would go is shown, and goes when its number is typed, if it has not changed since."""
    ended = at_a_terminal(monkeypatch, doorward_cli, "3\n", *SELECT, "--region", "GRA", "--state", "queued")
    assert ended.code == 0
    assert all(app_id in ended.err for app_id in app_ids)
    assert "Type 3 to delete 3 apps: " in ended.err
    assert ended.out.splitlines() == [f"app {app_id} deleted" for app_id in app_ids]
    assert [(request.app_id, request.etag) for request in deleted(api)] == [(each, "1") for each in app_ids]
    listed: Any = api.seen("ListApps").request
    assert (listed.label_selector, listed.region, len(listed.states)) == ("group=A", "GRA", 1)


@pytest.mark.parametrize("typed", ["\n", "y\n", "yes\n", "2\n", "33\n"])
def test_a_person_who_types_something_else(
    api: FakeApi,
    doorward_cli: Doorward,
    app_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
) -> None:
    """Nothing but the number is a yes."""
    ended = at_a_terminal(monkeypatch, doorward_cli, typed, *SELECT)
    assert (ended.code, ended.out, deleted(api)) == (1, "", [])
    assert ended.err.splitlines()[-1].endswith("nothing was changed")


def test_a_program_says_how_many(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """A program has to know how many there are; when it is wrong nothing goes."""
    for options in ([], ["--yes"]):
        ended = doorward_cli(*SELECT, *options)
        assert (ended.code, ended.out) == (2, "")
        assert "give --expect N" in ended.err
    ended = doorward_cli(*SELECT, "--expect", "2")
    assert (ended.code, ended.err) == (6, "error: found 3 apps, and not 2: nothing was deleted\n")
    assert deleted(api) == []
    assert doorward_cli(*SELECT, "--expect", "3", "-o", "name").lines() == [
        f"apps/{each}" for each in app_ids
    ]
    assert doorward_cli(*SELECT, "--expect", "0").code == 0


def test_what_is_going_already(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """An app that is being deleted is not counted again."""
    api.state.apps[app_ids[0]].status.state = AppState.APP_STATE_DELETING
    assert doorward_cli(*SELECT, "--expect", "2", "-o", "id").lines() == app_ids[1:]


def test_nothing_matches(api: FakeApi, doorward_cli: Doorward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing matches there is nothing to ask."""
    ended = at_a_terminal(monkeypatch, doorward_cli, "", *SELECT)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith("no apps match: nothing to do\n")
    assert doorward_cli(*SELECT, "--expect", "1").code == 6


def test_some_fail(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """Each has its line, those that fail have theirs, and the last line has the count."""
    code, reason = grpc.StatusCode.ABORTED, "ERROR_REASON_ETAG_MISMATCH"
    api.fail("DeleteApp", code, "it has changed since", reason=reason)
    ended = doorward_cli(*SELECT, "--expect", "3")
    assert (ended.code, ended.out.count(" deleted\n")) == (6, 2)
    assert ended.err.splitlines() == [
        f"error: app {app_ids[0]}: it has changed since",
        "error: 2 of 3 apps deleted",
    ]


def test_a_report_for_programs(api: FakeApi, doorward_cli: Doorward, app_ids: list[str]) -> None:
    """A program gets what came of each: deleted, why not, or not tried."""
    unavailable = grpc.StatusCode.UNAVAILABLE
    api.fail("DeleteApp", grpc.StatusCode.PERMISSION_DENIED, "not yours", reason="ERROR_REASON_ROLE_TOO_LOW")
    ended = doorward_cli("apps", "delete", *app_ids[:2], "-o", "json")
    reports = ended.noting(f"error: app {app_ids[0]}: not yours", "error: 1 of 2 apps deleted")
    assert ended.code == 4
    first, second = json.loads(reports.out)
    assert first == {"name": f"apps/{app_ids[0]}", "deleted": False, "error": "not yours"}
    assert (second["name"], second["deleted"]) == (f"apps/{app_ids[1]}", True)
    assert second["policyUpdate"]["enforcement"] == "ENFORCEMENT_EVERYWHERE"
    api.fail("DeleteApp", unavailable, "away", reason="ERROR_REASON_UNAVAILABLE", times=5)
    ended = doorward_cli("apps", "delete", app_ids[0], app_ids[2], "-o", "json")
    assert ended.code == 7
    assert json.loads(ended.out)[1]["error"] == "not tried"
    assert app_ids[2] in api.state.apps


def test_an_interrupted_delete(
    api: FakeApi, doorward_cli: Doorward, app_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is interrupted still learns what is gone."""

    def interrupt(_update: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("doorward.cli._bulk.warn_of_gap", interrupt)  # what follows the first answer
    ended = doorward_cli("apps", "delete", *app_ids, "-o", "json")
    assert (ended.code, [each["deleted"] for each in json.loads(ended.out)]) == (130, [True, False, False])


def test_ids_that_are_given(
    api: FakeApi, doorward_cli: Doorward, app_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is asked once about ids that are given, and a program is not asked."""
    ended = at_a_terminal(monkeypatch, doorward_cli, "n\n", "apps", "delete", *app_ids)
    assert (ended.code, deleted(api)) == (1, [])
    assert ended.err.startswith("Delete these 3 apps? [y/N]: ")
    assert doorward_cli("apps", "delete", *app_ids[:2]).code == 0
    assert list(api.state.apps) == app_ids[2:]


def test_ids_in_a_pipe(
    api: FakeApi, doorward_cli: Doorward, app_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids on standard input leave nobody to ask, so that --yes or the number is needed."""
    text = "".join(f"apps/{app_id}\n" for app_id in app_ids)
    ended = piped(monkeypatch, doorward_cli, text, "apps", "delete", "-")
    assert (ended.code, deleted(api)) == (2, [])
    assert piped(monkeypatch, doorward_cli, text, "apps", "delete", "-", "--expect", "2").code == 6
    assert deleted(api) == []
    assert piped(monkeypatch, doorward_cli, text, "apps", "delete", "-", "--yes").code == 0
    assert api.state.apps == {}
    assert piped(monkeypatch, doorward_cli, "", "apps", "delete", "-").code == 0
    assert piped(monkeypatch, doorward_cli, "", "apps", "delete", "-", "--expect", "1").code == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ("apps", "delete"),
        ("apps", "delete", NOBODY, "--selector", "a"),
        ("apps", "delete", NOBODY, "--region", "GRA"),
        ("apps", "delete", "--state", "failed"),
        ("tokens", "delete"),
        ("tokens", "delete", "1B2m9cQk0XyZ", "--expired"),
    ],
)
def test_wrong_usage(api: FakeApi, doorward_cli: Doorward, arguments: tuple[str, ...]) -> None:
    """What could mean everything, or two things, means nothing."""
    assert doorward_cli(*arguments).code == 2
    assert not any(api.state.seen.values())


@pytest.fixture
def tokens(api: FakeApi) -> None:
    """Tokens of all kinds, and the one in use."""
    day = timedelta(days=1)
    old = timestamp(-400 * day)
    for token_id, name, role, region in (
        (ADMIN_ID, "me", Role.ROLE_ADMIN, ""),
        ("expiredtoken", "ci", Role.ROLE_READ_ONLY, "GRA"),
        ("unusedtoken1", "ci", Role.ROLE_OPERATOR, "SBG"),
        ("usedtoken123", "web", Role.ROLE_READ_ONLY, "GRA"),
        ("newtoken1234", "new", Role.ROLE_READ_ONLY, "GRA"),
    ):
        token = Token(token_id=token_id, display_name=name, role=role, region=region, etag="7")
        token.create_time.CopyFrom(timestamp(-day) if name == "new" else old)
        if "expired" in token_id:
            token.expire_time.CopyFrom(timestamp(-day))
        if not token_id.startswith(("unused", "new")):
            token.last_used_time.CopyFrom(timestamp(-day))
        api.state.tokens[token_id] = token


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--expired",), ["expiredtoken"]),
        (("--unused-for", "90d"), ["unusedtoken1"]),
        (("--unused-for", "1h"), ["expiredtoken", "unusedtoken1", "usedtoken123", "newtoken1234"]),
        (("--name", "ci"), ["expiredtoken", "unusedtoken1"]),
        (("--name", "ci", "--region", "SBG"), ["unusedtoken1"]),
        (("--role", "read-only"), ["expiredtoken", "usedtoken123", "newtoken1234"]),
        (("--role", "admin"), []),
        (("--name", "c"), []),
    ],
)
def test_tokens_by_what_they_are(
    api: FakeApi, doorward_cli: Doorward, tokens: None, options: tuple[str, ...], found: list[str]
) -> None:
    """Tokens are found by name, role, region, expiry and disuse, never the one in use; a list finds alike."""
    listed = doorward_cli("tokens", "list", *options, "-o", "id").lines()
    assert [token_id for token_id in listed if token_id != ADMIN_ID] == found
    ended = doorward_cli("tokens", "delete", *options, "--expect", str(len(found)), "-o", "id")
    assert (ended.code, ended.out.split()) == (0, found)
    assert [request.etag for request in deleted(api, "DeleteToken")] == ["7"] * len(found)
    assert ADMIN_ID in api.state.tokens
    if ADMIN_ID in listed:
        assert ended.err == f"the token in use, {ADMIN_ID}, stays\n"


def test_tokens_at_a_terminal(
    api: FakeApi, doorward_cli: Doorward, tokens: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees the tokens that would go, and types their number."""
    ended = at_a_terminal(monkeypatch, doorward_cli, "2\n", "tokens", "delete", "--name", "ci")
    assert ended.code == 0
    assert "expiredtoken" in ended.err
    assert ended.out.splitlines() == ["token expiredtoken deleted", "token unusedtoken1 deleted"]

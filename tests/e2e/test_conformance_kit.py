"""The conformance kit itself: it finds what is wrong, and can be pointed at a setup that it does not know."""

import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.conformance.__main__ import main, run
from tests.e2e.conformance.app import KitApp
from tests.e2e.conformance.examine import examine, latecomers, missing
from tests.e2e.conformance.page import render
from tests.e2e.conformance.setup_file import KEYS
from tests.e2e.conformance.table import CASES
from tests.e2e.conformance.target import APPS, HTTP2, OUTAGE, Target, TargetApp
from tests.e2e.conformance.template import fill, names_in
from tests.e2e.support.flawed_gateway import (
    AsksTheAppFirst,
    Breaks,
    FailsOpen,
    ForgetsUnderscores,
    Gateway,
    HandsOnTheToken,
    LetsEverybodyIn,
    LetsInDuringAnOutage,
    RemembersTheAnswer,
    flawed,
)
from tests.e2e.support.raw_http import exchange

ROOT = Path(__file__).resolve().parents[2]
BY_NAME = {case.name: case for case in CASES}

NO_CREDENTIAL = "credential/refused/none"
TWICE = "credential/refused/authorization-twice"
BEARER = "credential/accepted/bearer"
FORGED = "identity/forged/as-is"
UNDERSCORES = "identity/forged/underscores"
OUTAGE_CASE = "outage/without-a-token"
NOT_UTF_8 = "bearer/refused/not-utf-8"


@pytest.fixture
def apps() -> Iterator[dict[str, TargetApp]]:
    """The apps that a gateway has, without a public one."""
    with ExitStack() as opened:
        yield {
            role: TargetApp(host=f"{role}.apps.example", app=opened.enter_context(KitApp()))
            for role in APPS
            if role != "public"
        }


@pytest.fixture
def minted() -> dict[str, str]:
    """Secrets for it."""
    return {role: secrets.token_hex(20) for role in ("token", "operator", "stranger", "dead")}


def test_every_case_has_a_name_of_its_own() -> None:
    """A name finds one case, and every case has a rule and the source of it."""
    assert len(BY_NAME) == len(CASES)
    assert all(case.rule.endswith(".") and case.source for case in CASES)


def test_the_page_is_that_of_the_table() -> None:
    """docs/conformance.md is what `python -m tests.e2e.conformance` prints."""
    assert (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("name", [NO_CREDENTIAL, TWICE, BEARER, FORGED, UNDERSCORES, NOT_UTF_8, OUTAGE_CASE])
def test_nothing_is_found_where_nothing_is_wrong(
    apps: dict[str, TargetApp], minted: dict[str, str], name: str
) -> None:
    """The gateway without a flaw passes the cases that find the flaws of the others."""
    with flawed(Gateway, apps, minted) as target:
        assert examine(BY_NAME[name], target) == []


@pytest.mark.parametrize(
    ("flaw", "name", "finding"),
    [
        (LetsEverybodyIn, NO_CREDENTIAL, "answer 1 is 200 instead of 401"),
        (LetsEverybodyIn, NO_CREDENTIAL, "the app 'mine' saw 3 requests instead of 1"),
        (LetsEverybodyIn, NO_CREDENTIAL, "without a token is answered 200"),
        (LetsInDuringAnOutage, OUTAGE_CASE, "answer 1 is 200 instead of 503"),
        (LetsInDuringAnOutage, OUTAGE_CASE, "the app 'mine' saw 2 requests instead of 1"),
        (FailsOpen, NOT_UTF_8, "the app 'mine' saw 2 requests instead of 1"),
        (AsksTheAppFirst, NO_CREDENTIAL, "the app 'mine' saw 3 requests instead of 1"),
        (HandsOnTheToken, BEARER, "a secret in the header Authorization"),
        (ForgetsUnderscores, UNDERSCORES, "the identity headers ['x-who-role', 'x_who_role'] instead of"),
        (RemembersTheAnswer, BEARER, "without a token is answered 200"),
        (Breaks, TWICE, "afterwards, a request with the token is answered 401"),
    ],
)
def test_a_flaw_is_found(
    apps: dict[str, TargetApp], minted: dict[str, str], flaw: type[Gateway], name: str, finding: str
) -> None:
    """Each of the checks of a case fails for what it is there for, and tells no secret."""
    with flawed(flaw, apps, minted) as target:
        findings = examine(BY_NAME[name], target)
    assert any(finding in found for found in findings), findings
    assert not any(secret in found for found in findings for secret in minted.values())


def test_a_gateway_that_lets_everybody_in_passes_no_refusal(
    apps: dict[str, TargetApp], minted: dict[str, str]
) -> None:
    """Of all the cases in which nothing may reach an app, those without a credential in HTTP/1.1 all fail."""
    with flawed(LetsEverybodyIn, apps, minted) as target:
        refusals = [
            case
            for case in CASES
            if case.name.startswith("identity/forged-without-a-token/") and not missing(case, target)
        ]
        assert refusals
        assert [case.name for case in refusals if not examine(case, target)] == []


SETUP = """
gateway = "{gateway}"
identity-prefix = "X-Who"
http2 = false
[apps.mine]
host = "mine.apps.example"
listen = "127.0.0.1:0"
[apps.guarded]
host = "guarded.apps.example"
listen = "127.0.0.1:0"
[apps.other]
host = "other.apps.example"
listen = "127.0.0.1:0"
[secrets]
token.env = "KIT_TOKEN"
operator.env = "KIT_OPERATOR"
stranger.env = "KIT_STRANGER"
dead.env = "KIT_DEAD"
"""


@pytest.fixture
def in_environment(minted: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets, where a setup's file looks for them."""
    for role, secret in minted.items():
        monkeypatch.setenv(f"KIT_{role.upper()}", secret)


@pytest.mark.parametrize("find", [partial(examine, BY_NAME[NO_CREDENTIAL]), latecomers])
def test_what_comes_late_is_found(
    apps: dict[str, TargetApp], minted: dict[str, str], find: Callable[[Target], list[str]]
) -> None:
    """A request that reaches an app between two cases, or after the last one, is a finding."""
    with flawed(Gateway, apps, minted) as target:
        exchange(("127.0.0.1", apps["mine"].app.port), "GET", "/late", host="mine.apps.example")
        assert any("'GET /late'" in found for found in find(target))


@pytest.mark.usefixtures("in_environment")
def test_a_gateway_that_fails_open_fails_the_command(
    apps: dict[str, TargetApp], minted: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command says which cases failed, by what rule, and ends with 1. It shows no secret."""
    with flawed(LetsEverybodyIn, apps, minted) as target:
        assert run(target, only="credential/refused/re") == 1
    shown = capsys.readouterr().out
    assert "FAILED credential/refused/revoked: A revoked token opens nothing. (RFC 6750 §3.1)" in shown
    assert "    answer 1 is 200 instead of 401" in shown
    assert shown.endswith("0 passed, 1 failed, 0 left out\n")
    assert not any(secret in shown for secret in minted.values())


def test_what_a_setup_lacks_is_left_out(
    apps: dict[str, TargetApp], minted: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A case about what a setup does not have is named with what it needs, and has not passed."""
    with flawed(Gateway, apps, minted) as target:
        assert run(target, only="identity/a-public-app") == 1
        assert run(target, only="upgrade/revoked-websocket") == 1
    shown = capsys.readouterr().out.splitlines()
    assert "left out identity/a-public-app-with-a-token needs public" in shown
    assert "left out upgrade/revoked-websocket needs fleeting" in shown


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('gateway = "127.0.0.1:1"', "", "gateway is missing"),
        ('gateway = "127.0.0.1:1"', 'gateway = "localhost"', "'localhost' is no address: host:port"),
        ("http2 = false", "htpp2 = false", "there is no htpp2"),
        ("[apps.other]", "[apps.others]", "other is missing"),
        ('dead.env = "KIT_DEAD"', "", "dead is missing"),
        ("KIT_DEAD", "KIT_NOWHERE", "the environment has no KIT_NOWHERE, which holds a secret"),
        ("[secrets]", "[secrets", "(at line"),
    ],
)
def test_a_setup_that_is_not_whole_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, said: str
) -> None:
    """The command says what is wrong with the file, and ends with 2."""
    file = tmp_path / "setup.toml"
    whole = SETUP.format(gateway="127.0.0.1:1")
    assert before in whole
    file.write_text(whole.replace(before, after))
    assert main(["run", str(file)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("in_environment")
def test_a_setup_that_is_not_there_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway that cannot be reached passes nothing."""
    file = tmp_path / "setup.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    file.write_text(SETUP.format(gateway=f"127.0.0.1:{port}"))
    assert main(["run", str(file), "--only", BEARER]) == 1
    assert "ConnectionRefusedError" in capsys.readouterr().out


def test_without_a_command_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m tests.e2e.conformance` prints docs/conformance.md."""
    assert main([]) == 0
    assert capsys.readouterr().out == render()


def test_what_a_file_may_say_is_documented() -> None:
    """The how-to names every key of a setup's file, and every placeholder of the table."""
    page = (ROOT / "docs" / "how-to" / "conformance.md").read_text(encoding="utf-8")
    assert {key for key in KEYS if not re.search(rf"\b{key}\b", page)} == set()
    names = {name for case in CASES for name in case.exchange.needs()} - {HTTP2, OUTAGE}
    of_apps = {name for name in names if name.partition("-")[0] in APPS}
    assert {name for name in names - of_apps if f"<{name}>" not in page} == set()


def test_a_placeholder_that_nobody_fills_is_an_error() -> None:
    """A typing error in a template is no request with angle brackets in it."""
    with pytest.raises(KeyError):
        fill("<tokne>", {"token": "x"})
    assert fill("<times 2 <upper <token>>> <escaped a.>", {"token": "x"}) == "XX %61%2e"
    assert names_in("<times 2 <upper <token>>> <identity>-a") == {"token", "identity"}

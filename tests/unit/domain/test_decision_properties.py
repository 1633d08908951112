"""The decision against a naive oracle, over generated policies, tokens and hostile requests.

What a request means is drawn first, as plain facts; then it is spelled, in one of many ways. The oracle
sees the facts alone and follows the design's table; the decision sees the spelling alone.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward_server.domain.decision import Reason, Request, decide
from doorward_server.domain.hosts import split_app_host
from doorward_server.domain.presented import Malformed, find_credential
from doorward_server.domain.roles import Role
from tests.unit.domain.decision_oracle import (
    APP_IDS,
    BHS,
    GRA,
    NOW,
    SECRETS,
    AppFacts,
    RequestFacts,
    SessionFacts,
    TokenFacts,
    World,
    oracle,
)
from tests.unit.domain.policies import DOMAINS, SEALS, ListedPolicy

# --- facts

# Weighted, so that most requests come far enough for the last rules to decide.
OFTEN = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([False, False, False, False, False, True])
GROUPS = st.sampled_from(["A", "B"])
APPS = st.tuples(
    *(
        st.builds(
            AppFacts,
            app_id=st.just(app_id),
            region=st.sampled_from([GRA, GRA, BHS]),
            group=st.sampled_from(["A", "A", "B", None]),
            public=SELDOM,
            cors_preflight=st.booleans(),
            operator_segments=st.sampled_from([None, (), ("admin",), ("admin",), ("api", "keys")]),
            runs=OFTEN,
        )
        for app_id in APP_IDS[:3]
    )
)
TOKENS = st.lists(
    st.builds(
        TokenFacts,
        role=st.sampled_from(Role),
        region=st.sampled_from([GRA, GRA, BHS, None]),
        groups=st.just("all") | st.frozensets(GROUPS, min_size=1),
        seconds_left=st.sampled_from([None, None, None, 3600.0, 0.5, 0.0, -1.0]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
WORLDS = st.builds(World, APPS, TOKENS)


# --- spellings


@st.composite
def hosts(draw: st.DrawFn, world: World) -> tuple[int | None, str]:
    """An app's number, and a host that names it; or a host that names none."""
    number = draw(st.sampled_from([0, 0, 1, 1, 2, 2, 3]))  # one more than there are
    region = world.apps[number].region if number < len(world.apps) else GRA
    host = f"{APP_IDS[number]}.{DOMAINS[region]}"
    if draw(OFTEN):
        spelled = draw(st.sampled_from([host, host.upper(), host.title()]))
        return number, spelled + draw(st.sampled_from(["", ".", ":80", ":8080", ".:443"]))
    other = DOMAINS[BHS if region == GRA else GRA]
    hostile = [
        *(
            "",
            "localhost",
            APP_IDS[number],
            f"{APP_IDS[number]}.{other}",
            f"x.{host}",
            f"{host}.evil.example",
        ),
        *(f"{host},{host}", f"{host} ", f"{host}\0", f"user@{host}", f"{host}:", f"{host}/", f"{host}\n"),
        *(host.replace("-", "", 1), host.replace(".", "..", 1), host.replace("s", "\u017f"), f"[{host}]"),
    ]
    return None, draw(st.sampled_from(hostile) | st.text(max_size=20))


@st.composite
def credentials(
    draw: st.DrawFn,
) -> tuple[int | Literal["none", "malformed", "repeated"], list[bytes], list[bytes]]:
    """The secret that counts, and the two headers that say so."""
    number = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3]))  # the first is always a token's
    secret, other = SECRETS[number].encode(), SECRETS[(number + 1) % 4].encode()
    bearer, of_the_app = b"Bearer " + secret, b"Bearer the-apps-own"
    by_password = b"Basic " + b64encode(b"user:" + secret)
    kinds = [*["bearer", "header", "basic"] * 4, "none", "malformed", "repeated"]
    match draw(st.sampled_from(kinds)):
        case "none":
            foreign = [[], [of_the_app], [b"Basic " + b64encode(b"user:password")], [b"Digest x"], [b"\xff"]]
            return "none", draw(st.sampled_from(foreign)), []
        case "malformed":
            bad = draw(st.sampled_from([secret[:-1], b"dw_", secret + b"x", secret.swapcase()[3:], b"\xff"]))
            odd = [b"Bearer dw_" + bad, b"Bearer\t" + secret, secret, b"Basic " + b64encode(secret + b":x")]
            return "malformed", *draw(
                st.sampled_from([([], [bad]), *(([each], []) for each in odd), ([odd[0]], [secret])])
            )
        case "repeated":
            twice = [([bearer, bearer], []), ([of_the_app, bearer], []), ([], [secret, other])]
            return "repeated", *draw(st.sampled_from(twice))
        case "bearer":
            return number, [bearer], draw(st.sampled_from([[], [other]]))
        case "header":
            return number, draw(st.sampled_from([[], [of_the_app]])), [secret]
        case _:
            return number, [by_password], []


@st.composite
def sessions(
    draw: st.DrawFn, app: int | None
) -> tuple[SessionFacts | Literal["none", "repeated", "forged"], bytes | Malformed | None]:
    """A session, mostly with the app that is asked for, and its cookie."""
    facts = SessionFacts(
        token=draw(st.sampled_from([0, 0, 0, 1, 2])),
        app=draw(st.sampled_from([0 if app is None else app, 0 if app is None else app, 1])),
        generation=draw(st.sampled_from([1, 1, 1, 1, 2])),
        seconds_left=draw(st.sampled_from([1.0, 1.0, 1.0, 0.001, 0.0, -1.0])),
        ended=draw(SELDOM),
    )
    sealed = SEALS.seal(facts.session()).encode()
    at = draw(st.integers(0, len(sealed) - 1))
    other = b"A" if sealed[at : at + 1] != b"A" else b"B"
    match draw(st.sampled_from(["session"] * 6 + ["none", "repeated", "forged"])):
        case "none":
            return "none", None
        case "repeated":
            return "repeated", Malformed.REPEATED
        case "forged":
            changed = sealed[:at] + other + sealed[at + 1 :]
            return "forged", draw(
                st.sampled_from([b"", changed, sealed[:-1], sealed + b"=", b'"' + sealed + b'"'])
            )
        case _:
            return facts, sealed


@st.composite
def paths(draw: st.DrawFn) -> tuple[tuple[str, ...] | None, str]:
    """The segments of a path in its one reading, or None; and a request target."""
    query = draw(st.sampled_from(["", "?", "?x=1", "?/../admin", "?a=%2e%2e//;"]))
    words = st.sampled_from(["admin", "api", "keys", "x", "administrator", "models"])
    segments = tuple(draw(st.lists(words, max_size=4)))
    spelled = ["/".join(draw(spellings(segment)) for segment in segments)]
    if draw(OFTEN):
        tail = draw(st.sampled_from(["", "/"])) if segments else ""
        return segments, f"/{spelled[0]}{tail}{query}"
    tricks = [
        "//",
        "/./",
        "/../",
        "%2f",
        "/%2e%2e/",
        "\\",
        ";",
        "%00",
        "%25",
        "%",
        "\t",
        "\u00e9",
        "%c0%af",
        "#",
    ]
    at = draw(st.integers(0, len(spelled[0])))
    trick = draw(st.sampled_from(tricks))
    # A "%" in front of two hexadecimal digits would be an escape like any other.
    broken = trick + "zz" if trick == "%" else trick
    return None, f"/{spelled[0][:at]}/{broken}/{spelled[0][at:].lstrip('/')}{query}"


@st.composite
def spellings(draw: st.DrawFn, word: str) -> str:
    """A word with some letters escaped or in upper case: the same to some parser."""
    style = draw(st.lists(st.sampled_from("pPeE"), min_size=len(word), max_size=len(word)))
    written: dict[str, Callable[[str], str]] = {
        "p": str,
        "P": str.upper,
        "e": lambda c: f"%{ord(c):02x}",
        "E": lambda c: f"%{ord(c.upper()):02X}",
    }
    return "".join(written[how](letter) for how, letter in zip(style, word, strict=True))


@st.composite
def requests(draw: st.DrawFn, world: World) -> tuple[RequestFacts, Request]:
    """What a request means, and the request."""
    app, host = draw(hosts(world))
    credential, authorization, doorward_token = draw(credentials())
    parts = split_app_host(host)
    named = APP_IDS.index(parts[0]) if parts is not None and parts[0] in APP_IDS else None
    by_session, cookie = draw(sessions(app))
    segments, target = draw(paths())
    preflight = draw(st.booleans())
    by_route = draw(st.booleans())
    request = Request(
        host=draw(st.text(max_size=5)) if by_route and app is not None else host,
        path=target,
        secret=find_credential(authorization, doorward_token).secret,
        session=cookie,
        app_id=APP_IDS[app] if by_route and app is not None else None,
        cors_preflight=preflight,
    )
    counts = by_session if credential == "none" else credential
    return RequestFacts(app, named, counts, segments, preflight), request


SCENES = WORLDS.flatmap(lambda world: st.tuples(st.just(world), requests(world)))

slow = settings(suppress_health_check=[HealthCheck.too_slow])


@settings(slow, max_examples=500)
@given(scene=SCENES, fresh=st.booleans())
def test_the_decision_is_the_oracles(scene: tuple[World, tuple[RequestFacts, Request]], fresh: bool) -> None:
    """Every request gets the outcome of the design's table; above all, none is allowed that it denies."""
    world, (meant, request) = scene
    decision = decide(request, world.policy(), now=NOW, fresh=fresh)
    expected = oracle(world, meant, fresh=fresh)
    assert decision.reason.http_status == expected
    assert decision.allowed == (expected == 200)


@settings(slow)
@given(scene=SCENES)
def test_an_app_out_of_scope_answers_as_one_that_does_not_exist(
    scene: tuple[World, tuple[RequestFacts, Request]],
) -> None:
    """Whatever is presented, no difference in the status tells whether an app is there."""
    world, (meant, request) = scene
    policy = world.policy()
    decision = decide(request, policy, now=NOW, fresh=True)
    without = ListedPolicy([each for each in policy.apps if each is not decision.app], policy.tokens)
    unknown = decide(request, without, now=NOW, fresh=True)
    opened = decision.token is not None and decision.app is not None
    in_scope = opened and decision.reason not in (Reason.OUT_OF_REGION, Reason.OUT_OF_SCOPE)
    open_to_all = decision.app is not None and (
        decision.app.public
        or (decision.app.cors_preflight and meant.preflight and meant.credential == "none")
    )
    if not in_scope and not open_to_all:
        assert unknown.reason.http_status == decision.reason.http_status
        assert unknown.token == decision.token


@settings(slow)
@given(scene=SCENES)
def test_a_deleted_token_opens_nothing(scene: tuple[World, tuple[RequestFacts, Request]]) -> None:
    """Without the token that opened an app, the same request is an unknown token's."""
    world, (_, request) = scene
    policy = world.policy()
    decision = decide(request, policy, now=NOW, fresh=True)
    if decision.token is not None:
        left = ListedPolicy(policy.apps, [each for each in policy.tokens if each is not decision.token])
        expected = Reason.UNKNOWN_TOKEN if decision.session is None else Reason.EXPIRED_SESSION
        assert decide(request, left, now=NOW, fresh=True).reason is expected


@settings(slow)
@given(scene=SCENES)
def test_a_higher_role_loses_nothing(scene: tuple[World, tuple[RequestFacts, Request]]) -> None:
    """Whatever a token opens, it opens with every higher role too."""
    world, (_, request) = scene
    if decide(request, world.policy(), now=NOW, fresh=True).allowed:
        for role in Role:
            raised = tuple(replace(each, role=max(role, each.role)) for each in world.tokens)
            assert decide(request, World(world.apps, raised).policy(), now=NOW, fresh=True).allowed


@settings(slow)
@given(scene=SCENES, seconds=st.floats(0, 1e6))
def test_time_opens_nothing(scene: tuple[World, tuple[RequestFacts, Request]], seconds: float) -> None:
    """What is denied now is denied later, if nothing but the clock goes on."""
    world, (_, request) = scene
    if not decide(request, world.policy(), now=NOW, fresh=True).allowed:
        assert not decide(request, world.policy(), now=NOW + seconds, fresh=True).allowed

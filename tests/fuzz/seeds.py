"""The messages that the corpus began with, from which `--seed-corpus` writes them.

What fuzzing found since, and inputs that are text, stand in the corpus alone.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from envoy.service.auth.v3.external_auth_pb2 import CheckRequest

from doorward_server.policy.v1 import policy_pb2 as typed
from tests.fuzz.program_seeds import PROGRAMS
from tests.fuzz.stand_ins import (
    NAMES,
    basic_stand_in,
    ended_session_stand_in,
    mac_stand_in,
    session_stand_in,
    stand_in,
)
from tests.fuzz.targets.stream import write_messages
from tests.unit.domain.decision_oracle import APP_IDS, ENDED, LIVE, NOW, SECRETS

_READER, _OPERATOR, _EXPIRED, _STRANGER = map(stand_in, NAMES)
_HOSTS: Final = [
    f"{app_id}.app.{region}.localhost"
    for app_id, region in zip(APP_IDS, ("gra", "gra", "bhs", "gra", "gra", "gra"), strict=True)
]


def _request(app: int, *, path: str = "/", method: str = "GET", **headers: bytes) -> bytes:
    """A check on one of the apps. Of a header's name, `_` is written `-`."""
    return _http_request(
        {"method": method, "host": _HOSTS[app], "path": path},
        [(name.replace("_", "-"), value) for name, value in headers.items()],
    )


def _http_request(http: Mapping[str, Any], headers: Iterable[tuple[str, bytes]], **route: str) -> bytes:
    listed = [{"key": name, "raw_value": value} for name, value in headers]
    request = CheckRequest(
        attributes={
            "request": {"http": {"protocol": "HTTP/1.1", **http, "header_map": {"headers": listed}}},
            "context_extensions": route,
        }
    )
    return bytes(request.SerializeToString(deterministic=True))


def _cookie(name: str) -> bytes:
    return b"__Host-doorward=" + session_stand_in(name)


_BROKEN_ROUTE: Final = b"\x0a\x0f\x52\x0d\x0a\x06app_id\x12\x01x\x73\x74"
"""Context extensions whose entry has an empty group behind its key and value."""


def _requests() -> Mapping[str, bytes]:
    bearer = b"Bearer " + _READER
    preflight: dict[str, Any] = {"origin": b"https://x", "access_control_request_method": b"POST"}
    get = {"method": "GET", "host": "x", "path": "/"}
    joined = CheckRequest(
        attributes={
            "request": {"http": {**get, "host": _HOSTS[0], "headers": {"Authorization": bearer.decode()}}}
        }
    )
    return {
        "allowed-bearer": _request(0, authorization=bearer),
        "allowed-own-header": _request(0, path="/models?x=1", method="POST", doorward_token=_READER),
        "allowed-basic": _request(0, authorization=b"Basic " + basic_stand_in("READER")),
        "allowed-operator-path": _request(0, path="/admin/x", authorization=b"Bearer " + _OPERATOR),
        "allowed-other-region": _request(2, path="/api/v2", authorization=b"Bearer " + _OPERATOR),
        "allowed-any-path": _request(4, path="/..//admin%2f;\\", authorization=bearer),
        "allowed-public": _request(1, path="/../x"),
        "allowed-public-with-token": _request(1, authorization=bearer, cookie=b"a=1"),
        "allowed-public-with-hidden-token": _request(1, authorization=b"Digest " + _READER),
        "allowed-preflight": _request(0, method="OPTIONS", **preflight),
        "allowed-by-route": _http_request(get, [("authorization", bearer)], app_id=APP_IDS[0].upper()),
        "allowed-host-in-upper-case": _http_request(
            {**get, "host": _HOSTS[0].upper() + ".:8080"}, [("Authorization", bearer)]
        ),
        "allowed-joined-headers": bytes(joined.SerializeToString(deterministic=True)),
        "allowed-in-two-pieces": _request(0) + _http_request({}, [("authorization", bearer)]),
        # The library drops such an entry, so that the host decides.
        "allowed-public-beside-a-broken-route": _http_request({**get, "host": _HOSTS[1]}, []) + _BROKEN_ROUTE,
        "allowed-session": _request(0, cookie=_cookie("READER")),
        "allowed-session-among-others": _request(
            0, path="/x", cookie=b"a=1; " + _cookie("OPERATOR") + b"; b"
        ),
        "allowed-session-on-operator-path": _request(0, path="/admin", cookie=_cookie("OPERATOR")),
        "allowed-session-by-a-link": _request(
            0, cookie=_cookie("READER"), sec_fetch_site=b"cross-site", sec_fetch_mode=b"navigate"
        ),
        "allowed-session-from-its-own-page": _request(
            0, method="POST", cookie=_cookie("READER"), origin=b"http://" + _HOSTS[0].encode()
        ),
        "allowed-token-before-session": _request(0, authorization=bearer, cookie=_cookie("STRANGER")),
        "denied-session-of-another-page": _request(0, cookie=_cookie("READER"), sec_fetch_site=b"same-site"),
        "denied-session-of-another-origin": _request(
            0, method="POST", cookie=_cookie("READER"), origin=b"http://" + _HOSTS[1].encode()
        ),
        "denied-session-twice": _request(0, cookie=_cookie("READER") + b"; " + _cookie("READER")),
        "denied-session-with-another-app": _request(4, cookie=_cookie("READER")),
        "denied-session-expired": _request(0, cookie=_cookie("EXPIRED")),
        "denied-session-of-no-token": _request(0, cookie=_cookie("STRANGER")),
        "denied-session-ended": _request(
            0, cookie=b"__Host-doorward=" + ended_session_stand_in("READER"), sec_fetch_mode=b"navigate"
        ),
        "denied-session-forged": _request(0, cookie=b"__Host-doorward=1." + b"A" * 128),
        "denied-session-cut-short": _request(0, cookie=_cookie("READER")[:-1]),
        "denied-no-token": _request(0),
        "denied-browser": _request(0, path="/a?b=c", sec_fetch_mode=b"navigate"),
        "denied-browser-of-old": _request(0, accept=b"text/html,*/*"),
        "denied-token-in-the-query": _request(0, path=f"/?token={_READER.decode()}", accept=b"text/html"),
        "denied-expired": _request(0, authorization=b"Bearer " + _EXPIRED),
        "denied-stranger": _request(0, authorization=b"Bearer " + _STRANGER),
        "denied-malformed": _request(0, authorization=bearer[:-2]),
        "denied-hidden": _request(0, authorization=b"Bearer\t" + _READER),
        "denied-twice": _http_request(
            {**get, "host": _HOSTS[0]}, [("authorization", bearer), ("Authorization", bearer)]
        ),
        "denied-operator-path": _request(0, path="/admin", authorization=bearer),
        "allowed-escaped-path": _request(0, path="/mod%65ls/%C3%A9", authorization=bearer),
        "denied-operator-path-escaped": _request(0, path="/%61dm%49n/x", authorization=bearer),
        "denied-other-group": _request(5, authorization=bearer),
        "denied-operator-path-in-disguise": _request(0, path="/x/..%2f%61dmin", authorization=bearer),
        "denied-other-region": _request(2, authorization=bearer),
        "denied-not-running": _request(3, authorization=bearer),
        "denied-unknown-host": _http_request({**get, "host": "x"}, [("authorization", bearer)]),
        "denied-host-of-another-region": _http_request(
            {**get, "host": _HOSTS[0].replace("gra", "bhs")}, [("authorization", bearer)]
        ),
        "denied-wrong-route": _http_request(
            {**get, "host": _HOSTS[0]}, [("authorization", bearer)], app_id="unknown"
        ),
        "denied-preflight-without-origin": _request(0, method="OPTIONS"),
        "denied-no-method": _request(0, method="", authorization=bearer),
        "denied-other-headers-in-two-pieces": _request(4, authorization=bearer)
        + _http_request({}, [("authorization", b"Bearer " + _OPERATOR)]),
        "denied-cut-short": _request(0, authorization=bearer)[:-1],
        "denied-hostile-bytes": _request(0, authorization=b"\xff\x00Bearer", cookie=b"\xfe"),
        "denied-empty": b"",
    }


# Takes a dictionary for a message, of which the stubs know nothing.
policy_pb2: Any = typed


def _message(**fields: Any) -> typed.StreamPolicyResponse:
    message: typed.StreamPolicyResponse = policy_pb2.StreamPolicyResponse(**fields)
    return message


_APP: Final[typed.App] = policy_pb2.App(
    app_id=APP_IDS[0],
    region="GRA",
    labels={"group": "A"},
    operator_paths=["/admin"],
    upstream={"host": "127.0.0.1", "port": 1},
)
_PUBLIC: Final[typed.App] = policy_pb2.App(
    app_id=APP_IDS[1], region="GRA", public=True, upstream={"host": "::1", "port": 2}
)
_TOKEN: Final[typed.Token] = policy_pb2.Token(
    token_id=SECRETS[0].token_id,
    role="READ_ONLY",
    region="GRA",
    label_selector="group=A",
    generations=[{"generation": 1, "mac": mac_stand_in("READER")}],
)
_TOKEN_OF_ALL: Final[typed.Token] = policy_pb2.Token(
    token_id=SECRETS[1].token_id,
    role="OPERATOR",
    generations=[
        {"generation": 2, "mac": mac_stand_in("OPERATOR"), "expire_time": {"seconds": int(NOW) + 60}},
        {"generation": 1, "mac": mac_stand_in("STRANGER")},
    ],
)


def _welcome(*, policy_id: str = "policy-1", lease: int = 30) -> typed.StreamPolicyResponse:
    domains = {"GRA": "app.gra.localhost"}
    return _message(welcome={"policy_id": policy_id, "lease": {"seconds": lease}, "region_domains": domains})


def _whole(*, revision: int = 5) -> typed.StreamPolicyResponse:
    return _message(
        answered_sequence=1,
        revision=revision,
        snapshot={"apps": [_APP, _PUBLIC], "tokens": [_TOKEN, _TOKEN_OF_ALL], "last": True},
    )


def _changes(*changes: Mapping[str, Any], revision: int = 6) -> typed.StreamPolicyResponse:
    return _message(answered_sequence=2, revision=revision, changes={"changes": changes})


def _changed(message: Any, **fields: Any) -> Any:
    changed = type(message)()
    changed.CopyFrom(message)
    for name, value in fields.items():
        changed.ClearField(name)
        changed.MergeFrom(type(message)(**{name: value}))
    return changed


def _streams() -> Mapping[str, bytes]:
    begun = (_welcome(), _whole())
    first, last = _changed(_whole(), answered_sequence=0, revision=0), _whole()
    first.snapshot.last = False
    streams: Mapping[str, tuple[typed.StreamPolicyResponse, ...]] = {
        "snapshot": begun,
        "snapshot-in-parts": (_welcome(), first, last),
        "snapshot-unfinished": (_welcome(), first, _message(answered_sequence=1)),
        "changes-before-the-snapshot": (_welcome(), _changes({"app": _APP})),
        "changes-amid-the-snapshot": (_welcome(), first, _changes({"app": _APP}), last),
        "no-welcome": (_whole(), _changes({"token": _TOKEN})),
        "two-welcomes": (*begun, _welcome(), *begun),
        "token-deleted": (*begun, _changes({"deleted_token_id": SECRETS[0].token_id})),
        "session-ended": (*begun, _changes({"ended_session": {"session_id": LIVE}})),
        "session-ended-in-the-snapshot": (
            _welcome(),
            _changed(
                _whole(),
                snapshot={
                    "apps": [_APP, _PUBLIC],
                    "tokens": [_TOKEN],
                    "ended_sessions": [{"session_id": LIVE}, {"session_id": ENDED}],
                    "last": True,
                },
            ),
        ),
        "app-deleted": (*begun, _changes({"deleted_app_id": APP_IDS[0]})),
        "relabelled": (*begun, _changes({"app": _changed(_APP, labels={"group": "B"})})),
        "stopped": (*begun, _changes({"app": _changed(_APP, upstream=None)})),
        "no-longer-public": (*begun, _changes({"app": _changed(_PUBLIC, public=False)})),
        "everything-guarded": (*begun, _changes({"app": _changed(_APP, operator_paths=["/", "", "x"])})),
        "regenerated": (
            *begun,
            _changes({"token": _changed(_TOKEN, generations=[{"mac": mac_stand_in("STRANGER")}])}),
        ),
        "expired": (
            *begun,
            _changes(
                {
                    "token": _changed(
                        _TOKEN,
                        generations=[{"mac": mac_stand_in("READER"), "expire_time": {"seconds": int(NOW)}}],
                    )
                }
            ),
        ),
        "unknown-role": (*begun, _changes({"token": _changed(_TOKEN, role="OWNER")})),
        "short-mac": (*begun, _changes({"token": _changed(_TOKEN, generations=[{"mac": b"short"}])})),
        "bad-selector": (*begun, _changes({"token": _changed(_TOKEN, label_selector="group=A,")})),
        "good-then-bad": (
            *begun,
            _changes({"deleted_app_id": APP_IDS[0]}, {"token": _changed(_TOKEN, role="")}, {"app": _APP}),
        ),
        "unknown-change": (*begun, _changes({})),
        "revision-goes-back": (*begun, _changes({"app": _APP}, revision=4)),
        "negative-revision": (_welcome(), _whole(revision=-1)),
        "answer-to-what-was-never-sent": (_welcome(), _changed(_whole(), answered_sequence=2**62)),
        "answer-alone": (_welcome(), _message(answered_sequence=1)),
        "other-policy": (*begun, _message(), _welcome(policy_id="policy-2"), _changes({"app": _APP})),
        "policy-without-a-name": (_welcome(policy_id=""), _message(answered_sequence=1, revision=1)),
        "lease-for-ever": (_welcome(lease=0), _whole()),
        "lease-missing": (_message(welcome={"policy_id": "policy-1"}), _whole()),
        "lease-in-the-past": (_welcome(lease=-60), _whole()),
        "lease-of-a-second": (_welcome(lease=1), _whole(), _message(answered_sequence=2), _message()),
        "many-requirements": (
            *begun,
            _changes({"token": _changed(_TOKEN, label_selector="group in (A,B),!x,y notin (1),group!=C")}),
        ),
    }
    return {name: write_messages(messages) for name, messages in streams.items()} | {
        "cut-short": write_messages(begun)[:-1],
        "empty": b"",
    }


SEEDS: Final[Mapping[str, Mapping[str, bytes]]] = {
    "requests": _requests(),
    "programs": PROGRAMS,
    "stream": _streams(),
}
"""By target and by name."""


def write_seeds(corpus: Path) -> None:
    """Write them all, and leave what else is there."""
    for target, inputs in SEEDS.items():
        (corpus / target).mkdir(parents=True, exist_ok=True)
        for name, data in inputs.items():
            (corpus / target / name).write_bytes(data)

"""Checks from end to end: any bytes as a CheckRequest, by the handler, against the oracle of the decision."""

import random
from collections.abc import Callable
from typing import Final, Literal

from envoy.config.core.v3.base_pb2 import HeaderValue
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from google.protobuf.message import DecodeError

from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.paths import path_of
from doorward_server.domain.presented import AUTHORIZATION, DOORWARD_TOKEN
from tests.fuzz.mutation import MessageMutation
from tests.fuzz.stand_ins import (
    NAMES,
    WORDS,
    ended_session_stand_in,
    filled_in,
    session_facts,
    session_stand_in,
)
from tests.fuzz.target import MutateBytes, Target
from tests.fuzz.targets.cookies import pairs_of
from tests.fuzz.targets.credentials import KNOWN, credential_of, shows_secret
from tests.fuzz.targets.hosts import read_host
from tests.fuzz.wire import WireRequest, read_check_request
from tests.fuzz.world import FRESH, STALE, WORLD
from tests.unit.domain.decision_oracle import GRA, RequestFacts, SessionFacts, oracle
from tests.unit.domain.path_readings import reached
from tests.unit.domain.policies import DOMAINS

Handle = Callable[[bytes], bytes]
Credential = int | SessionFacts | Literal["none", "malformed", "repeated", "forged"]
_SESSIONS: Final = {
    filled_in(stand_in(name)): session_facts(number, ended=ended)
    for number, name in enumerate(NAMES)
    for stand_in, ended in ((session_stand_in, False), (ended_session_stand_in, True))
}


def check(data: bytes, *, handle: Handle = FRESH) -> None:
    """The answer can be read, tells no secret, and allows nothing that the oracle denies."""
    payload = filled_in(data)
    response = CheckResponse.FromString(handle(payload))
    allowed = response.HasField("ok_response")
    assert allowed != response.HasField("denied_response")
    assert allowed == (response.status.code == 0)
    if allowed:
        _check_allowed(response, payload)
    else:
        assert 300 <= response.denied_response.status.code <= 599
    # The page of the login is told where to lead back to, whatever is in that address.
    kept = [each for each in response.denied_response.headers if each.header.key != "location"]
    del response.denied_response.headers[:]
    response.denied_response.headers.extend(kept)
    told = response.SerializeToString()
    assert not any(secret in told for secret in KNOWN), "the answer tells a secret"
    assert CheckResponse.FromString(STALE(payload)).status.code != 0, "allowed without a lease"


def _check_allowed(response: CheckResponse, payload: bytes) -> None:
    request = read_check_request(payload)
    authorization, doorward_token = request.sent(AUTHORIZATION), request.sent(DOORWARD_TOKEN)
    number = _app_number(request)
    credential: Credential = credential_of(authorization, doorward_token)
    meant = RequestFacts(
        app=number,
        named=number,
        credential=_session_of(request) if credential == "none" else credential,
        segments=_segments(number, path_of(request.path)),
        preflight=bool(
            request.method == "OPTIONS"
            and request.sent("origin")
            and request.sent("access-control-request-method")
        ),
    )
    assert request.method
    assert oracle(WORLD, meant, fresh=True) == 200, "allowed what the oracle denies"
    assert number is not None
    app = WORLD.apps[number]
    facts = {name: value.string_value for name, value in response.dynamic_metadata.fields.items()}
    assert facts["app_id"] == app.app_id, "another app is reached than was authorized"
    assert (facts["upstream_host"], facts["upstream_port"]) == ("127.0.0.1", "1")
    removed, given = response.ok_response.headers_to_remove, response.ok_response.headers
    assert not {each.header.key for each in given} & set(removed), "set and removed"
    assert not response.ok_response.query_parameters_to_set
    for name, values in ((AUTHORIZATION, authorization), (DOORWARD_TOKEN, doorward_token)):
        assert name in removed or not any(map(shows_secret, values)), "the app would see a secret"


def _session_of(request: WireRequest) -> Credential:
    """The session that counts, by the documentation's words."""
    header = b"; ".join(request.sent("cookie"))
    ours = [value for name, value in pairs_of(header) if name == SESSION_COOKIE.encode()]
    site, mode, origin = (request.sent(f"{name}") for name in ("sec-fetch-site", "sec-fetch-mode", "origin"))
    link = request.method in ("GET", "HEAD") and mode == [b"navigate"]
    own_site = site in ([b"same-origin"], [b"none"])
    host = request.host.lower().encode()
    own_origin = not origin or (len(origin) == 1 and origin[0].lower().split(b"://", 1)[1:] == [host])
    if not ours or not (own_site or link if site else own_origin):
        return "none"
    if len(ours) > 1:
        return "repeated"
    return _SESSIONS.get(ours[0], "forged")


def _app_number(request: WireRequest) -> int | None:
    """The app that the route names, else the one of the host."""
    ids = [str(app.app_id) for app in WORLD.apps]
    if "app_id" in request.route:
        named = request.route["app_id"].lower()
        return ids.index(named) if named in ids else None
    read = read_host(request.host)
    if read is None or read[0] not in ids:
        return None
    number = ids.index(read[0])
    return number if DOMAINS[WORLD.apps[number].region] == read[1] else None


def _segments(app: int | None, path: str) -> tuple[str, ...] | None:
    """The segments of the app's operator path, if some parser reaches it."""
    operator = None if app is None else WORLD.apps[app].operator_segments
    if operator is None:
        return None
    return operator if f"/{'/'.join(operator)}" in reached(path) else ("elsewhere",)


_TEXTS: Final = (
    *WORDS,
    *(f"{app.app_id}.{DOMAINS[app.region]}".encode() for app in WORLD.apps),
    *(app.app_id.encode() for app in WORLD.apps),
    *(b"app_id", b"authorization", b"doorward-token", b"cookie", b"origin", b"access-control-request-method"),
    *(b"sec-fetch-site", b"same-origin", b"same-site", b"cross-site", b"none", b"https://"),
    *(SESSION_COOKIE.encode(), SESSION_COOKIE.encode() + b"=", b"; ", b"a=1"),
    *(b"sec-fetch-mode", b"navigate", b"accept", b"text/html", b"GET", b"OPTIONS", b"POST", b"HEAD"),
    *(
        b"Bearer ",
        b"Basic ",
        b"dw_",
        b"/admin",
        b"/api/v1",
        b"/",
        b"%2f",
        b"/../",
        b";",
        b"?",
        b":8080",
        b"@",
    ),
    *(b"\r\nx-doorward-role: ADMIN", b"x-doorward-app-id", b"\0", b"\xff", b"\xc5\xbf", b"%EF%BD%81", b","),
)


def mutate(data: bytes, longest: int, chance: random.Random, mutate_bytes: MutateBytes) -> bytes:
    """Mostly another message, of which some header, host or path is changed; now and then other bytes."""
    try:
        request = CheckRequest.FromString(data)
    except DecodeError:
        return mutate_bytes(data, longest)
    if chance.random() < 0.2:
        return mutate_bytes(data, longest)
    mutation = MessageMutation(chance, _TEXTS, mutate_bytes)
    for _ in range(chance.choice([1, 1, 2, 4])):
        http = request.attributes.request.http
        headers = http.header_map.headers
        match chance.choice(["http", "http", "header", "header", "new", "route", "any"]):
            case "new":
                headers.append(
                    HeaderValue(
                        key=chance.choice(_TEXTS).decode(errors="replace"), raw_value=chance.choice(_TEXTS)
                    )
                )
            case "header" if headers:
                mutation.change(chance.choice(headers))
            case "http":
                mutation.change(http)
            case "route":
                named = chance.choice(_TEXTS).decode(errors="replace")
                request.attributes.context_extensions["app_id"] = named
            case _:
                mutation.change(request)
    changed: bytes = request.SerializeToString()
    return changed if len(changed) <= longest else mutate_bytes(data, longest)


def _everything_allowed(payload: bytes) -> bytes:
    """The answer that opens an app, to whatever comes."""
    http = {"method": "GET", "host": f"{WORLD.apps[1].app_id}.{DOMAINS[GRA]}", "path": "/"}
    return FRESH(CheckRequest(attributes={"request": {"http": http}}).SerializeToString())


TARGET = Target(
    name="requests",
    check=check,
    planted=lambda data: check(data, handle=_everything_allowed),
    words=_TEXTS,
    mutate=mutate,
    max_length=4096,
)

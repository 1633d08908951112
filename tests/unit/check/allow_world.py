"""A policy of two apps and two tokens, sessions with them, and a replica that has it."""

import time
from collections.abc import Callable

from doorward_server.check.handler import CheckHandler
from doorward_server.check.index import PolicyIndex
from doorward_server.check.lease import Lease
from doorward_server.check.sessions import SessionRenewal
from doorward_server.check.uses import TokenUses
from doorward_server.domain.cookies import SESSION_COOKIE
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret, mint_token_id
from doorward_server.domain.ids import AppId, SessionId
from doorward_server.domain.sessions import Session, SessionSeals
from doorward_server.policy.v1 import policy_pb2

KEY = PlatformKey("key-1", b"k" * 32)
MACS, SEALS = KEY.token_macs(), SessionSeals(KEY.session_key())
DOMAINS = {"GRA": "app.gra.localhost", "BHS": "app.bhs.localhost"}
APP_IDS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(2))
SECRETS = tuple(mint_secret(mint_token_id()) for _ in range(2))
# Another secret of the first token: its next generation.
NEXT = mint_secret(SECRETS[0].token_id)

UPSTREAMS = (
    policy_pb2.Upstream(host="127.0.0.1", port=1),
    policy_pb2.Upstream(host="127.0.0.1", port=2),
    None,
)


def generation_of(secret: Secret, *, number: int, end: int | None) -> policy_pb2.Generation:
    """A generation of a token, with the MAC of its secret; *end* in seconds since 1970."""
    message = policy_pb2.Generation(generation=number, mac=MACS.mac(secret))
    if end is not None:
        message.expire_time.seconds = end
    return message


def ended_session(session: Session) -> policy_pb2.EndedSession:
    """What the stream says of a logout."""
    message = policy_pb2.EndedSession(session_id=session.session_id)
    message.expire_time.seconds = int(session.end)
    return message


def bearer(secret: Secret) -> tuple[str, bytes]:
    """The header of who has a token."""
    return "authorization", f"Bearer {secret.reveal()}".encode()


def _session(number: int, *, app_id: str, generation: int = 1, idle_end: float = 1_008.0) -> Session:
    """A session of the first token, by its number."""
    return Session(
        session_id=SessionId(f"11111111-0000-4000-8000-00000000000{number}"),
        token_id=SECRETS[0].token_id,
        generation=generation,
        app_id=AppId(app_id),
        idle_end=idle_end,
        end=1_016.0,
    )


SESSIONS = (
    _session(0, app_id=APP_IDS[0]),
    _session(1, app_id=APP_IDS[0], generation=2),
    _session(2, app_id=APP_IDS[0], idle_end=1_016.0),
    _session(3, app_id=APP_IDS[1]),
)


def cookie(session: Session) -> tuple[str, bytes]:
    """The header of who has a session, and a cookie of the app's own."""
    return "cookie", f"a=1; {SESSION_COOKIE}={SEALS.seal(session)}".encode()


def replica(
    *, end: int | None = None, now: Callable[[], float] = time.time
) -> tuple[PolicyIndex, CheckHandler, TokenUses]:
    """A handler whose first token, which ends at *end*, opens the first app."""
    index, uses, lease = PolicyIndex(MACS, SEALS, now=now), TokenUses(), Lease(lambda: 0.0)
    index.set_domains(DOMAINS)
    lease.renew(0.0, 0.0)
    index.put_app(policy_pb2.App(app_id=APP_IDS[0], region="GRA", upstream=UPSTREAMS[0]))
    index.put_token(
        policy_pb2.Token(
            token_id=SECRETS[0].token_id,
            role="READ_ONLY",
            generations=[
                generation_of(NEXT, number=2, end=None),
                generation_of(SECRETS[0], number=1, end=end),
            ],
        )
    )
    handler = CheckHandler(
        policy=index,
        lease=lease,
        uses=uses,
        login_enabled=False,
        renewal=SessionRenewal(SEALS, idle=8.0),
        now=now,
    )
    return index, handler, uses

"""What there is on the platform: a few apps, tokens that stay, and what is asked with them."""

import base64
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from doorward_server.domain.credentials import mint_secret, mint_token_id
from tests.chaos.operator import Operator
from tests.chaos.oracle import Holds, Right
from tests.e2e.support.platform import Platform

OPERATOR_PATH = "/manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A request that is sent again and again."""

    name: str
    host: str
    right: Right | None
    target: str = "/"
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)


def bearer(secret: str) -> tuple[tuple[str, str], ...]:
    """The header that presents a secret."""
    return (("Authorization", f"Bearer {secret}"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The apps' hosts, and who may open what for as long as the platform stands."""

    allowed: Sequence[Kind]
    """Requests that must pass, always."""
    forbidden: Sequence[Kind]
    """Requests that must not, ever."""
    group_a: str
    """The host of an app that every churned token opens."""
    wanderer_id: str
    """The app whose labels are changed to and fro."""
    wanderer: str
    """Its host."""
    member: str = field(repr=False)
    """The secret of a token for group A, which opens the wanderer while it is in that group."""

    def dealt(self, rng: Random) -> Iterator[Kind]:
        """Requests of every kind, each as often as any other, in an order that chance gives."""
        deck = [*self.allowed, *self.forbidden]
        while True:
            rng.shuffle(deck)
            yield from deck


async def set_scene(platform: Platform, port: int) -> Scene:
    """Make the apps, which are all at one port of this machine, and the tokens."""
    operator = Operator(platform)
    try:
        return await _set_scene(platform, operator, f"127.0.0.1:{port}")
    finally:
        operator.close()


async def _set_scene(platform: Platform, operator: Operator, address: str) -> Scene:
    domains = platform.endpoints.regions

    def host(app_id: str) -> str:
        return f"{app_id}.{domains['GRA']}"

    a_id = await operator.create_app("a", address, labels={"group": "A"}, operatorPaths=[OPERATOR_PATH])
    b_id = await operator.create_app("b", address, labels={"group": "B"})
    public_id = await operator.create_app("public", address, labels={}, access="ACCESS_PUBLIC")
    wanderer_id = await operator.create_app("wanderer", address, labels={"group": "Z"})
    a, b, public = host(a_id), host(b_id), host(public_id)

    _, member = await operator.create_token("member", labelSelector="group=A")
    _, manager = await operator.create_token("manager", labelSelector="group=A", role="ROLE_OPERATOR")
    _, everything = await operator.create_token("everything", allApps=True)
    _, elsewhere = await operator.create_token("elsewhere", allApps=True, region="BHS")
    gone_id, gone = await operator.create_token("gone", allApps=True)
    await operator.delete_token(gone_id)
    old_id, old = await operator.create_token("old", allApps=True)
    await operator.regenerate(old_id)

    always = Right("a token that stays")
    always.becomes(Holds.YES, at=0)
    basic = base64.b64encode(f"user:{member}".encode()).decode()
    unknown = mint_secret(mint_token_id()).reveal()
    return Scene(
        allowed=(
            Kind(name="its own app", host=a, right=always, headers=bearer(member)),
            Kind(name="by header", host=a, right=always, headers=(("Doorward-Token", member),)),
            Kind(name="by password", host=a, right=always, headers=(("Authorization", f"Basic {basic}"),)),
            Kind(name="every app", host=b, right=always, headers=bearer(everything)),
            Kind(name="operator's path", host=a, target=OPERATOR_PATH, right=always, headers=bearer(manager)),
            Kind(name="public app", host=public, right=always),
        ),
        forbidden=(
            Kind(name="no credential", host=a, right=None),
            Kind(name="app out of scope", host=b, right=None, headers=bearer(member)),
            Kind(name="token of another region", host=a, right=None, headers=bearer(elsewhere)),
            Kind(name="deleted token", host=a, right=None, headers=bearer(gone)),
            Kind(name="superseded secret", host=a, right=None, headers=bearer(old)),
            Kind(name="unknown token", host=a, right=None, headers=bearer(unknown)),
            Kind(name="typo", host=a, right=None, headers=bearer(member[:-1] + "!")),
            Kind(name="nonsense", host=a, right=None, headers=bearer("dw_nonsense")),
            Kind(name="role too low", host=a, target=OPERATOR_PATH, right=None, headers=bearer(member)),
            Kind(name="unknown app", host=host(str(uuid.uuid4())), right=None, headers=bearer(everything)),
            Kind(name="token twice", host=a, right=None, headers=(*bearer(member), *bearer(everything))),
        ),
        group_a=a,
        wanderer_id=wanderer_id,
        wanderer=host(wanderer_id),
        member=member,
    )

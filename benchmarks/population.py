"""A policy of any size, and who uses it: the tokens and apps that replicas are measured with.

There is one app for ten tokens, and a group of ten apps for a hundred tokens: each token selects the apps of
its group, among all. Entry by entry, so that a million of them never stand in memory here.
"""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.requests import Pair
from doorward_server.domain.credentials import PlatformKey, Secret, mint_secret
from doorward_server.domain.hosts import app_host
from doorward_server.domain.ids import AppId, RegionName, TokenId
from doorward_server.domain.policy import Address, LiveSecret, PolicyApp, PolicyToken
from doorward_server.domain.roles import Role
from doorward_server.domain.selectors import parse_selector

REGION: Final = RegionName("GRA")
DOMAIN: Final = "app.gra.localhost"

_FAR_FUTURE: Final = 4_102_444_800.0
"""The year 2100."""
_SPREAD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Odd, so that a multiple of it modulo 2 ** 128 is another one for every app."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    secret: Secret
    app: int


class Population:
    """*tokens* tokens; *in_load* of them are used, spread evenly over all, each with an app of its scope."""

    def __init__(self, tokens: int, *, in_load: int, key: PlatformKey, upstream: Address) -> None:
        self.tokens = tokens
        self.apps = tokens // 10
        self.groups = max(1, self.apps // 10)
        self._macs = key.token_macs()
        self._upstream = upstream
        a_group = self.apps // self.groups
        self._loaded = {}
        for turn in range(in_load):
            number = turn * tokens // in_load
            app = number % self.groups + self.groups * (turn % a_group)
            self._loaded[number] = _Loaded(mint_secret(_token_id(number)), app)

    def pairs(self) -> Iterator[Pair]:
        """Who opens what: each token in the load with its app."""
        for loaded in self._loaded.values():
            yield Pair(host=app_host(_app_id(loaded.app), DOMAIN), secret=loaded.secret.reveal())

    def app(self, number: int, *, team: str = "a") -> PolicyApp:
        """An app, as it is or after a change of a label that no selector asks for."""
        app_id = _app_id(number)
        return PolicyApp(
            app_id=app_id,
            region=REGION,
            labels={
                "group": f"g{number % self.groups}",
                "team": team,
                "ovh/id": app_id,
                "ovh/type": "app",
            },
            upstream=self._upstream,
        )

    def token(self, number: int) -> PolicyToken:
        """A token; one that is not in the load has another secret each time, as if regenerated."""
        loaded = self._loaded.get(number)
        return PolicyToken(
            token_id=_token_id(number),
            role=Role.READ_ONLY,
            region=REGION,
            selector=parse_selector(f"group=g{number % self.groups}"),
            secrets=(
                LiveSecret(
                    generation=1,
                    mac=secrets.token_bytes(32) if loaded is None else self._macs.mac(loaded.secret),
                    # Some expire, not in our time.
                    expire_time=None if number % 10 else _FAR_FUTURE,
                ),
            ),
        )

    def is_loaded(self, number: int) -> bool:
        """Whether the token is used: its secret must stay."""
        return number in self._loaded


def _app_id(number: int) -> AppId:
    return AppId(str(uuid.UUID(int=(number + 1) * _SPREAD % 2**128, version=4)))


def _token_id(number: int) -> TokenId:
    return TokenId(f"b{number:011}")

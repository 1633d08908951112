"""Tokens are made, regenerated and deleted, and an app's labels are changed, all the time."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from random import Random

from tests.chaos.operator import GoneError, Operator, UnknownOutcomeError
from tests.chaos.oracle import Holds, Right
from tests.chaos.scene import Kind, Scene, bearer

_SLOTS = 3
_REMEMBERED = 12
"""How many secrets are tried, most of them dead."""
_PAUSE = 0.02
"""Seconds between two calls, so that the API is busy and not swamped."""


@dataclass
class _Slot:
    """A place for one token after another."""

    token_id: str | None = None
    rights: list[Right] = field(default_factory=list)
    """Those of its secrets that may still work; after an unknown outcome it is more than one."""

    def become(self, holds: Holds) -> None:
        """Say of all its secrets what is known now."""
        for right in self.rights:
            right.becomes(holds, at=time.monotonic())


class Churn:
    """Does one thing after another, and notes what each does to what may be allowed."""

    def __init__(self, operator: Operator, scene: Scene, rng: Random) -> None:
        self.done = 0
        """How many calls have succeeded."""
        self.unknown: deque[str] = deque(maxlen=20)
        """The last calls of which nobody knows whether they did."""
        self._operator = operator
        self._scene = scene
        self._rng = rng
        self._slots = [_Slot() for _ in range(_SLOTS)]
        self._kinds: deque[Kind] = deque(maxlen=_REMEMBERED)
        self._wandering = Right("the app's being in the group")
        # A platform that was under load before may have left it in the group.
        self._wandering.becomes(Holds.MAYBE, at=0)
        self._inside = True

    @property
    def known(self) -> list[str]:
        """The tokens that are there, as far as callers were told."""
        now = time.monotonic()
        return [
            slot.token_id
            for slot in self._slots
            if slot.token_id is not None
            and any(right.during(now, now) == {Holds.YES} for right in slot.rights)
        ]

    def any_of(self, rng: Random) -> Kind:
        """A request with a secret that works or does not any more, or to the app that wanders."""
        if not self._kinds or rng.random() < 0.2:
            scene = self._scene
            return Kind(
                name="wandering app",
                host=scene.wanderer,
                right=self._wandering,
                headers=bearer(scene.member),
            )
        newest = list(self._kinds)[-_SLOTS:]
        return rng.choice(newest if rng.random() < 0.5 else self._kinds)

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until *stop*."""
        while not stop.is_set():
            try:
                await self._step()
                self.done += 1
            except (UnknownOutcomeError, GoneError) as error:
                self.unknown.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(_PAUSE)

    async def _step(self) -> None:
        if self._rng.random() < 0.25:
            await self._wander()
            return
        slot = self._rng.choice(self._slots)
        if slot.token_id is None:
            asked = time.monotonic()
            slot.token_id, secret = await self._operator.create_token("churned", labelSelector="group=A")
            self._learn(slot, secret, asked)
        elif self._rng.random() < 0.4:
            slot.become(Holds.MAYBE)
            await self._operator.delete_token(slot.token_id)
            slot.become(Holds.NO)
            slot.token_id, slot.rights = None, []
        else:
            slot.become(Holds.MAYBE)
            asked = time.monotonic()
            secret = await self._operator.regenerate(slot.token_id)
            slot.become(Holds.NO)
            slot.rights = []
            self._learn(slot, secret, asked)

    def _learn(self, slot: _Slot, secret: str, asked: float) -> None:
        right = Right(f"a secret of token {slot.token_id}")
        right.becomes(Holds.MAYBE, at=asked)
        right.becomes(Holds.YES, at=time.monotonic())
        slot.rights.append(right)
        host = self._scene.group_a
        self._kinds.append(Kind(name="churned token", host=host, right=right, headers=bearer(secret)))

    async def _wander(self) -> None:
        """Change the labels, unless somebody did since: a call that seemed lost could do it late."""
        app_id, inside = self._scene.wanderer_id, not self._inside
        etag = await self._operator.app_etag(app_id)
        self._wandering.becomes(Holds.MAYBE, at=time.monotonic())
        await self._operator.label_app(app_id, {"group": "A" if inside else "Z"}, etag=etag)
        self._wandering.becomes(Holds.YES if inside else Holds.NO, at=time.monotonic())
        self._inside = inside

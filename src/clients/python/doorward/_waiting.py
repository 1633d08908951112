"""Waiting until an app is in a state: what there is to see in each status, and when to stop looking."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from doorward._conversions import short_name
from doorward._described import Streaming
from doorward._errors import one_line
from doorward._exceptions import AppGaveUp, DeadlineExceeded, DoorwardError, Unavailable
from doorward._retries import LEAST_SECONDS
from doorward.v1.app_pb2 import AppState, AppStatus
from doorward.v1.app_service_pb2 import WatchAppResponse

if TYPE_CHECKING:
    from doorward._async_calls import AsyncCalls
    from doorward._calls import Calls

_GIVEN_UP = frozenset({AppState.APP_STATE_FAILED, AppState.APP_STATE_ERROR, AppState.APP_STATE_DELETING})
_RECONNECT_SECONDS = 0.5


class Waiting:
    """An operation that ends with the status of an app that is in the state."""

    def __init__(
        self,
        *,
        app_id: str,
        wanted: AppState.ValueType,
        limit: float,
        watch: Callable[[float], Streaming[WatchAppResponse]],
        on_status: Callable[[AppStatus], None] | None,
    ) -> None:
        """Wait for *wanted*, at most *limit* seconds; *watch* describes the call, for those that are left."""
        self._app_id = app_id
        self._wanted = wanted
        self._deadline = time.monotonic() + limit
        self._watch = watch
        self._on_status = on_status
        self._last = AppStatus()
        self._unavailable: Unavailable | None = None
        """Why no newer status is known."""

    def run(self, calls: "Calls") -> AppStatus:
        """Wait, and return the status. Raises `AppGaveUp` and `DeadlineExceeded`, among others."""
        while True:
            try:
                with calls.stream(self._watch(self._left())) as answers:
                    for answer in answers:
                        if self._is_reached(answer.status):
                            return answer.status
                raise self._gone()
            except DoorwardError as error:
                pause = self._pause_after(error)
            time.sleep(pause)

    async def run_async(self, calls: "AsyncCalls") -> AppStatus:
        """Wait, and return the status. Raises `AppGaveUp` and `DeadlineExceeded`, among others."""
        while True:
            try:
                async with calls.stream(self._watch(self._left())) as answers:
                    async for answer in answers:
                        if self._is_reached(answer.status):
                            return answer.status
                raise self._gone()
            except DoorwardError as error:
                pause = self._pause_after(error)
            await asyncio.sleep(pause)

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), LEAST_SECONDS)

    def _is_reached(self, status: AppStatus) -> bool:
        """Return whether waiting is over. Raises `AppGaveUp` when it never will be."""
        self._last, self._unavailable = status, None
        if self._on_status is not None:
            self._on_status(status)
        if status.state == self._wanted:
            return True
        if status.state in _GIVEN_UP:
            raise AppGaveUp(self._not_reached(), status=status)
        return False

    def _gone(self) -> AppGaveUp:
        return AppGaveUp(f"app {self._app_id} is gone", status=self._last)

    def _pause_after(self, error: DoorwardError) -> float:
        """Return how long to wait before looking again, or raise what ends the waiting."""
        if isinstance(error, DeadlineExceeded):
            if self._unavailable is not None:
                raise self._unavailable from error
            text = f"waited long enough: {self._not_reached()}"
            raise DeadlineExceeded(text, code=error.code, details=error.details) from error
        if not isinstance(error, Unavailable) or time.monotonic() + _RECONNECT_SECONDS >= self._deadline:
            raise error
        self._unavailable = error
        return _RECONNECT_SECONDS

    def _not_reached(self) -> str:
        """Return why the app is not in the state."""
        if self._last.state == AppState.APP_STATE_UNSPECIFIED:
            return f"nothing was heard of app {self._app_id}"
        now, wanted = (
            short_name(AppState, "APP_STATE_", state) for state in (self._last.state, self._wanted)
        )
        text = f"app {self._app_id} is {now}, not {wanted}"
        return f"{text}: {one_line(self._last.message)}" if self._last.message else text

"""The driver of the Python clients: `python -m tests.sdk.support.python_driver`, awaited with `async`."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

import doorward
from doorward import AppState
from tests.sdk.support.python_calls import CALLS, LISTS, STREAMS, read


class Blocking:
    """How answers come from a `doorward.Client`."""

    client = doorward.Client

    def begun(self, begin: Callable[[], Any]) -> Any:
        """Begin a stream."""
        return begin()

    def settled(self, answer: Any) -> Any:
        """Return what a call answers."""
        return answer

    def following(self, answers: Any) -> Any:
        """Return the next of several answers, None after the last."""
        return next(answers, None)

    def all(self, items: Any) -> list[Any]:
        """Return every item of a list."""
        return list(items)


class Awaiting:
    """How they come from a `doorward.AsyncClient`."""

    client = doorward.AsyncClient

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def begun(self, begin: Callable[[], Any]) -> Any:
        """Begin a stream where an event loop runs."""

        async def begun() -> Any:
            return begin()

        return self._runner.run(begun())

    def settled(self, answer: Any) -> Any:
        """Wait for what a call answers."""

        async def awaited() -> Any:
            return await answer

        return self._runner.run(awaited())

    def following(self, answers: Any) -> Any:
        """Wait for the next of several answers, None after the last."""
        return self.settled(anext(answers, None))

    def all(self, items: Any) -> list[Any]:
        """Wait for every item of a list."""

        async def collected() -> list[Any]:
            return [item async for item in items]

        return self._runner.run(collected())


class PythonDriver:
    """Makes calls with one of Python's clients."""

    def __init__(self, way: Blocking | Awaiting) -> None:
        self._way = way
        self._clients: dict[str, Any] = {}
        self._stream: Any = None

    def do(self, asked: dict[str, Any]) -> Any:
        """Do what a line asks for, and return the answer."""
        what = asked["do"]
        match what:
            case "encrypted":
                return self._encrypted(asked)
            case "next":
                return _json(self._way.following(self._stream))
            case "close":
                return self._way.settled(self._stream.close())
        client = self._client(asked["client"])
        if what == "wait":
            state = AppState.Value(asked["wait"])
            waiting = client.apps.wait(asked["app"], state, timeout=asked.get("seconds", 60))
            return _json(self._way.settled(waiting))
        rpc = asked[what]
        request = read(rpc, asked.get("request"))
        match what:
            case "all":
                return [_json(item) for item in self._way.all(LISTS[rpc](client, request))]
            case "call" if rpc in LISTS:
                return _json(self._way.following(LISTS[rpc](client, request).pages()))
            case "call":
                call, wrap = CALLS[rpc]
                return _json(wrap(self._way.settled(call(client, request))))
            case "open":
                self._stream = self._way.begun(lambda: STREAMS[rpc](client, request))
                return None
        raise ValueError(f"no such thing to do: {what}")

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            self._way.settled(client.close())

    def _client(self, settings: dict[str, Any]) -> Any:
        key = json.dumps(settings, sort_keys=True)
        if key not in self._clients:
            tls = settings["ca_file"] and doorward.TLS(
                ca_file=settings["ca_file"], server_name=settings["server_name"]
            )
            timeout = settings["timeout"] and {"timeout": settings["timeout"]}
            self._clients[key] = self._way.client(
                settings["address"], token=settings["token"], tls=tls, **(timeout or {})
            )
        return self._clients[key]

    def _encrypted(self, asked: dict[str, Any]) -> bool:
        tls = doorward.TLS() if asked.get("tls") else None
        insecure = bool(asked.get("insecure"))
        with (
            patch.object(grpc, "secure_channel", wraps=grpc.secure_channel) as secure,
            doorward.Client(asked["encrypted"], tls=tls, insecure=insecure),
        ):
            return secure.called


def _json(message: Message | None) -> Any:
    return None if message is None else json_format.MessageToDict(message)


def described(error: Exception) -> dict[str, Any]:
    """Return the `error` of a line. Raises what is not an error of the library."""
    match error:
        case doorward.AppGaveUp():
            return {"kind": "AppGaveUp", "text": str(error)}
        case doorward.SecretLost():
            return {"kind": "SecretLost", "text": str(error)}
        case doorward.DoorwardError():
            retry = error.retry_after
            return {
                "kind": "Error",
                "text": str(error),
                "code": error.code.name,
                "reason": error.reason,
                "metadata": dict(error.metadata),
                "fieldViolations": [
                    {"field": each.field, "description": each.description} for each in error.field_violations
                ],
                "requestId": error.request_id,
                "retryAfter": None if retry is None else retry.total_seconds(),
            }
        case doorward.ConfigurationError():
            return {"kind": "Configuration", "text": str(error)}
    raise error


def answers(driver: PythonDriver, lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield what is written for each line."""
    for line in lines:
        try:
            yield {"answer": driver.do(json.loads(line))}
        except Exception as error:  # noqa: BLE001 - what is not the library's is raised again
            yield {"error": described(error)}


def main() -> None:
    """Answer until the input ends."""
    driver = PythonDriver(Awaiting() if sys.argv[1:] == ["async"] else Blocking())
    try:
        for answer in answers(driver, iter(sys.stdin)):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        driver.close()


if __name__ == "__main__":
    main()

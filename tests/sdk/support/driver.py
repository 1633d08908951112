"""A program that makes the calls of a journey with one client library.

It reads a JSON object a line on its standard input, does what `do` says, and writes a JSON object a line:
with `answer`, or with `error`, which has `kind` and `text`, and for a failed call `code`, `reason`,
`metadata`, `fieldViolations`, `requestId` and `retryAfter`. Messages are in ProtoJSON, so that one table fits
all languages. It ends when its input does. `tests/sdk/cases/README.md` says what there is to do.
"""

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ANSWER_SECONDS = 90.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A client library, and how its driver is started."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    web: bool = False
    """Whether it speaks gRPC-Web, and so to Envoy alone."""
    user_agent: str


class Driver:
    """A running driver."""

    def __init__(self, language: Language, process: "subprocess.Popen[str]", errors: IO[str]) -> None:
        self.language = language
        self._process = process
        self._errors = errors
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Have something done; returns what the driver writes."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise AssertionError(f"no answer to {request['do']}:\n{self._said()}") from None
        except BrokenPipeError:
            line = ""
        if not line:
            raise AssertionError(f"the driver ended:\n{self._said()}")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        assert answer.keys() <= {"answer", "error"}, answer
        return answer

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-8000:]


@contextmanager
def running(language: Language, environment: Mapping[str, str]) -> Iterator[Driver]:
    """Start a driver, and end it."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            language.command,
            cwd=language.folder,
            env={**environment, **language.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        )
        try:
            yield Driver(language, process, errors)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):  # it has ended by itself, which its last answer has told
                process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()

"""The processes of a measurement: started, asked, watched for what they use, and stopped."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psutil

from tests.e2e.support.tether import tethered

_ROOT: Final = Path(__file__).resolve().parents[1]
_STOP_SECONDS: Final = 15.0


class ChildError(Exception):
    """A process of the benchmark did not do its part."""


class Child:
    """A program of this package. It speaks in lines of JSON and stops when its standard input ends."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self._process = process
        self.usage = psutil.Process(process.pid)

    def hear(self, *, timeout: float) -> Any:
        """Its next line; raises `ChildError` when there is none within *timeout* seconds."""
        stdout = self._process.stdout
        if stdout is None:
            raise ChildError(f"{self.name} has no standard output")
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(timeout):
                raise ChildError(f"{self.name} said nothing for {timeout:.0f} s")
        line = stdout.readline()
        if not line:
            raise ChildError(f"{self.name} ended; what it had to say is above")
        return json.loads(line)

    def ask(self, question: Mapping[str, object], *, timeout: float) -> Any:
        """Have it do something, and return what it answers when that is done."""
        self.tell(question)
        return self.hear(timeout=timeout)

    def tell(self, question: Mapping[str, object]) -> None:
        """Have it do something; `hear` returns what comes of it."""
        stdin = self._process.stdin
        if stdin is None:
            raise ChildError(f"{self.name} has no standard input")
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()

    def close(self) -> None:
        """Stop it, by force if it takes too long."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def child(
    program: str, *arguments: str, env: Mapping[str, str] | None = None, start_seconds: float = 30.0
) -> Iterator[Child]:
    """Run ``benchmarks.<program>`` until the end of the block; begins once it has announced itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{program}", *arguments],
        cwd=_ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for whoever started it, and who stops it in its turn.
        start_new_session=True,
    )
    running = Child(program, process)
    try:
        running.hear(timeout=start_seconds)
        yield running
    finally:
        running.close()


def announce(answer: object = None) -> None:
    """Say one line to whoever started this process: that it serves, or what it was asked for."""
    print(json.dumps(answer), flush=True)


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time that a process has used so far, in all its threads."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def command(name: str, *, env: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Run ``doorward <name>`` until the end of the block."""
    process = subprocess.Popen(
        tethered([sys.executable, "-m", "doorward_server", name]),
        cwd=_ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

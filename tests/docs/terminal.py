"""A terminal in which a page's commands are typed as they stand."""

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

SECONDS: Final = 60.0
"""How long a command may take."""

_END: Final = "command-ended-with"
_SERVER: Final = re.compile(r"^(?:[A-Z0-9_]+=\S+\s+)*doorward up\b")
_READY: Final = "Doorward is ready"
_STATUS: Final = re.compile(r"# (\d{3})\b")
_PRINTS: Final = re.compile(r"# prints (.+)$")


def commands(text: str) -> Iterator[str]:
    """The commands of a block: as many lines each as bash needs to find the command complete."""
    command = ""
    for line in text.splitlines():
        if not command and (not line.strip() or line.startswith("#")):
            continue
        command += f"{line}\n"
        if not line.endswith("\\") and _is_complete(command):
            yield command.rstrip("\n")
            command = ""
    if command:
        raise ValueError(f"bash waits for more after:\n{command}")


def _is_complete(command: str) -> bool:
    # Of a here-document that does not end, bash complains and says that all is well.
    read = subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False)
    return read.returncode == 0 and not read.stderr


class UnexpectedError(AssertionError):
    """A command did not do what its page says."""


class Terminal:
    """One bash. `doorward up` runs on until the terminal is closed, as in a window of its own.

    A comment behind a command says what comes of it: `# 401…` the HTTP status, `# prints X` a text.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """*folder*: where it is opened."""
        self._servers: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._environment = dict(environment)
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def type(self, text: str) -> str:
        """Run each command of a block; answers all that was printed. Raises `UnexpectedError`."""
        return "".join(self._run(command) for command in commands(text))

    def _run(self, command: str) -> str:
        if _SERVER.match(command):
            return self._serve(command)
        printed, status = self._ask(command)
        if status != 0:
            raise UnexpectedError(f"{command}\nended with {status}:\n{printed}")
        if (wanted := _STATUS.search(command)) and f"HTTP/1.1 {wanted[1]} " not in printed:
            raise UnexpectedError(f"{command}\nwas not answered with {wanted[1]}:\n{printed}")
        if (text := _PRINTS.search(command)) and text[1] not in printed:
            raise UnexpectedError(f"{command}\ndid not print {text[1]!r}:\n{printed}")
        return printed

    def _ask(self, command: str) -> tuple[str, int]:
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{command}\nended=$?; echo; echo {_END} $ended\n".encode())
        self._bash.stdin.flush()
        printed = self._read_until(_END, what=command)
        text, _, status = printed.rpartition(f"\n{_END} ")
        return text, int(status)

    def _read_until(self, mark: str, *, what: str) -> str:
        assert self._bash.stdout is not None
        deadline = time.monotonic() + SECONDS
        printed = b""
        pattern = re.compile(rb"\n" + mark.encode() + rb" \d+\n$")
        while not pattern.search(printed):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._bash.stdout], [], [], max(left, 0))
            if not ready:
                raise UnexpectedError(f"{what}\ndid not end in {SECONDS:.0f} s:\n{printed.decode()}")
            more = os.read(self._bash.stdout.fileno(), 65_536)
            if not more:
                raise UnexpectedError(f"{what}\nended the shell:\n{printed.decode()}")
            printed += more
        return printed.decode(errors="replace").rstrip("\n")

    def _serve(self, command: str) -> str:
        """Start a server with the variables of the shell, and wait until it says that it is ready."""
        exported, _ = self._ask("export -p")
        log = self._folder / f"server-{len(self._servers)}.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["bash", "-c", f"{exported}\nexec env {command}"],
                cwd=self._ask("pwd")[0].strip(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._servers.append(server)
        deadline = time.monotonic() + SECONDS
        while _READY not in log.read_text(errors="replace"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise UnexpectedError(f"{command}\nis not ready:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        return log.read_text(errors="replace")

    def close(self) -> None:
        """End the shell and the servers."""
        for server in reversed(self._servers):
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._bash.wait(10)
        self._bash.stdout.close()

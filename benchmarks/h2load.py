"""Load by h2load: in C, so that the generator leaves the machine to the server. It repeats one request.

What needs many different requests is measured with `load`, since h2load sends the same body each time.
"""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUMMARY = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")
_CLIENTS: Final = 8
_LONGEST_SECONDS: Final = 600
_COUNTS = re.compile(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class H2Load:
    """What h2load reports of one run."""

    requests: int
    throughput: float
    """Calls a second."""
    failures: int


def grpc_calls(
    socket: Path, method: str, message: bytes, *, connections: int, in_flight: int, seconds: float
) -> H2Load:
    """As many unary calls with *message* as the server takes, *in_flight* on every connection."""
    with tempfile.NamedTemporaryFile(prefix="dw-bench-") as body:
        body.write(b"\0" + len(message).to_bytes(4, "big") + message)
        body.flush()
        done = subprocess.run(
            [
                "h2load",
                *("--clients", str(connections), "--max-concurrent-streams", str(in_flight)),
                *("--duration", f"{round(seconds * 1000)}ms", "--threads", "1"),
                *("--data", body.name, "--base-uri", f"unix:{socket}"),
                *("--header", "content-type: application/grpc", "--header", "te: trailers"),
                f"http://check{method}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
    return parsed(done.stdout)


def parsed(report: str) -> H2Load:
    """Read h2load's report."""
    summary, counts = _SUMMARY.search(report), _COUNTS.search(report)
    if summary is None or counts is None:
        raise ValueError(f"h2load reports something else than expected:\n{report}")
    done, succeeded = int(counts[1]), int(counts[2])
    return H2Load(requests=done, throughput=float(summary[1]), failures=done - succeeded)


@dataclass(slots=True)
class Background:
    """What became of a load that ran meanwhile; filled in when it has ended."""

    requests: int = 0
    failures: int = 0


@contextlib.contextmanager
def background(
    address: tuple[str, int], *, host: str, secret: str, path: str, rate: int
) -> Iterator[Background]:
    """Send HTTP/1.1 requests at a rate, evenly from a few connections, until the end of the block.

    The token is one that ends with the measurement: whoever lists processes can read it.
    """
    outcome = Background()
    with tempfile.TemporaryDirectory(prefix="dw-bench-") as folder:
        log = Path(folder) / "log"
        process = subprocess.Popen(
            [
                "h2load",
                *("--h1", "--clients", str(_CLIENTS), "--threads", "1", "--rps", f"{rate / _CLIENTS:g}"),
                *("--duration", f"{_LONGEST_SECONDS}s", "--log-file", str(log)),
                *("--header", f":authority: {host}", "--header", f"authorization: Bearer {secret}"),
                f"http://{address[0]}:{address[1]}{path}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield outcome
        finally:
            process.terminate()
            process.wait(10)
            # One line a request: when, the status, how long. The last one may be cut off.
            statuses = [line.split("\t")[1] for line in log.read_text().split("\n")[:-1]]
            outcome.requests = len(statuses)
            outcome.failures = sum(status != "200" for status in statuses)

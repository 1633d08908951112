"""Load through Envoy by wrk, as browsers and SDKs make it: HTTP/1.1 on connections that are kept."""

import json
import math
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.requests import PATH, Pair

CONNECTIONS: Final = 32

# Asked for each request; all are made before the first. `done` speaks JSON, as wrk itself does not.
_SCRIPT: Final = """
local requests, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local host, secret = line:match("^(%S+) (%S+)$")
    local headers = { Host = host, Authorization = "Bearer " .. secret }
    requests[#requests + 1] = wrk.format("GET", arguments[2], headers)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrk:
    """What wrk reports of one run. Times in seconds."""

    requests: int
    throughput: float
    """Requests a second."""
    p50: float
    p99: float
    failures: int


class Load:
    """The same load again and again: *pairs* in turn, on kept connections, as fast as they are answered."""

    def __init__(self, folder: Path, pairs: Iterable[Pair]) -> None:
        self._script, self._pairs = folder / "load.lua", folder / "load"
        self._script.write_text(_SCRIPT)
        self._pairs.touch(mode=0o600)
        self._pairs.write_text("".join(f"{pair.host} {pair.secret}\n" for pair in pairs))

    def run(self, port: int, *, seconds: float) -> Wrk:
        """Send it to a port of 127.0.0.1. wrk counts in whole seconds."""
        done = subprocess.run(
            [
                "wrk",
                *("--threads", "1", "--connections", str(CONNECTIONS)),
                *("--duration", f"{math.ceil(seconds)}s", "--timeout", "10s"),
                *("--script", str(self._script), f"http://127.0.0.1:{port}", "--"),
                *(str(self._pairs), PATH),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
        return parsed(done.stdout)


def parsed(report: str) -> Wrk:
    """Read the last line of the report, which the script has written."""
    told = json.loads(report.splitlines()[-1])
    return Wrk(
        requests=told["requests"],
        throughput=told["requests"] / told["microseconds"] * 1e6,
        p50=told["p50"] / 1e6,
        p99=told["p99"] / 1e6,
        failures=told["failures"],
    )

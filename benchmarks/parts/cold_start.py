"""A cold start: a replica that has nothing, a real api, and a real database that is full."""

import contextlib
import time
from pathlib import Path
from typing import Final

from envoy.service.auth.v3 import external_auth_pb2

from benchmarks.children import ChildError, child, command
from benchmarks.database import fill
from benchmarks.plan import Plan
from benchmarks.requests import Pair, known_client
from benchmarks.results import Figure, Results, Spread, at_most
from benchmarks.server import connected
from benchmarks.waiting import await_serving
from doorward_server.settings import Settings

_API_SECONDS: Final = 60.0
_START_SECONDS: Final = 300.0


def measure(plan: Plan, home: Path, results: Results) -> None:
    """Measure from the start of the process until it serves. What fills the database does not count."""
    home = home / "cold"
    settings = Settings.model_validate({"home": home, "run_dir": home, "api_port": 0, "log_level": "WARNING"})
    tokens = plan.sizes[-1]
    pair = fill(settings, tokens=tokens)
    environment = {
        "DOORWARD_HOME": str(home),
        "DOORWARD_RUN_DIR": str(home),
        "DOORWARD_API_PORT": "0",
        "DOORWARD_LOG_LEVEL": "WARNING",
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(command("api", env=environment))
        await_serving(settings.api_socket, timeout=_API_SECONDS)
        began = time.perf_counter()
        replica = stack.enter_context(child("replica", str(home / "pauses"), env=environment))
        socket = home / "check-0.sock"
        await_serving(socket, timeout=_START_SECONDS)
        seconds = time.perf_counter() - began
        asked = [known_client(pair, number=0)]
        with connected("replica", process=replica.usage, socket=socket, templates=asked) as server:
            _see_that_it_knows(pair, server.answer())
        resident = replica.usage.memory_info().rss
    results.figures += (
        Figure(
            key="scale.cold_start_1m_s",
            meaning=f"seconds until a replica serves {tokens:,} tokens from SQLite",
            value=Spread.of([seconds]),
            goal=at_most(15),
        ),
        Figure(
            key="scale.cold_start_rss_mib",
            meaning="resident MiB of that replica",
            value=Spread.of([resident / 2**20]),
        ),
    )


def _see_that_it_knows(pair: Pair, answer: bytes) -> None:
    """The token is in scope of its app, which is stopped: no replica without the policy would say so."""
    metadata = external_auth_pb2.CheckResponse.FromString(answer).dynamic_metadata
    reason = metadata.fields["reason"].string_value
    if reason != "APP_NOT_RUNNING":
        raise ChildError(f"the replica says {reason} of a token for {pair.host}")

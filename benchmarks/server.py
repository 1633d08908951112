"""A server to measure, in a process of its own: ``python -m benchmarks.server SOCKET KIND WORKLOAD``.

Says what to send it in one line of JSON once it serves, and stops when its standard input ends, so that it
never outlives whoever started it.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import cast

import grpc.aio

from benchmarks.workloads import WORKLOADS, Workload
from doorward_server.check.transports import TransportKind, open_transport
from doorward_server.check.transports.contract import CHECK_SERVICE


def main() -> None:
    """Serve until standard input ends."""
    path, kind, workload = Path(sys.argv[1]), sys.argv[2], WORKLOADS[sys.argv[3]]()
    if kind == "grpc.aio":
        asyncio.run(_serve_aio(path, workload))
        return
    transport = open_transport(cast("TransportKind", kind), path=path, handler=workload.handler)
    transport.start()
    _announce(workload)
    sys.stdin.read()
    transport.close()


async def _serve_aio(path: Path, workload: Workload) -> None:
    """Serve as most Python services do: grpcio's asyncio server, a coroutine a call."""

    async def check(request: bytes, _: object) -> bytes:
        return workload.handler(request)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler(
                CHECK_SERVICE, {"Check": grpc.unary_unary_rpc_method_handler(check)}
            )
        ]
    )
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    _announce(workload)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def _announce(workload: Workload) -> None:
    requests = [base64.b64encode(request).decode() for request in workload.requests]
    print(json.dumps({"requests": requests}), flush=True)


if __name__ == "__main__":
    main()

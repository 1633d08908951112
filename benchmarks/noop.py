"""A server that decides nothing, to measure others by: ``python -m benchmarks.noop SOCKET KIND ANSWER``.

Every call gets the bytes of the file ANSWER, unread. KIND is the HTTP/2 server underneath: ``native`` as
Doorward serves by default, ``grpc.aio`` or ``grpc.server``. Stops when its standard input ends.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from benchmarks.children import announce
from doorward_server.check.transports import open_transport
from doorward_server.check.transports.contract import CHECK_SERVICE

_Answer = Callable[[bytes, object], bytes | Awaitable[bytes]]


def main() -> None:
    """Serve until standard input ends."""
    path, kind, answer = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_bytes()
    match kind:
        case "native":
            _serve_native(path, answer)
        case "grpc.aio":
            asyncio.run(_serve_aio(path, answer))
        case "grpc.server":
            _serve_threads(path, answer)
        case _:
            sys.exit(f"no such kind of server: {kind}")


def _serve_native(path: Path, answer: bytes) -> None:
    transport = open_transport("native", path=path, handler=lambda _: answer)
    transport.start()
    # Envoy asks for its health first.
    transport.set_serving(True)
    announce()
    sys.stdin.read()
    transport.close()


async def _serve_aio(path: Path, answer: bytes) -> None:
    async def check(_request: bytes, _context: object) -> bytes:
        return answer

    server = grpc.aio.server()
    server.add_generic_rpc_handlers([_service(check)])
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    announce()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def _serve_threads(path: Path, answer: bytes) -> None:
    def check(_request: bytes, _context: object) -> bytes:
        return answer

    server = grpc.server(ThreadPoolExecutor())
    server.add_generic_rpc_handlers([_service(check)])
    server.add_insecure_port(f"unix:{path}")
    server.start()
    announce()
    sys.stdin.read()
    server.stop(None).wait()


def _service(check: _Answer) -> grpc.GenericRpcHandler:
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Check": grpc.unary_unary_rpc_method_handler(check)
    }
    return grpc.method_handlers_generic_handler(CHECK_SERVICE, methods)


if __name__ == "__main__":
    main()

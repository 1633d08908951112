"""A transport in a process that may open few descriptors: `... limited_server KIND SOCKET DESCRIPTORS`.

Echoes until its input ends.
"""

import logging
import resource
import sys
from pathlib import Path

from doorward_server.check.transports import TransportKind, open_transport

_KINDS: dict[str, TransportKind] = {"native": "native", "grpcio": "grpcio"}


def main(kind: TransportKind, path: Path, descriptors: int) -> None:
    """Serve."""
    logging.basicConfig(level=logging.INFO)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    transport = open_transport(kind, path=path, handler=bytes)
    transport.start()
    sys.stdin.read()
    transport.close()


if __name__ == "__main__":
    main(_KINDS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3]))

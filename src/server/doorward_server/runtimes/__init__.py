"""How an app runs: at an address of its own, or as a process on this machine."""

from doorward_server.runtimes.children.restarts import RestartPolicy
from doorward_server.runtimes.dispatch import Runtimes
from doorward_server.runtimes.external import ExternalRuntime
from doorward_server.runtimes.logs.book import LogLimits
from doorward_server.runtimes.process import ProcessRuntime
from doorward_server.runtimes.process_run import ProcessOptions

__all__ = [
    "ExternalRuntime",
    "LogLimits",
    "ProcessOptions",
    "ProcessRuntime",
    "RestartPolicy",
    "Runtimes",
]

"""Keeps the processes of one machine running: what `doorward up` is made of."""

from doorward_server.supervisor.children import Child
from doorward_server.supervisor.output import Output, as_it_is, named
from doorward_server.supervisor.supervise import Timing, supervise

__all__ = ["Child", "Output", "Timing", "as_it_is", "named", "supervise"]

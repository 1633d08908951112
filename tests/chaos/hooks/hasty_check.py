"""A defect on purpose: a check that acknowledges a change though Envoy still remembers what was before."""

from doorward_server.check.remembering import Settling


def _forget(self: Settling) -> None:
    """Do as if nothing were remembered."""


Settling.narrowed = _forget  # type: ignore[method-assign]

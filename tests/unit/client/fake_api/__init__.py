"""An api in this process, on a free port of 127.0.0.1: the public services over plain dictionaries.

It keeps what it is told, and nothing of what the real one decides. `fail` makes the next calls of an RPC end
in an error; `state.seen` has every call with its request, metadata and deadline.
"""

from tests.unit.client.fake_api.listening import FakeApi
from tests.unit.client.fake_api.state import REQUEST_ID, Seen
from tests.unit.client.fake_api.values import ADMIN_ID, mint, now

__all__ = ["ADMIN_ID", "REQUEST_ID", "FakeApi", "Seen", "mint", "now"]

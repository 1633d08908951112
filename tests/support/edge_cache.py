"""envoy/edge_cache.lua in LuaJIT, without the Envoy around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lupa.luajit21 import LuaRuntime

from doorward_server.gateway.render import CACHE_SCRIPT, source_directory

AUTHZ = "envoy.filters.http.ext_authz"
OWN = "doorward.edge_cache"
BY_HOST = "app-by-host"
"""The name of the route of an app that is found by its host."""

# Stands in for the library that the script reads the clock with.
_CLOCK = """
function(read)
  package.loaded.ffi = {
    os = "Linux",
    cdef = function() end,
    new = function() return {} end,
    C = {
      clock_gettime = function(clock, time)
        local now = read()
        if clock ~= 7 or now == nil then return -1 end
        time.seconds, time.nanoseconds = math.floor(now), now % 1 * 1e9
        return 0
      end,
    },
  }
end
"""

# Envoy's objects, whose methods are called with a colon, of plain functions.
_HANDLE = """
function(get, count, remove, replace, read, write, route)
  local headers = {
    get = function(_, name) return get(name) end,
    getNumValues = function(_, name) return count(name) end,
    remove = function(_, name) remove(name) end,
    replace = function(_, name, value) replace(name, value) end,
  }
  local metadata = {
    get = function(_, filter) return read(filter) end,
    set = function(_, filter, key, value) write(filter, key, value) end,
  }
  local info = {
    dynamicMetadata = function() return metadata end,
    routeName = function() return route end,
  }
  return { headers = function() return headers end, streamInfo = function() return info end }
end
"""

Header = tuple[str, str]


class Headers:
    """Envoy's header map, as scripts see it."""

    def __init__(self, pairs: Sequence[Header]) -> None:
        self.pairs = list(pairs)

    def get(self, name: str) -> str | None:
        """The value of a header; of one that came more than once, all of them."""
        values = [value for key, value in self.pairs if key == name]
        return ",".join(values) if values else None

    def getNumValues(self, name: str) -> int:
        """How often it came."""
        return sum(key == name for key, _ in self.pairs)

    def remove(self, name: str) -> None:
        """Take it away."""
        self.pairs = [pair for pair in self.pairs if pair[0] != name]

    def replace(self, name: str, value: str) -> None:
        """Set it, whatever there was."""
        self.remove(name)
        self.pairs.append((name, value))


class Metadata:
    """A stream's dynamic metadata."""

    def __init__(self, lua: LuaRuntime) -> None:
        self._lua = lua
        self.values: dict[str, dict[str, Any]] = {}

    def get(self, filter_name: str) -> Any:
        """What a filter has written, as a table."""
        values = self.values.get(filter_name)
        return None if values is None else self._lua.table_from(values, recursive=True)

    def set(self, filter_name: str, key: str, value: Any) -> None:
        """Write."""
        self.values.setdefault(filter_name, {})[key] = value


class Handle:
    """What Envoy calls the script with."""

    def __init__(self, lua: LuaRuntime, new_handle: Any, headers: Sequence[Header], route: str) -> None:
        self.header_map = Headers(headers)
        self.metadata = Metadata(lua)
        of_headers = (getattr(self.header_map, name) for name in ("get", "getNumValues", "remove", "replace"))
        self.in_lua = new_handle(*of_headers, self.metadata.get, self.metadata.set, route)


@dataclass(slots=True)
class Seconds:
    """A clock that a test moves; None: there is none."""

    now: float | None = 1_000.0

    def pass_by(self, seconds: float) -> None:
        """Move on, or back."""
        assert self.now is not None
        self.now += seconds


@dataclass
class Stream:
    """One request, as the filters behind the script find it."""

    script: "EdgeCache"
    handle: Handle

    @property
    def hit(self) -> bool:
        """Whether check is not asked."""
        return self.handle.metadata.values.get(OWN, {}).get("hit") is True

    @property
    def headers(self) -> list[Header]:
        """The request's headers now."""
        return self.handle.header_map.pairs

    @property
    def facts(self) -> dict[str, Any]:
        """What the access log and the router find in the place of check's answer."""
        return self.handle.metadata.values.get(AUTHZ, {})

    def answered(self, facts: Mapping[str, Any]) -> "Stream":
        """Check has answered with these metadata, and then the app has answered, too."""
        for key, value in facts.items():
            self.handle.metadata.set(AUTHZ, key, value)
        self.script.on_response(self.handle.in_lua)
        return self


@dataclass
class EdgeCache:
    """The script of one worker."""

    clock: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False)
        self.lua.eval(_CLOCK)(lambda: self.clock.now)
        self.lua.execute((source_directory() / CACHE_SCRIPT).read_text("utf-8"))
        self._new_handle = self.lua.eval(_HANDLE)
        self.on_request = self.lua.globals().envoy_on_request
        self.on_response = self.lua.globals().envoy_on_response

    def request(self, headers: Sequence[Header], *, route: str = BY_HOST) -> Stream:
        """A request begins, by the route of that name; the empty one is that of a route without a name."""
        handle = Handle(self.lua, self._new_handle, headers, route)
        self.on_request(handle.in_lua)
        return Stream(self, handle)

    def kilobytes(self) -> float:
        """The memory in use."""
        collect = self.lua.eval(
            "function() collectgarbage() collectgarbage() return collectgarbage('count') end"
        )
        return float(collect())

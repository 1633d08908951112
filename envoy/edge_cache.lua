-- Remembers an allow of check for a moment, and repeats it without asking again.
--
-- Off unless `edge_cache_lifetime` is set. It stands ahead of ext_authz, which asks unless this says `hit` in the
-- metadata of doorward.edge_cache; nothing else may write there. What makes it safe:
--
-- * Only what check allowed is kept, only if check said so, and for as long as check said: a second at most. The
--   time counts from before check was asked, on a clock that nobody sets. Check acknowledges a change that
--   narrows access only when all that it let be remembered before is forgotten, so a call that narrows access
--   still returns when it is in force. A hit makes nothing live longer.
-- * The key is all that the decision looked at, byte for byte. A request with anything unusual in it is asked
--   about, always.
-- * Which app is decided on may be the route's to say instead of the host's, and a script cannot see that. So what
--   comes by a route that is not called `app-by-host` is asked about, always.
-- * A hit changes the request exactly as check's answer did, and what it says last is that it is one: a fault on
--   the way there leaves a request that is asked about.
--
-- Each worker of Envoy has these tables for itself.

local OWN = "doorward.edge_cache"
local AUTHZ = "envoy.filters.http.ext_authz"

local LONGEST = 1000 -- milliseconds
local ENTRIES = 2048 -- in one half of a table
local LONGEST_VALUE = 1024 -- bytes of a header that goes into a key
local LONGEST_PATH = 2048

-- What the name of a route begins with that leaves it to the host which app is meant.
local BY_HOST = "app-by-host"
-- OPTIONS may be a CORS preflight, and CONNECT is an upgrade.
local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true }
local IDENTITY = {
  ["x-doorward-app-id"] = "app_id",
  ["x-doorward-token-id"] = "token_id",
  ["x-doorward-role"] = "role",
}
local KEY_HEADERS = { ":authority", "authorization", "doorward-token", "cookie" }
local REMOVABLE = { authorization = true, ["doorward-token"] = true, cookie = true }

-- Milliseconds on a clock that never steps and runs on while the machine sleeps; nil when there is none, and
-- then nothing is remembered. Envoy's own `timestamp()` is the wall clock.
local milliseconds = function() return nil end
local has_ffi, ffi = pcall(require, "ffi")
if has_ffi then
  ffi.cdef [[
    struct doorward_timespec { long seconds; long nanoseconds; };
    int clock_gettime(int clock, struct doorward_timespec *time);
  ]]
  -- CLOCK_BOOTTIME of Linux, and CLOCK_MONOTONIC of macOS.
  local clock = ({ Linux = 7, OSX = 6 })[ffi.os]
  local time = ffi.new("struct doorward_timespec")
  milliseconds = function()
    if clock == nil or ffi.C.clock_gettime(clock, time) ~= 0 then return nil end
    return tonumber(time.seconds) * 1000 + tonumber(time.nanoseconds) / 1e6
  end
end

-- A table of bounded size: when the young half is full, or a lifetime old, it becomes the old one, and what was
-- the old one is gone.
local function new_store() return { young = {}, old = {}, count = 0, born = 0 } end

local function turn(store, now)
  if store.count >= ENTRIES or now - store.born >= LONGEST then
    store.old, store.young, store.count, store.born = store.young, {}, 0, now
  end
end

local function put(store, key, value, now)
  turn(store, now)
  store.young[key] = value
  store.count = store.count + 1
end

local function get(store, key)
  local value = store.young[key]
  if value == nil then value = store.old[key] end
  return value
end

local function take(store, key)
  local value = get(store, key)
  store.young[key], store.old[key] = nil, nil
  return value
end

-- What was allowed, by key; and the questions that are under way, by ticket, for a request's headers are not
-- there any more when its answer comes back.
local allows = new_store()
local questions = new_store()
local tickets = 0

-- The request as a decision sees it, but for its path; nil when there is anything unusual about it.
local function key_of(headers, route)
  if route:sub(1, #BY_HOST) ~= BY_HOST then return nil end
  if not METHODS[headers:get(":method")] or headers:getNumValues("upgrade") ~= 0 then return nil end
  local parts = { route }
  for _, name in ipairs(KEY_HEADERS) do
    local count = headers:getNumValues(name)
    if count > 1 then return nil end
    local value = ""
    if count == 1 then
      value = headers:get(name)
      if #value > LONGEST_VALUE or value:find("[^ -~]") then return nil end
      -- An empty header is not the same as none.
      value = "=" .. value
    end
    table.insert(parts, value)
  end
  -- No value has a line end in it, and what stands in front of them is the operator's.
  return table.concat(parts, "\n")
end

local function path_of(headers)
  local path = headers:get(":path")
  if path == nil or #path > LONGEST_PATH or path:find("[^!-~]") then return nil end
  return path
end

local function allowed(key, now)
  local allow = get(allows, key)
  if allow ~= nil and allow.asked <= now and now < allow.ends then return allow end
  return nil
end

-- Do to the request what the answer did.
local function repeat_allow(handle, allow)
  local headers = handle:headers()
  for _, name in ipairs(allow.remove) do headers:remove(name) end
  for _, header in ipairs(allow.set) do headers:replace(header[1], header[2]) end
  local metadata = handle:streamInfo():dynamicMetadata()
  for _, fact in ipairs(allow.facts) do metadata:set(AUTHZ, fact[1], fact[2]) end
  metadata:set(OWN, "hit", true)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local now = milliseconds()
  if now == nil then return end
  -- With every request, so that what is too old goes also where nothing new is remembered.
  turn(allows, now)
  turn(questions, now)
  local key, path = key_of(headers, handle:streamInfo():routeName()), path_of(headers)
  if key == nil or path == nil then return end
  local key_with_path = key .. "\n" .. path
  local allow = allowed(key, now) or allowed(key_with_path, now)
  if allow ~= nil then return repeat_allow(handle, allow) end
  tickets = tickets + 1
  put(questions, tickets, { asked = now, key = key, key_with_path = key_with_path }, now)
  handle:streamInfo():dynamicMetadata():set(OWN, "ticket", tickets)
end

local function to_allow(asked, answer)
  local remember = answer.remember
  local allow = { asked = asked, ends = asked + math.min(remember.milliseconds, LONGEST) }
  allow.set, allow.remove, allow.facts = {}, {}, {}
  for name, fact in pairs(IDENTITY) do
    if answer[fact] ~= nil then table.insert(allow.set, { name, answer[fact] }) end
  end
  -- What an answer of check may remove, too (decoder_header_mutation_rules).
  for _, name in ipairs(remember.remove) do
    if not REMOVABLE[name] then return nil end
    table.insert(allow.remove, name)
  end
  for name, value in pairs(answer) do
    if name ~= "remember" then table.insert(allow.facts, { name, value }) end
  end
  return allow
end

function envoy_on_response(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local own = metadata:get(OWN)
  if own == nil or own.ticket == nil then return end
  local question = take(questions, own.ticket)
  local answer = metadata:get(AUTHZ)
  if question == nil or answer == nil or answer.remember == nil then return end
  -- Only an allow comes with the app's address.
  if answer.upstream_host == nil then return end
  local now, allow = milliseconds(), to_allow(question.asked, answer)
  -- An app that takes longer than that to answer is asked about each time.
  if now == nil or allow == nil or now >= allow.ends then return end
  put(allows, answer.remember.any_path and question.key or question.key_with_path, allow, now)
end

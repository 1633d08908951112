-- A REST body must be JSON (RFC 8259) and name fields that exist, each once. Envoy's transcoder drops a field
-- that it does not know without a word: with `expire_tme` misspelled, a token would never expire. It also reads
-- what is not quite JSON. What passes here has one reading; whether the values are right is for others to say.
--
-- The route's metadata holds, made from the protos:
--   bodies    a list of {method, path, message}: `path` is a Lua pattern, `message` the name of the body's type
--   messages  of each type its fields: the name in JSON to the name of a type, or "" for a value or a map

local MAX_DEPTH = 32

-- The position after the string that begins at `at`, and its text without quotes.
local function skip_string(json, at)
  local from = at + 1
  repeat
    at = json:find('["\\%c]', at + 1)
    local char = at and json:sub(at, at)
    if char == '\\' then
      at = at + 1
    elseif char ~= '"' then
      error("a string does not end, or holds a control character", 0)
    end
  until char == '"'
  return at + 1, json:sub(from, at - 1)
end

local function skip_space(json, at)
  return json:find("[^ \t\r\n]", at) or #json + 1
end

-- Names of a body as errors quote them: without what looks like a token.
local function quoted(name)
  return (name:gsub("dw_%w+_%w*", "dw_..."))
end

local function expected(what, at)
  error("expected " .. what .. " at byte " .. at, 0)
end

-- The position after the value that begins at `at`. `kind` is the kind of the field that holds it, or nil
-- where anything goes; `field` is its name for people.
local function skip_value(json, at, messages, kind, field, depth)
  if depth > MAX_DEPTH then error("more than " .. MAX_DEPTH .. " objects and lists in one another", 0) end
  local char = json:sub(at, at)
  if char == '"' then return (skip_string(json, at)) end
  if char == '[' then
    at = skip_space(json, at + 1)
    if json:sub(at, at) == ']' then return at + 1 end
    while true do
      at = skip_space(json, skip_value(json, at, messages, kind, field, depth + 1))
      char = json:sub(at, at)
      if char == ']' then return at + 1 end
      if char ~= ',' then expected("',' or ']'", at) end
      at = skip_space(json, at + 1)
    end
  end
  if char == '{' then
    local fields = kind and messages[kind]
    local seen = {}
    at = skip_space(json, at + 1)
    if json:sub(at, at) == '}' then return at + 1 end
    while true do
      if json:sub(at, at) ~= '"' then expected("a name in double quotes", at) end
      local after, name = skip_string(json, at)
      local path = field == "" and name or field .. "." .. name
      if fields and fields[name] == nil then error("there is no field " .. quoted(path), 0) end
      -- `displayName` and `display_name` are one field.
      local key = fields and name:gsub("_(%l)", string.upper) or name
      if seen[key] then error("the field " .. quoted(path) .. " is there twice", 0) end
      seen[key] = true
      at = skip_space(json, after)
      if json:sub(at, at) ~= ':' then expected("':'", at) end
      at = skip_value(json, skip_space(json, at + 1), messages, fields and fields[name], path, depth + 1)
      at = skip_space(json, at)
      char = json:sub(at, at)
      if char == '}' then return at + 1 end
      if char ~= ',' then expected("',' or '}'", at) end
      at = skip_space(json, at + 1)
    end
  end
  local _, last = json:find("^%-?%d[%d.eE+-]*", at)
  if last == nil then _, last = json:find("^%l+", at) end
  local word = last and json:sub(at, last)
  if word and (word:find("^[-%d]") or word == "true" or word == "false" or word == "null") then return last + 1 end
  expected("a value", at)
end

local function check(json, messages, message)
  local at = skip_space(json, 1)
  if at > #json then return end
  if json:sub(at, at) ~= '{' then expected("'{'", at) end
  at = skip_space(json, skip_value(json, at, messages, message, "", 1))
  if at <= #json then expected("the end", at) end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local method = headers:get(":method")
  local path = headers:get(":path"):match("^[^?]*")
  local metadata = handle:metadata()
  for _, body in pairs(metadata:get("bodies") or {}) do
    if body.method == method and path:find(body.path) then
      local buffer = handle:body()
      if buffer == nil then return end
      local json = buffer:getBytes(0, buffer:length())
      local ok, problem = pcall(check, json, handle:metadata():get("messages"), body.message)
      if not ok then
        handle:respond({ [":status"] = "400" }, "The body: " .. problem:gsub("[%c\\\"]", "?"):sub(1, 300) .. ".")
      end
      return
    end
  end
end

-- The cookies of session and login are between the browser and Doorward: an app neither sees nor sets them.
--
-- Everything else in Cookie and Set-Cookie stays byte for byte. Header values are bytes here, whatever they encode.

local OURS = "__Host-doorward"
-- What the login page's own cookie has behind it.
local FORM = "-login"

local function is_blank(text)
  return not text:find("%S")
end

-- Whether a pair of Cookie, or the first of Set-Cookie, has our name. Without "=" some read a name. No pattern here
-- goes back and forth: a header may be long.
local function is_ours(pair)
  local equals = pair:find("=", 1, true)
  local name = equals and pair:sub(1, equals - 1) or pair
  local from, to = name:find(OURS, 1, true)
  if from == nil or not is_blank(name:sub(1, from - 1)) then
    return false
  end
  local rest = name:sub(to + 1)
  return is_blank(rest) or (rest:sub(1, #FORM) == FORM and is_blank(rest:sub(#FORM + 1)))
end

-- A Cookie header without our pairs; nil when nothing is left.
local function without_ours(header)
  local kept = {}
  local first_cut = false
  local first = true
  for pair in (header .. ";"):gmatch("([^;]*);") do
    if not is_ours(pair) then
      kept[#kept + 1] = pair
    elseif first then
      first_cut = true
    end
    first = false
  end
  local rest = table.concat(kept, ";")
  if first_cut then
    -- The space behind its semicolon goes with it.
    rest = rest:gsub("^%s+", "")
  end
  return not is_blank(rest) and rest or nil
end

-- The values of a header, one for each time that it was sent; nil when none has our name in it.
local function values_with_ours(headers, name)
  local values = {}
  local found = false
  for index = 0, headers:getNumValues(name) - 1 do
    local value = headers:getAtIndex(name, index)
    values[#values + 1] = value
    found = found or value:find(OURS, 1, true) ~= nil
  end
  return found and values or nil
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local values = values_with_ours(headers, "cookie")
  if values == nil then
    return
  end
  headers:remove("cookie")
  for _, value in ipairs(values) do
    local rest = without_ours(value)
    if rest ~= nil then
      headers:add("cookie", rest)
    end
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local values = values_with_ours(headers, "set-cookie")
  if values == nil then
    return
  end
  headers:remove("set-cookie")
  for _, value in ipairs(values) do
    -- A cookie without a name comes back as its value alone: "=__Host-doorward=x" would be ours.
    if not is_ours(value:match("^[=%s]*([^;]*)")) then
      headers:add("set-cookie", value)
    end
  end
end

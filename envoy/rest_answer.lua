-- A REST answer is the resource itself, {"appId": …}, and not the message around it, {"app": {"appId": …}}:
-- the `response_body` of google.api.http. Envoy's transcoder refuses that option for anything but HttpBody
-- (envoyproxy/envoy, issue 11136), so it prints the whole message, and this takes the field out of it. Whatever
-- does not look as expected is passed on as it is.

-- Where the JSON object that begins at `from` ends; nil when it does not.
local function end_of_object(json, from)
  local depth, at = 0, from
  while true do
    at = json:find('[{}"]', at)
    if at == nil then return nil end
    local char = json:sub(at, at)
    if char == '{' then
      depth = depth + 1
    elseif char == '}' then
      depth = depth - 1
      if depth == 0 then return at end
    else
      -- A string, to its closing quote. A backslash takes the next character with it.
      repeat
        at = json:find('["\\]', at + 1)
        if at == nil then return nil end
        char = json:sub(at, at)
        if char == '\\' then at = at + 1 end
      until char == '"'
    end
    at = at + 1
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local is_json = (headers:get("content-type") or ""):find("application/json", 1, true) == 1
  if headers:get(":status") ~= "200" or not is_json then return end

  local body = handle:body()
  if body == nil then return end
  local json = body:getBytes(0, body:length())
  local prefix = '{"' .. handle:metadata():get("field") .. '":'
  if json:sub(1, #prefix + 1) ~= prefix .. "{" then return end
  local last = end_of_object(json, #prefix + 1)
  if last == nil then return end
  -- Envoy sets Content-Length itself.
  body:setBytes(json:sub(#prefix + 1, last))
end

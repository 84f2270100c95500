-- Shapes answers for REST callers: errors as {"detail": "..."}, no gRPC headers, arrays unwrapped.
--
-- The one thing to know: a native gRPC answer always has status 200, even if it is an error. So a
-- status of 400 or more belongs to a REST call (or to a request that is not valid at all). Changing
-- any other answer could break a gRPC stream.

-- Request headers that would confuse the gRPC server behind the transcoder.
local GRPC_REQUEST_HEADERS = { "grpc-encoding", "grpc-timeout", "te" }
local GRPC_RESPONSE_HEADERS = {
  "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding", "grpc-accept-encoding",
}

-- Matches a gRPC error as the transcoder prints it. Every quote within the message is escaped, so the
-- first unescaped quote that is followed by `details` ends the message.
local TRANSCODED = '^{"code":%d+,"message":"(.-)","details":%['
local NO_REASON = "The server refused the request without saying why."

-- The transcoder's names of types, in the words of JSON.
local EXPECTED = {
  TYPE_BOOL = "true or false",
  TYPE_BYTES = "base64 in quotes",
  TYPE_DOUBLE = "a number",
  TYPE_ENUM = "one of the documented values",
  TYPE_FLOAT = "a number",
  TYPE_INT32 = "a whole number",
  TYPE_INT64 = "a whole number",
  TYPE_MESSAGE = "a JSON object",
  TYPE_STRING = "text in quotes",
  TYPE_UINT32 = "a whole number, not negative",
  TYPE_UINT64 = "a whole number, not negative",
}

-- This route needs no key, and a browser lets any page post a body that is not JSON without a CORS
-- preflight. So only JSON is accepted here.
local CREDENTIALS = "/api/v1/credentials"

local function starts_with(text, prefix)
  return text ~= nil and string.sub(text, 1, #prefix) == prefix
end

local function percent_decoded(text)
  return (string.gsub(text, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function is_json(kind)
  local media = string.lower(string.match(kind or "", "^%s*([^;]*)"))
  return string.gsub(media, "%s+$", "") == "application/json"
end

-- Checks UTF-8, for which LuaJIT has no library. Overlong forms, surrogates and values beyond U+10FFFF
-- are invalid too, because protobuf rejects them, and the answer would be 500.
local function is_utf8(text)
  local at, size = 1, #text
  while at <= size do
    local first = string.byte(text, at)
    if first < 0x80 then
      at = at + 1
    else
      local more = (first >= 0xC2 and first <= 0xDF and 1)
        or (first >= 0xE0 and first <= 0xEF and 2)
        or (first >= 0xF0 and first <= 0xF4 and 3)
      if not more or at + more > size then return false end
      for offset = 1, more do
        local next_byte = string.byte(text, at + offset)
        if next_byte < 0x80 or next_byte > 0xBF then return false end
      end
      local second = string.byte(text, at + 1)
      if (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F)
        or (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F) then
        return false
      end
      at = at + more + 1
    end
  end
  return true
end

local function quoted(text)
  local escaped = string.gsub(text, '[%c"\\\127]', function(character)
    if character == '"' or character == "\\" then return "\\" .. character end
    return string.format("\\u%04x", string.byte(character))
  end)
  return '"' .. escaped .. '"'
end

-- Rewords the transcoder's errors about JSON whose shape does not fit the message; nil for others.
local function wrong_shape(text)
  local place, problem = string.match(text, "^([%w_%.%[%]]*): (.+)$")
  if not place then return nil end
  local twice = string.match(problem, "^invalid value oneof field '_[%w_]+' is already set%. Cannot set '([%w_]+)'")
  if twice then -- the transcoder sees an optional field as a oneof
    if place ~= "" then twice = place .. "." .. twice end
    return "Invalid " .. twice .. ". Expected it once, not several times."
  end
  local name = string.match(problem, "^invalid value Starting an object on a scalar field for type ([%w_]+)$")
  if name then
    if place ~= "" then name = place .. "." .. name end
    return "Invalid " .. name .. ". Expected a single value, not an object."
  end
  if problem == "Proto field is not repeating, cannot start list." then
    if place ~= "" then place = " in " .. place end
    return "Invalid request body: a field" .. place .. " has a list where it takes one value."
  end
  if problem == "Root element must be a message." then
    return "Invalid request body: expected a JSON object."
  end
  if problem == "Proto fields must have a name." then
    return "Invalid request body: a name is empty."
  end
  return nil
end

-- Rewords an error of the transcoder so that it says what to do. The error may quote the request, so
-- the value of a field that holds a secret is left out.
local function plain(text)
  local shape = wrong_shape(text)
  if shape then return shape end
  local field, value, kind = string.match(text, "^([%w_%.%[%]]+): invalid value (.+) for type ([%w_%./]+)$")
  if field then
    local expected = EXPECTED[kind] or "a JSON object" -- the rest are names of messages
    if string.find(field, "secret") or string.find(field, "token") or string.find(field, "key") then
      return "Invalid " .. field .. ". Expected " .. expected .. "."
    end
    value = string.gsub(string.gsub(value, '^"', ""), '"$', "")
    if #value > 80 then value = string.sub(value, 1, 80) .. "..." end
    return "Invalid " .. field .. " '" .. value .. "'. Expected " .. expected .. "."
  end
  if starts_with(text, "Message too deep") then
    return "Invalid request body: it is nested too deeply."
  end
  -- An error of the JSON parser: a sentence, the faulty line, and a caret below the fault.
  local problem = string.match(text, "^([^\n]-)%.?\n.*%^%s*$")
  if problem then
    return "Invalid request body: " .. string.lower(string.sub(problem, 1, 1)) .. string.sub(problem, 2)
      .. ". Send valid JSON."
  end
  return text
end

local function or_else(text, other)
  if text == "" then return other end
  return text
end

local function fill_in(handle, detail)
  -- `true` adds a body to an answer without one. Waiting for the body invalidates headers that were
  -- fetched before, so they are fetched again.
  local size = handle:body(true):setBytes('{"detail":' .. detail .. "}")
  local headers = handle:headers()
  headers:replace("content-type", "application/json")
  headers:replace("content-length", tostring(size))
end

local function without_grpc_headers(headers)
  for _, name in ipairs(GRPC_RESPONSE_HEADERS) do headers:remove(name) end
end

-- Returns whether the request names exactly one host; refuses it otherwise. Envoy joins two Host
-- headers, or a `host` beside :authority, with a comma, which no host name contains. Two equal hosts are
-- allowed over HTTP/2, because some proxies send both headers.
local function names_one_host(handle, headers)
  local host = headers:get(":authority")
  if not (host and string.find(host, ",", 1, true)) then return true end
  local first, second = string.match(host, "^([^,]+),([^,]+)$")
  if first and first == second and handle:streamInfo():protocol() == "HTTP/2" then
    headers:replace(":authority", first)
    return true
  end
  handle:respond({ [":status"] = "400" }, "The request names more than one host. Send one Host header.")
  return false
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if not names_one_host(handle, headers) then return end
  if starts_with(headers:get("content-type"), "application/grpc") then return end
  for _, name in ipairs(GRPC_REQUEST_HEADERS) do headers:remove(name) end
  local path = headers:get(":path")
  if headers:get(":method") == "POST" and path
    and percent_decoded(string.match(path, "^[^?#]*")) == CREDENTIALS
    and not is_json(headers:get("content-type")) then
    handle:respond({ [":status"] = "400" },
      "Send the body as Content-Type: application/json.")
    return
  end
  if path and string.find(path, "[%%\128-\255]") and not is_utf8(percent_decoded(path)) then
    handle:respond({ [":status"] = "400" },
      "The path or the query is not valid UTF-8. Percent-encode it as UTF-8.")
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local status = tonumber(headers:get(":status"))
  if status < 400 then
    local kind = headers:get("content-type")
    if kind == "text/event-stream" then
      without_grpc_headers(headers)
      headers:replace("x-accel-buffering", "no") -- so that a proxy between does not hold events back
    elseif kind == "application/json" then
      without_grpc_headers(headers)
      -- Envoy's transcoder does not support `response_body` for a repeated field, so the field is cut
      -- out of the JSON here. Routes that need this carry the field's name as metadata.
      local field = handle:metadata():get("unwrap")
      if field then
        local body = handle:body(true)
        local opening = '{"' .. field .. '":'
        local json = body:getBytes(0, body:length())
        if starts_with(json, opening) then
          local size = body:setBytes(string.sub(json, #opening + 1, -2))
          handle:headers():replace("content-length", tostring(size))
        end
      end
    end
    return
  end

  local message = headers:get("grpc-message")
  without_grpc_headers(headers)
  if message then
    -- The gRPC protocol percent-encodes the message, so it may hold any character.
    fill_in(handle, quoted(or_else(percent_decoded(message), NO_REASON)))
    return
  end
  local body = handle:body(true)
  local text = body:getBytes(0, body:length())
  local converted = string.match(text, TRANSCODED)
  if converted then
    fill_in(handle, '"' .. or_else(converted, NO_REASON) .. '"') -- JSON already
  else
    if text == "Bad Request" then text = "" end
    fill_in(handle, quoted(plain(or_else(text, "This is not a valid HTTP request."))))
  end
end

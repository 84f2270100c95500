-- Decides who may call /mcp, and corrects answers of Envoy's MCP bridge that clients do not understand.
--
-- The one thing to know: this runs before the bridge, so requests here are still JSON-RPC, and answers
-- are JSON-RPC again.

local PATH = "/mcp"

local function host_of(authority)
  local host = string.match(authority, "^%[(.-)%]") or string.match(authority, "^[^:]*")
  return (string.gsub(string.lower(host), "%.$", ""))
end

local function is_ours(host, names)
  return names[host] or string.find(host, "^127%.%d+%.%d+%.%d+$")
end

-- Returns why a request is refused, or nil. A browser sends the host that it believes to call and the
-- origin of the calling page; the page can forge neither. Other programs send no Origin.
local function refusal_of(headers, metadata)
  local names, origins = metadata:get("hosts") or {}, metadata:get("origins") or {}
  if not is_ours(host_of(headers:get(":authority") or ""), names) then
    return "This host name may not call /mcp. Use localhost, or add the name to TASTY_PUBLIC_NAMES."
  end
  local origin = headers:get("origin")
  if not origin then return nil end
  origin = string.lower(origin)
  local authority = string.match(origin, "^https?://([^/]+)$")
  if origins[origin] or (authority and is_ours(host_of(authority), names)) then return nil end
  return "Pages of this origin may not call /mcp. Add the origin to TASTY_CORS_ORIGINS."
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get(":path") or ""
  if string.match(path, "^[^?]*") ~= PATH then return end
  -- Marks the call as one of a model, which the server limits to what TASTY_MCP allows.
  headers:replace("x-tasty-origin", "mcp")
  if headers:get(":method") ~= "POST" then return end
  local refused = refusal_of(headers, handle:metadata())
  if refused then
    handle:respond({ [":status"] = "403" }, refused)
    return
  end
  handle:streamInfo():dynamicMetadata():set("mcp", "called", true)
  -- Without a body the bridge would wait until the stream times out.
  if headers:get("content-length") == "0" then
    handle:respond({ [":status"] = "400" }, "The request has no body. Send a JSON-RPC message.")
  end
end

function envoy_on_response(handle)
  local called = handle:streamInfo():dynamicMetadata():get("mcp")
  if not (called and called["called"]) then return end
  -- When a tool refuses, the reason is in the result, for the model to read. Official clients discard
  -- the result if the status is an error, so 403 becomes 200. 401 stays: the API key is missing or
  -- wrong, which a person has to correct.
  if handle:headers():get(":status") == "403" then
    handle:headers():replace(":status", "200")
  end
end

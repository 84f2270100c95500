-- What clients of MCP see, where Envoy's bridge says it in a way that they do not understand; and who
-- may call at all.
--
-- The one thing to know: this runs before the bridge, so the requests here are JSON-RPC still, and the
-- answers are JSON-RPC already.

local PATH = "/mcp"

local function host_of(authority)
  local host = string.match(authority, "^%[(.-)%]") or string.match(authority, "^[^:]*")
  return (string.gsub(string.lower(host), "%.$", ""))
end

local function is_ours(host, names)
  return names[host] or string.find(host, "^127%.%d+%.%d+%.%d+$")
end

-- Returns why a request is refused, or nil. A browser names the host that it believes to call, and the
-- origin of the page that makes it call; the page can forge neither. Other programs send no Origin.
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
  -- The server allows what a model calls no more than TASTY_MCP says.
  headers:replace("x-tasty-origin", "mcp")
  if headers:get(":method") ~= "POST" then return end
  local refused = refusal_of(headers, handle:metadata())
  if refused then
    handle:respond({ [":status"] = "403" }, refused)
    return
  end
  handle:streamInfo():dynamicMetadata():set("mcp", "called", true)
  -- The bridge would wait for the body until the stream is given up.
  if headers:get("content-length") == "0" then
    handle:respond({ [":status"] = "400" }, "The request has no body. Send a JSON-RPC message.")
  end
end

function envoy_on_response(handle)
  local called = handle:streamInfo():dynamicMetadata():get("mcp")
  if not (called and called["called"]) then return end
  -- A tool that refuses has answered: the sentence is in the result, for the model to read. Official
  -- clients throw the result away when the status is an error. 401 stays one: the key is missing or
  -- wrong, and that is for a person to mend.
  if handle:headers():get(":status") == "403" then
    handle:headers():replace(":status", "200")
  end
end

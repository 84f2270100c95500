-- What clients of MCP see, where Envoy's bridge says it in a way that they do not understand.
--
-- The one thing to know: this runs before the bridge, so the requests here are JSON-RPC still, and the
-- answers are JSON-RPC already.

local PATH = "/mcp"

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get(":path") ~= PATH or headers:get(":method") ~= "POST" then return end
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

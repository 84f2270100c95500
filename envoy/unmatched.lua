-- Answers REST requests without an rpc: 405 if the path exists, else 404.
--
-- The one thing to know: this runs after the transcoder, which has turned every known request into
-- gRPC, so the content type tells which requests are left.

function envoy_on_request(handle)
  local kind = handle:headers():get("content-type")
  if kind and string.sub(kind, 1, 16) == "application/grpc" then return end
  if handle:metadata():get("served") then return end -- a static file, answered by its route
  local allowed = handle:metadata():get("allow")
  if allowed then
    handle:respond({ [":status"] = "405", allow = allowed },
      "Method not allowed. Allowed here: " .. allowed .. ".")
  else
    handle:respond({ [":status"] = "404" },
      "No route has this path. Check its spelling: all but /health start with /api/v1/.")
  end
end

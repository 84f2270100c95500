-- Answers REST requests that no rpc has taken: 405 where the path exists, else 404.
--
-- The one thing to know: this runs after the transcoder, which has made gRPC of everything that it
-- knows, so it is enough to look at the content type.

function envoy_on_request(handle)
  local kind = handle:headers():get("content-type")
  if kind and string.sub(kind, 1, 16) == "application/grpc" then return end
  if handle:metadata():get("served") then return end -- a file, which its route answers with
  local allowed = handle:metadata():get("allow")
  if allowed then
    handle:respond({ [":status"] = "405", allow = allowed },
      "Method not allowed. Allowed here: " .. allowed .. ".")
  else
    handle:respond({ [":status"] = "404" },
      "No route has this path. Check its spelling: all but /health start with /api/v1/.")
  end
end

"""Gives every call an id: the caller's own where it is sound, else a new one.

It goes back in the trailing metadata, into every line that the call logs, and into the text of an
internal error, so it must not carry anything that a log or a header would trip over.
"""

from __future__ import annotations

__all__ = ["RequestId"]

import re
import secrets
from typing import Any

from server.logs import REQUEST_ID
from server.rpc.call import Call
from server.rpc.chain import Body

_SOUND = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class RequestId:
    async def around(self, call: Call, proceed: Body) -> Any:
        if not call.inner:
            given = call.header("x-request-id")
            sound = given is not None and _SOUND.fullmatch(given)
            call.request_id = given if given and sound else secrets.token_hex(8)
            # Never reset: gRPC serves each call in a task, and so in a context, of its own.
            REQUEST_ID.set(call.request_id)

        return await proceed(call)

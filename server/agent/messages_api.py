"""The Anthropic Messages API through its SDK: the only module that imports it.

Import this in a thread, and only when a model is needed: the import takes two seconds. The SDK's
exceptions end here; what they say of the request is for the log, never for a client.
"""

from __future__ import annotations

__all__ = ["MessagesApi", "answer_of", "arguments_of"]

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import anthropic
import httpx2
import structlog

from server.agent.chat_events import Usage
from server.agent.model import ModelAnswer, ModelRequest, TextPiece
from server.clock import Clock
from server.errors import ModelUnavailable
from server.secret import Secret
from server.tls import trusted

CONNECT_S = 5.0
SILENCE_S = 120.0
"""The longest pause between two pieces of an answer; a stream pings more often than that."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 20.0
"""Who should wait longer is told so at once."""
IN_ONE_STEP = 16
"""Events of an answer that are read before others get their turn: reading what has arrived never
waits, and of a quick model a whole answer has."""

STATUSES = {
    400: "it refused the request",
    401: "it refused the server's key; whoever runs this server must set a valid ANTHROPIC_API_KEY",
    403: "the server's key may not use it",
    404: "it does not exist; see TASTY_CHAT_MODEL and TASTY_ANALYSIS_MODEL",
    413: "the conversation is too long",
    429: "it is limiting our requests",
    529: "it is overloaded",
}


class MessagesApi:
    """One client for the whole process; `close` ends its connections."""

    def __init__(self, *, key: Secret, url: str, clock: Clock) -> None:
        # Everything is given, so that nothing is taken from the environment or a profile on disk.
        # The SDK's own retries are off: it waits for as long as `retry-after` says, be it an hour.
        patience = anthropic.Timeout(SILENCE_S, connect=CONNECT_S)
        self._client = anthropic.AsyncAnthropic(
            api_key=key.reveal(),
            base_url=url,
            max_retries=0,
            timeout=patience,
            http_client=anthropic.DefaultAsyncHttpxClient(
                base_url=url, timeout=patience, verify=trusted()
            ),
        )
        self._clock = clock
        self._random = Random()  # noqa: S311 - spreads retries, guards nothing
        self._log = structlog.get_logger("server.agent")

    async def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        """Yields the answer's pieces, then the whole; raises ModelUnavailable."""
        for attempt in count():
            begun = False
            try:
                async with aclosing(self._once(request)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece

                return
            except Failed as failure:
                self._log.warning("model_failed", model=request.model, **failure.told)
                again = not begun and attempt < request.retries
                if not again or failure.pause_s is None or failure.pause_s > LONGEST_PAUSE_S:
                    raise ModelUnavailable(failure.what) from failure

                pause_s = max(failure.pause_s, self._random.uniform(0, FIRST_PAUSE_S * 2**attempt))

            await self._clock.sleep(timedelta(seconds=pause_s))

    async def close(self) -> None:
        await self._client.close()

    async def _once(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        try:
            async with self._client.messages.stream(**arguments_of(request)) as stream:
                read = 0
                async for event in stream:
                    if event.type == "text":
                        yield TextPiece(event.text)

                    read += 1
                    if not read % IN_ONE_STEP:
                        await asyncio.sleep(0)

                message = await stream.get_final_message()
        except anthropic.APIStatusError as error:
            raise _refused(error) from error
        except anthropic.APITimeoutError as error:
            raise Failed("it did not answer in time", pause_s=0.0) from error
        except (anthropic.APIError, httpx2.HTTPError) as error:
            # The second kind passes the SDK unwrapped, when a stream breaks off.
            told = {"error": type(error).__name__}
            raise Failed("the connection to it failed", pause_s=0.0, told=told) from error
        except ValueError as error:
            # The SDK's word for a stream that is no JSON, and for a tool's input that is none.
            told = {"error": type(error).__name__}
            raise Failed("its answer could not be read", pause_s=0.0, told=told) from error

        yield answer_of(message)


class Failed(Exception):
    """One attempt that came to nothing."""

    def __init__(
        self, what: str, *, pause_s: float | None, told: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.pause_s = pause_s
        """How long to wait at least before the next; None: another would fail as well."""
        self.told = dict(told or {})
        """For the log only."""


def arguments_of(request: ModelRequest) -> dict[str, Any]:
    """Returns a request as the SDK takes it."""
    arguments: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": list(request.system),
        "messages": list(request.messages),
    }
    if request.tools:
        arguments["tools"] = list(request.tools)
        arguments["tool_choice"] = {"type": "auto" if request.may_call else "none"}

    if request.effort:
        arguments["output_config"] = {"effort": request.effort}

    return arguments


def answer_of(message: Any) -> ModelAnswer:
    """Returns the SDK's message as ours."""
    usage = message.usage
    return ModelAnswer(
        # Models make blocks of text without any, and the API refuses to take those back.
        blocks=[_block(each) for each in message.content if each.type != "text" or each.text],
        stop_reason=message.stop_reason or "",
        usage=Usage(
            input_tokens=usage.input_tokens or 0,
            output_tokens=usage.output_tokens or 0,
            cache_read_input_tokens=usage.cache_read_input_tokens or 0,
            cache_creation_input_tokens=usage.cache_creation_input_tokens or 0,
            turns=1,
        ),
        model=message.model,
    )


def _block(block: Any) -> dict[str, Any]:
    """Returns a block as the API takes it back: without what the SDK has added."""
    fields: dict[str, Any] = block.to_dict()
    fields.pop("parsed_output", None)
    return fields


def _refused(error: anthropic.APIStatusError) -> Failed:
    status = error.status_code
    told = {
        "status": status,
        "model_request_id": error.request_id,
        "words": str(error.body)[:500],
    }
    if status < 400:  # an error event within a stream that had begun well
        return Failed("it failed in the middle of its answer", pause_s=0.0, told=told)

    what = STATUSES.get(status) or f"it answered {status}"
    worth_it = status in (408, 409, 429) or status >= 500
    return Failed(what, pause_s=_retry_after(error) if worth_it else None, told=told)


def _retry_after(error: anthropic.APIStatusError) -> float:
    try:
        return max(float(error.response.headers.get("retry-after", "0")), 0.0)
    except ValueError:  # a date; nobody sends one
        return 0.0

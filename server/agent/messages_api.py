"""The Anthropic Messages API through its SDK: the only module that imports it.

Import this in a thread, and only when a model is needed: the import takes two seconds. The SDK's
exceptions end here; what they say of the request is for the log, never for a client.
"""

from __future__ import annotations

__all__ = ["MessagesApi", "answer_of", "arguments_of"]

from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import httpx2
import structlog

from server.agent.model import ModelAnswer, ModelRequest, TextPiece
from server.agent.talk import Usage
from server.errors import ModelUnavailable
from server.secret import Secret

CONNECT_S = 5.0
SILENCE_S = 120.0
"""The longest pause between two pieces of an answer; a stream pings more often than that."""
RETRIES = 2

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

    def __init__(self, *, key: Secret, url: str) -> None:
        # Everything is given, so that nothing is taken from the environment or a profile on disk.
        self._client = anthropic.AsyncAnthropic(
            api_key=key.reveal(),
            base_url=url,
            max_retries=RETRIES,
            timeout=anthropic.Timeout(SILENCE_S, connect=CONNECT_S),
        )
        self._log = structlog.get_logger("server.agent")

    async def ask(
        self, request: ModelRequest, *, retries: int = RETRIES
    ) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        """Yields the answer's pieces, then the whole; raises ModelUnavailable."""
        client = self._client.with_options(max_retries=retries)
        try:
            async with client.messages.stream(**arguments_of(request)) as stream:
                async for event in stream:
                    if event.type == "text":
                        yield TextPiece(event.text)

                message = await stream.get_final_message()
        except anthropic.APIStatusError as error:
            self._log.warning(
                "model_refused",
                status=error.status_code,
                model=request.model,
                model_request_id=error.request_id,
                words=str(error.body)[:500],
            )
            raise ModelUnavailable(_what(error)) from error
        except anthropic.APITimeoutError as error:
            raise ModelUnavailable("it did not answer in time") from error
        except (anthropic.APIError, httpx2.HTTPError) as error:
            # The second kind passes the SDK unwrapped, when a stream breaks off.
            self._log.warning("model_failed", model=request.model, error=type(error).__name__)
            raise ModelUnavailable("the connection to it failed") from error

        yield answer_of(message)

    async def close(self) -> None:
        await self._client.close()


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
        blocks=[_block(block) for block in message.content],
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


def _what(error: anthropic.APIStatusError) -> str:
    if error.status_code < 400:  # an error event within a stream that had begun well
        return "it failed in the middle of its answer"

    return STATUSES.get(error.status_code) or f"it answered {error.status_code}"

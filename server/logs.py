"""Sets up logging: text lines or JSON, each with the request id, none with a secret.

Libraries log at INFO or above, whatever `log_level` says: at DEBUG the broker's SDK and the HTTP
clients print tokens and headers. All lines pass `redacted`, which is only the second line of
defence: it knows the usual names of secrets, the forms of tokens, and the values that `hide` was
given in the same call.
"""

from __future__ import annotations

__all__ = ["REQUEST_ID", "configure", "hide", "redacted"]

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from server.settings import Settings

STARS = "***"
PLAIN = frozenset({type(None), bool, int, float})
"""Types whose values contain no text to redact."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id")
"""The id of the call that the running task serves; set by the first link of the chain."""

_HIDDEN: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())

LONGEST_TEXT = 20_000
"""Maximum characters of one value in a line; a page of HTML would fill the log otherwise."""

SHORTEST_HIDDEN = 6
"""Minimum length of a hidden text; a shorter one would redact ordinary words."""

_NAME = (
    r"(?:secret|token(?!s|_type|_count)|password|passwd|api[_-]?key|admin[_-]?key|master[_-]?key"
    r"|authorization|cookie|pepper|credential)[\w.-]{0,40}"
)
_QUOTE = r"""\\*["']"""
_NAMED = re.compile(_NAME, re.IGNORECASE)
_PATTERNS = (
    # name=value, "name": "value", ('name', b'Bearer value'), name: value; quotes may be escaped.
    re.compile(
        rf"""(?P<keep>{_NAME}(?:{_QUOTE})?\s*(?:[:=]|=>|(?<=["'])\s*,)\s*(?:[bru]?{_QUOTE})?"""
        r"""(?:(?:bearer|basic)\s+)?)(?P<value>[^\s"'\\,;&})\]]+)""",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)(?P<value>[\w.~+/=-]{6,})", re.IGNORECASE),
    re.compile(r"(?P<keep>://)(?P<value>[^/\s@:\"']+:[^/\s@\"']+)(?=@)"),
    re.compile(r"(?P<keep>)(?P<value>\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?)"),
    re.compile(r"(?P<keep>)(?P<value>\bsk-ant-[\w-]+)"),
)
_SUSPECT = (
    *("secret", "token", "passw", "key", "authorization", "cookie", "pepper", "credential"),
    *("bearer", "basic", "://", "eyj", "sk-ant"),
)
"""Every text that the patterns above could change contains one of these in lower case. Searching
for each in turn is three times as fast as one pattern for all."""


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Makes structlog and the standard library write to `stream` (stderr); may be called again."""
    stream = sys.stderr if stream is None else stream
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    common: list[Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(),
        _redact,
    ]
    renderer = _renderer(settings, stream)
    structlog.configure(
        processors=[*common, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )

    libraries = max(level, logging.INFO if level < logging.INFO else logging.WARNING)
    handler = logging.StreamHandler(stream)
    # Not only by the root's level: the broker's SDK sets its own logger to DEBUG when imported.
    handler.addFilter(lambda said: _is_ours(said.name) or said.levelno >= libraries)
    handler.addFilter(lambda said: not _tells_of_a_client_that_left(said))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(libraries)
    logging.getLogger("server").setLevel(level)


def hide(secret: str) -> None:
    """Redacts a text in every line that the running call logs from now on."""
    if len(secret) >= SHORTEST_HIDDEN:
        _HIDDEN.set((*_HIDDEN.get(), secret))


def redacted(value: Any) -> Any:
    """Returns a value for the log with its secrets redacted; looks into mappings and sequences."""
    if isinstance(value, str):
        return _redacted_text(value)

    if isinstance(value, Mapping):
        return {name: _redacted_item(name, item) for name, item in value.items()}

    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]

    if type(value) in PLAIN:
        return value

    return _redacted_text(str(value))


def _is_ours(logger: str) -> bool:
    return logger == "server" or logger.startswith("server.")


def _tells_of_a_client_that_left(said: logging.LogRecord) -> bool:
    """Recognises gRPC's error about a client that disconnected before its answer was sent.

    Our code cannot catch it, and the access log has a line for the call anyway.
    """
    return said.name.startswith("grpc.") and said.getMessage().startswith("ExecuteBatchError ")


def _redacted_item(name: object, value: Any) -> Any:
    if isinstance(name, str) and _names_a_secret(name) and type(value) not in PLAIN:
        return STARS

    return redacted(value)


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return _NAMED.search(name) is not None


def _redacted_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"

    for hidden in _HIDDEN.get():
        text = text.replace(hidden, STARS)

    if not _is_suspect(text):
        return text

    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<keep>{STARS}", text)

    return text


def _is_suspect(text: str) -> bool:
    if not text.isascii():
        return True  # beyond ASCII a pattern knows more spellings of a letter than lower() does

    lowered = text.lower()
    for part in _SUSPECT:  # noqa: SIM110 - any() would take as long again
        if part in lowered:
            return True

    return False


def _redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        # Keys that begin with an underscore are structlog's own, and not printed.
        if type(value) not in PLAIN and not name.startswith("_"):
            event[name] = _redacted_item(name, value)

    return event


def _add_request_id(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get("")
    if request_id:
        event["request_id"] = request_id

    return event


def _renderer(settings: Settings, stream: TextIO) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_json)

    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _json(event: EventDict, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()

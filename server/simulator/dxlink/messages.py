"""Parses the dxLink messages of clients and writes those of the server.

Every message is JSON with `type` and `channel`; channel 0 is the connection itself.
"""

from __future__ import annotations

__all__ = [
    "KEEPALIVE",
    "BadAction",
    "InvalidMessage",
    "ProtocolError",
    "Subscription",
    "Unauthorized",
    "UnsupportedProtocol",
    "auth_state",
    "channel_closed",
    "channel_opened",
    "error",
    "feed_config",
    "feed_data",
    "parse",
    "read_number",
    "read_subscriptions",
    "setup",
]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

SERVER_VERSION = "1.0-simulator/1.0"


class ProtocolError(Exception):
    """Reports a client's mistake; answered with an ERROR message of its type."""

    type: ClassVar[str] = "UNKNOWN"

    def __init__(self, message: str, *, channel: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.channel = channel


class UnsupportedProtocol(ProtocolError):
    """Tells that the client speaks another version."""

    type = "UNSUPPORTED_PROTOCOL"


class Unauthorized(ProtocolError):
    """Tells that the client has to authorize first."""

    type = "UNAUTHORIZED"


class InvalidMessage(ProtocolError):
    """Tells that the message cannot be read."""

    type = "INVALID_MESSAGE"


class BadAction(ProtocolError):
    """Tells that the message can be read, but is not allowed now or in this form."""

    type = "BAD_ACTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Holds one entry of `add` or `remove`."""

    event_type: str
    symbol: str
    from_time: int | None = None
    """Milliseconds since 1970; if set, a time series from that instant on is requested."""


def parse(raw: bytes) -> dict[str, Any]:
    """Parses the fields that all messages share; raises `InvalidMessage`."""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise InvalidMessage("The message is not valid JSON") from None

    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InvalidMessage("The message has no type")

    channel = message.get("channel")
    if not isinstance(channel, int) or isinstance(channel, bool) or channel < 0:
        raise InvalidMessage("The message has no channel")

    return message


def read_number(message: Mapping[str, Any], name: str) -> float | None:
    """Returns a finite number that may be missing or null; otherwise raises `InvalidMessage`."""
    value = message.get(name)
    # JavaScript clients write NaN ("no preference") as null or as text.
    if value is None or value == "NaN":
        return None

    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidMessage(f"{name} is not a number", channel=message["channel"])

    return float(value)


def read_subscriptions(message: Mapping[str, Any], name: str) -> list[Subscription]:
    """Returns the entries of `add` or `remove`; raises `InvalidMessage`."""
    entries = message.get(name)
    if entries is None:
        return []

    channel = message["channel"]
    if not isinstance(entries, list):
        raise InvalidMessage(f"{name} is not a list", channel=channel)

    result = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise InvalidMessage(f"{name} has an entry that is no object", channel=channel)

        event_type, symbol, from_time = map(entry.get, ("type", "symbol", "fromTime"))
        if not isinstance(event_type, str) or not isinstance(symbol, str):
            raise InvalidMessage(f"{name} has an entry without type or symbol", channel=channel)

        if from_time is not None and (
            isinstance(from_time, bool) or not isinstance(from_time, int | float)
        ):
            raise InvalidMessage("fromTime is not a number", channel=channel)

        result.append(
            Subscription(
                event_type=event_type,
                symbol=symbol,
                from_time=None if from_time is None else int(from_time),
            )
        )

    return result


def setup(keepalive_timeout: float, accept_keepalive_timeout: float) -> bytes:
    return _make_frame(
        "SETUP",
        0,
        keepaliveTimeout=_to_number(keepalive_timeout),
        acceptKeepaliveTimeout=_to_number(accept_keepalive_timeout),
        version=SERVER_VERSION,
    )


def auth_state(user_id: str | None) -> bytes:
    """Writes `AUTHORIZED` with a user id, `UNAUTHORIZED` without one."""
    if user_id is None:
        return _make_frame("AUTH_STATE", 0, state="UNAUTHORIZED")

    return _make_frame("AUTH_STATE", 0, state="AUTHORIZED", userId=user_id)


def channel_opened(channel: int, service: str, parameters: Mapping[str, Any]) -> bytes:
    return _make_frame("CHANNEL_OPENED", channel, service=service, parameters=parameters)


def channel_closed(channel: int) -> bytes:
    return _make_frame("CHANNEL_CLOSED", channel)


def feed_config(
    channel: int, period: float, data_format: str, fields: Mapping[str, Sequence[str]]
) -> bytes:
    extra = {"eventFields": fields} if fields else {}
    return _make_frame(
        "FEED_CONFIG",
        channel,
        aggregationPeriod=_to_number(period),
        dataFormat=data_format,
        **extra,
    )


def feed_data(channel: int, data: Sequence[Any]) -> bytes:
    return _make_frame("FEED_DATA", channel, data=data)


def error(kind: str, message: str, channel: int = 0) -> bytes:
    return _make_frame("ERROR", channel, error=kind, message=message)


def _make_frame(kind: str, channel: int, **payload: Any) -> bytes:
    return orjson.dumps({"type": kind, "channel": channel, **payload})


def _to_number(value: float) -> float:
    # 60 and not 60.0: a typed client may insist on an integer.
    return int(value) if value == int(value) else value


KEEPALIVE = _make_frame("KEEPALIVE", 0)

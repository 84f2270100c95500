"""429: the queue, the streams, the chats or the model's budget of an API key are used up."""

from __future__ import annotations

__all__ = [
    "ModelBudgetUsed",
    "QueueFull",
    "QueueTooSlow",
    "ReaderTooSlow",
    "TooManyChats",
    "TooManyStreams",
]

from datetime import datetime

from server.errors.families import TooManyRequests


class QueueFull(TooManyRequests):
    reason = "ERROR_REASON_QUEUE_FULL"

    def __init__(self, *, waiting: int, rate: float) -> None:
        super().__init__(
            f"Rate limit: {waiting} requests of this API key are waiting already, and {rate:g} are "
            "served each second. Send fewer at once.",
            waiting=waiting,
            rate=rate,
        )


class QueueTooSlow(TooManyRequests):
    """The turn would come after the caller's deadline, so the answer comes now."""

    reason = "ERROR_REASON_QUEUE_TOO_SLOW"

    def __init__(self, *, wait_s: float, left_s: float, rate: float) -> None:
        super().__init__(
            f"Rate limit: the turn of this request comes in {wait_s:.1f} s, but its deadline is in "
            f"{left_s:.1f} s ({rate:g} requests are served each second). Send fewer, or allow more "
            "time.",
            retry_after=f"{wait_s:.1f}",
        )


class TooManyChats(TooManyRequests):
    """`whose` is "API key" or "server"."""

    reason = "ERROR_REASON_TOO_MANY_CHATS"

    def __init__(self, *, running: int, allowed: int, whose: str) -> None:
        super().__init__(
            f"Too many chats at once: {running} run, and {allowed} are allowed for this {whose}. "
            "Wait until one has ended.",
            running=running,
            allowed=allowed,
        )


class ModelBudgetUsed(TooManyRequests):
    """The day's tokens of the operator's model key are used up for one tenant."""

    reason = "ERROR_REASON_MODEL_BUDGET_USED"

    def __init__(self, *, used: int, allowed: int, needed: int, renewed_at: datetime) -> None:
        super().__init__(
            f"The model's budget of this API key is used up for today: {used} of {allowed} tokens "
            f"are used or in use, and this needs up to {needed}. It is new again at "
            f"{renewed_at.isoformat()}, midnight in New York.",
            used=used,
            allowed=allowed,
            needed=needed,
            renewed_at=renewed_at.isoformat(),
        )


class TooManyStreams(TooManyRequests):
    """`whose` is "API key" or "server"."""

    reason = "ERROR_REASON_TOO_MANY_STREAMS"

    def __init__(self, *, open_streams: int, allowed: int, whose: str) -> None:
        super().__init__(
            f"Too many open streams: {open_streams} of {allowed} allowed for this {whose}. Close "
            "one, or follow more symbols in one stream.",
            open=open_streams,
            allowed=allowed,
        )


class ReaderTooSlow(TooManyRequests):
    """Of a stream whose messages may not be dropped."""

    reason = "ERROR_REASON_READER_TOO_SLOW"

    def __init__(self, *, behind: int, cursor: str) -> None:
        super().__init__(
            f"The stream was closed because its reader is {behind} events behind. Nothing is lost: "
            f"go on with cursor={cursor}",
            behind=behind,
            cursor=cursor,
        )

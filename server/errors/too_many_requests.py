"""429: what one caller, or all together, may use at once is used up."""

from __future__ import annotations

__all__ = [
    "CustomerPaceUsedUp",
    "LoginsHeldBack",
    "ModelBudgetUsed",
    "QueueFull",
    "QueueTooHeavy",
    "QueueTooSlow",
    "ReaderTooSlow",
    "TooManyCandles",
    "TooManyChains",
    "TooManyChats",
    "TooManyStreams",
    "TooManySymbols",
    "TooManyWrongKeys",
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


class QueueTooHeavy(TooManyRequests):
    """Requests that wait are kept in memory; `whose` is "API key" or "server"."""

    reason = "ERROR_REASON_QUEUE_TOO_HEAVY"

    def __init__(self, *, held: int, allowed: int, whose: str) -> None:
        super().__init__(
            f"Rate limit: the requests of this {whose} that are waiting hold "
            f"{held / 2**20:.1f} MiB already, of {allowed / 2**20:.1f} MiB allowed. Send smaller "
            "ones, or fewer at once.",
            held_bytes=held,
            allowed_bytes=allowed,
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


class CustomerPaceUsedUp(TooManyRequests):
    """The broker counts a customer, whichever of his API keys here a request comes with."""

    reason = "ERROR_REASON_CUSTOMER_PACE_USED_UP"

    def __init__(self, *, waiting: int, wait_s: float) -> None:
        super().__init__(
            f"{waiting} requests of this customer, from all API keys that use his accounts, wait "
            "for TastyTrade's published pace already, and the turn of this one would come in "
            f"{wait_s:.1f} s. It was not sent; send fewer at once.",
            retry_after=f"{wait_s:.1f}",
        )


class TooManyStreams(TooManyRequests):
    """`what` is the sort of streams, `whose` is "API key" or "server"."""

    reason = "ERROR_REASON_TOO_MANY_STREAMS"

    def __init__(
        self, what: str, *, open_streams: int, allowed: int, whose: str, few: int | None = None
    ) -> None:
        kept = f", but for those with no more than {few} of them" if few is not None else ""
        super().__init__(
            f"Too many open streams of {what}: {open_streams} of {allowed} allowed for this {whose}"
            f"{kept}. Close one, or follow more symbols in one stream.",
            open=open_streams,
            allowed=allowed,
        )


class TooManyCandles(TooManyRequests):
    """`whose` is "API key" or "server"; a history is counted before it has come."""

    reason = "ERROR_REASON_TOO_MANY_CANDLES"

    def __init__(self, *, wanted: int, room: int, whose: str) -> None:
        super().__init__(
            f"Too many candles: this history may have {wanted}, and {room} more can be kept for "
            f"this {whose} now. Follow fewer symbols, begin later, or choose a longer interval.",
            wanted=wanted,
            room=room,
        )


class TooManyChains(TooManyRequests):
    """Reading one takes much memory for a moment; those that are kept cost nothing."""

    reason = "ERROR_REASON_TOO_MANY_CHAINS"

    def __init__(self, *, reading: int, allowed: int) -> None:
        super().__init__(
            f"{reading} option chains of {allowed} allowed for this server are being read from "
            "TastyTrade at this moment. Try again in a second.",
            reading=reading,
            allowed=allowed,
        )


class TooManySymbols(TooManyRequests):
    """`whose` is "API key" or "server"."""

    reason = "ERROR_REASON_TOO_MANY_SYMBOLS"

    def __init__(self, *, wanted: int, room: int, whose: str) -> None:
        super().__init__(
            f"Too many symbols at once: {wanted} more are asked for, and {room} more can be "
            f"followed for this {whose} now. Close a stream, or wait a minute for those of earlier "
            "requests to be let go.",
            wanted=wanted,
            room=room,
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


class LoginsHeldBack(TooManyRequests):
    """`whose` is "API key", "address" or "server": whose logins were refused too often."""

    reason = "ERROR_REASON_LOGINS_HELD_BACK"

    def __init__(self, *, whose: str, until: datetime, wait_s: float) -> None:
        super().__init__(
            "These credentials have not been tried, and nothing was sent to TastyTrade: it has "
            f"refused too many logins of this {whose}, and would block all of them. Try again "
            f"after {until:%Y-%m-%dT%H:%M:%SZ}.",
            whose=whose,
            retry_after=f"{max(1.0, wait_s):.0f}",
        )


class TooManyWrongKeys(TooManyRequests):
    """Holds for right keys too: else the answer would tell which they are."""

    reason = "ERROR_REASON_TOO_MANY_WRONG_KEYS"

    def __init__(self, *, wait_s: float) -> None:
        super().__init__(
            "Too many wrong keys came from this address, so a key that has not been used from it "
            "lately has to wait. Correct the key, or send fewer requests; try again in "
            f"{max(1.0, wait_s):.0f} s.",
            retry_after=f"{max(1.0, wait_s):.0f}",
        )

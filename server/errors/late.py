"""504: the answer did not come within the time that was allowed."""

from __future__ import annotations

__all__ = ["BrokerTimeout", "ChatTimeout", "DeadlineExceeded", "MarketDataTimeout"]

from collections.abc import Sequence

from server.errors.families import Late, choices


class MarketDataTimeout(Late):
    """No requested symbol had an event in time; `noun` is "quotes" or "Greeks"."""

    reason = "ERROR_REASON_MARKET_DATA_TIMEOUT"

    def __init__(self, noun: str, timeout_s: float, missing: Sequence[str] = ()) -> None:
        super().__init__(
            f"Timeout getting {noun} after {timeout_s:g}s", missing=choices(list(missing))
        )


class BrokerTimeout(Late):
    reason = "ERROR_REASON_BROKER_TIMEOUT"

    def __init__(self, what: str) -> None:
        super().__init__(f"TastyTrade did not answer in time ({what}). Try again.")


class DeadlineExceeded(Late):
    reason = "ERROR_REASON_DEADLINE_EXCEEDED"

    def __init__(self) -> None:
        super().__init__("The request took longer than its deadline. Allow more time.")


class ChatTimeout(Late):
    reason = "ERROR_REASON_CHAT_TIMEOUT"

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            "Request timed out. The query may be too complex. Try breaking it into smaller "
            "requests.",
            timeout_s=f"{timeout_s:g}",
        )

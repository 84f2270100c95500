"""404: what the request names does not exist for this tenant."""

from __future__ import annotations

__all__ = [
    "AccountNotFound",
    "ApiKeyNotFound",
    "ComplexOrderNotFound",
    "CursorNotKept",
    "NoOptions",
    "NotKnownToBroker",
    "OptionNotFound",
    "OrderNotFound",
    "SymbolNotFound",
    "TicketNotFound",
    "WatchlistNotFound",
]

from collections.abc import Sequence

from server.errors.families import NotFound, choices, shortened


class AccountNotFound(NotFound):
    reason = "ERROR_REASON_ACCOUNT_NOT_FOUND"
    field = "account_id"

    def __init__(self, account_id: str, available: Sequence[str]) -> None:
        super().__init__(
            f"Account '{account_id}' not found. Available accounts: {list(available)}",
            account_id=account_id,
        )


class SymbolNotFound(NotFound):
    reason = "ERROR_REASON_SYMBOL_NOT_FOUND"
    field = "symbol"

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"Symbol '{symbol}' not found. Look it up with GET /api/v1/search-symbols.",
            symbol=symbol,
        )


class NoOptions(NotFound):
    """An expiration that the chain of this symbol does not have."""

    reason = "ERROR_REASON_NO_OPTIONS"
    field = "expiration_date"

    def __init__(self, symbol: str, expiration: str, available: Sequence[str]) -> None:
        super().__init__(
            f"No options found for {symbol} expiration {expiration}. "
            f"Available: {choices(available)}",
            symbol=symbol,
            expiration=expiration,
        )


class OptionNotFound(NotFound):
    reason = "ERROR_REASON_OPTION_NOT_FOUND"
    field = "strike_price"

    def __init__(
        self, symbol: str, expiration: str, kind: str, strike: str, available: Sequence[str]
    ) -> None:
        super().__init__(
            f"Option not found: {symbol} {expiration} {kind} {strike}. "
            f"Available strikes: {choices(available)}",
            symbol=symbol,
        )


class ApiKeyNotFound(NotFound):
    reason = "ERROR_REASON_API_KEY_NOT_FOUND"
    field = "api_key"

    def __init__(self, shown: str) -> None:
        super().__init__(f"API key '{shown}' not found in credentials")


class NotKnownToBroker(NotFound):
    """The broker answered 404 for something that has no error of its own here."""

    reason = "ERROR_REASON_NOT_KNOWN_TO_BROKER"

    def __init__(self, words: str) -> None:
        super().__init__(f"TastyTrade does not know this: {words}")


class OrderNotFound(NotFound):
    """No order of that number; `available` are the ones that still work, where that matters."""

    reason = "ERROR_REASON_ORDER_NOT_FOUND"
    field = "order_id"

    def __init__(self, order_id: str, available: Sequence[str] | None = None) -> None:
        order_id = shortened(order_id)
        sentence = f"Order {order_id} not found"
        if available is not None:
            sentence += f" in live orders. Available orders: {choices(available)}"

        super().__init__(sentence, order_id=order_id)


class ComplexOrderNotFound(NotFound):
    reason = "ERROR_REASON_COMPLEX_ORDER_NOT_FOUND"
    field = "complex_order_id"

    def __init__(self, complex_order_id: str) -> None:
        super().__init__(f"Complex order {shortened(complex_order_id)} not found")


class CursorNotKept(NotFound):
    """A cursor of another account or server, or one older than what is kept."""

    reason = "ERROR_REASON_CURSOR_NOT_KEPT"
    field = "cursor"

    def __init__(self, cursor: str) -> None:
        super().__init__(
            f"No events are kept after the cursor '{cursor[:40]}'. Read orders, positions and "
            "balances anew, and stream without a cursor."
        )


class WatchlistNotFound(NotFound):
    reason = "ERROR_REASON_WATCHLIST_NOT_FOUND"
    field = "name"

    def __init__(self, name: str, available: Sequence[str]) -> None:
        super().__init__(
            f"Watchlist '{name}' not found. Available watchlists: {choices(available)}",
            name=name,
        )


class TicketNotFound(NotFound):
    reason = "ERROR_REASON_TICKET_NOT_FOUND"

    def __init__(self, code: str) -> None:
        shown = code if len(code) <= 20 else code[:20] + "…"
        super().__init__(
            f"No order waits for the code '{shown}'. A code works once, for the account of its "
            "order and for 120 seconds. Look at the live orders if it was sent before; else ask "
            "for the order again.",
            code=shown,
        )
        self.field = "confirmation.code"

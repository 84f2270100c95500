"""403: known, but this is not theirs to do."""

from __future__ import annotations

__all__ = [
    "AdminKeyRequired",
    "ApiKeyTaken",
    "ChatTradingOff",
    "ForbiddenByBroker",
    "InvalidAdminKey",
    "MarketNotSeen",
    "McpNoTool",
    "McpOff",
    "McpReadOnly",
    "NotACustomer",
    "NotCapped",
    "OverChatDayCap",
    "OverChatOrderCap",
    "OverDayCap",
    "OverOrderCap",
    "ReduceOnly",
    "RegistrationClosed",
    "SymbolNotAllowed",
    "TooFarFromMarket",
    "TooManyChatOrders",
    "TradingReadOnly",
]


from server.errors.families import NotAllowed


class AdminKeyRequired(NotAllowed):
    reason = "ERROR_REASON_ADMIN_KEY_REQUIRED"

    def __init__(self, action: str) -> None:
        super().__init__(f"{action} needs the administrator's key. Provide X-Admin-Key header.")


class RegistrationClosed(NotAllowed):
    """No new API key can be registered, and there is no administrator who could allow it."""

    reason = "ERROR_REASON_REGISTRATION_CLOSED"

    def __init__(self) -> None:
        super().__init__(
            "Registration of new API keys is closed on this server. Whoever runs it opens it with "
            "TASTY_ADMIN_KEY (for the administrator) or TASTY_REGISTRATION=open (for everybody)."
        )


class InvalidAdminKey(NotAllowed):
    """Told apart from a missing one, so that a typo does not look like a lack of rights."""

    reason = "ERROR_REASON_INVALID_ADMIN_KEY"

    def __init__(self) -> None:
        super().__init__(
            "The key in X-Admin-Key is not the administrator's. Correct it or omit it."
        )


class ApiKeyTaken(NotAllowed):
    """Somebody else's key, or one that the caller has not proven to hold."""

    reason = "ERROR_REASON_API_KEY_TAKEN"

    def __init__(self) -> None:
        super().__init__(
            "This API key cannot be changed by the caller. Present the same key in X-API-Key, or "
            "the administrator's key in X-Admin-Key."
        )


class NotACustomer(NotAllowed):
    """The broker gives market data only to people with an open, funded account."""

    reason = "ERROR_REASON_NOT_A_CUSTOMER"

    def __init__(self, words: str) -> None:
        super().__init__(
            f"TastyTrade gives this user no market data: {words}. Finish opening an account first."
        )


class ForbiddenByBroker(NotAllowed):
    reason = "ERROR_REASON_FORBIDDEN_BY_BROKER"

    def __init__(self, words: str) -> None:
        super().__init__(
            f"TastyTrade does not permit this: {words}. Check the scopes of the OAuth grant."
        )


class TradingReadOnly(NotAllowed):
    """`whose` is "API key" or "server"."""

    reason = "ERROR_REASON_TRADING_READ_ONLY"

    def __init__(self, whose: str) -> None:
        super().__init__(
            f"Risk switch read_only: this {whose} may look, but not trade. Nothing was sent.",
            switch="read_only",
        )


class ReduceOnly(NotAllowed):
    """`whose` is "API key", "account" or "server"."""

    reason = "ERROR_REASON_REDUCE_ONLY"

    def __init__(self, whose: str) -> None:
        super().__init__(
            f"Risk switch reduce_only: this {whose} may cancel orders and reduce positions, and "
            "nothing else. Nothing was sent.",
            switch="reduce_only",
        )


class OverOrderCap(NotAllowed):
    reason = "ERROR_REASON_OVER_ORDER_CAP"

    def __init__(self, whose: str, *, notional: str, allowed: str) -> None:
        super().__init__(
            f"Risk switch order_cap: the order's notional is {notional}, and this {whose} may "
            f"send {allowed} in one order. Nothing was sent.",
            switch="order_cap",
            notional=notional,
            allowed=allowed,
        )


class OverDayCap(NotAllowed):
    reason = "ERROR_REASON_OVER_DAY_CAP"

    def __init__(self, whose: str, *, notional: str, used: str, allowed: str) -> None:
        super().__init__(
            f"Risk switch day_cap: the order's notional is {notional} and {used} was sent today; "
            f"this {whose} may send {allowed} a day. Nothing was sent.",
            switch="day_cap",
            notional=notional,
            used=used,
            allowed=allowed,
        )


class SymbolNotAllowed(NotAllowed):
    reason = "ERROR_REASON_SYMBOL_NOT_ALLOWED"

    def __init__(self, whose: str, symbol: str) -> None:
        super().__init__(
            f"Risk switch symbols: this {whose} may not trade {symbol}. Nothing was sent.",
            switch="symbols",
            symbol=symbol,
        )


class ChatTradingOff(NotAllowed):
    reason = "ERROR_REASON_CHAT_TRADING_OFF"

    def __init__(self) -> None:
        super().__init__(
            "Trading by chat is off (TASTY_CHAT_TRADING). Place the order with "
            "POST /api/v1/place-order.",
            switch="chat_trading",
        )


class OverChatOrderCap(NotAllowed):
    reason = "ERROR_REASON_OVER_CHAT_ORDER_CAP"

    def __init__(self, *, notional: str, allowed: str) -> None:
        super().__init__(
            f"The order's notional is {notional}, and the agent may trade {allowed} in one order "
            "(TASTY_CHAT_ORDER_CAP). Nothing was placed.",
            notional=notional,
            allowed=allowed,
        )


class OverChatDayCap(NotAllowed):
    reason = "ERROR_REASON_OVER_CHAT_DAY_CAP"

    def __init__(self, *, notional: str, used: str, allowed: str) -> None:
        super().__init__(
            f"The order's notional is {notional} and the agent has traded {used} today; it may "
            f"trade {allowed} a day (TASTY_CHAT_DAY_CAP). Nothing was placed.",
            notional=notional,
            used=used,
            allowed=allowed,
        )


class TooManyChatOrders(NotAllowed):
    reason = "ERROR_REASON_TOO_MANY_CHAT_ORDERS"

    def __init__(self, *, allowed: int) -> None:
        super().__init__(
            f"The agent has placed {allowed} orders within an hour and may place no more "
            "(TASTY_CHAT_ORDERS_PER_HOUR). Nothing was placed.",
            allowed=allowed,
        )


class NotCapped(NotAllowed):
    """Nothing that the broker said tells how much the order commits."""

    reason = "ERROR_REASON_NOT_CAPPED"

    def __init__(self) -> None:
        super().__init__(
            "It cannot be told how much money this order commits, so the agent may not trade it. "
            "Nothing was placed; use POST /api/v1/place-order."
        )


class McpOff(NotAllowed):
    """The server serves no calls that a model makes by a tool."""

    reason = "ERROR_REASON_MCP_OFF"

    def __init__(self) -> None:
        super().__init__("MCP is off at this server (TASTY_MCP). Nothing was done.", mcp="off")


class McpReadOnly(NotAllowed):
    """The call changes something, and models may only read here."""

    reason = "ERROR_REASON_MCP_READ_ONLY"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} changes something, and over MCP this server allows reading only (TASTY_MCP). "
            "Nothing was done.",
            mcp="read",
            rpc=name,
        )


class McpNoTool(NotAllowed):
    """The call changes something and is not among the tools, whoever allows those."""

    reason = "ERROR_REASON_MCP_NO_TOOL"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a tool: no model may call it. Nothing was done.", rpc=name)


class TooFarFromMarket(NotAllowed):
    """Models only: a person may give a position away."""

    reason = "ERROR_REASON_TOO_FAR_FROM_MARKET"

    def __init__(self, *, price: str, mid: str, allowed: str) -> None:
        super().__init__(
            f"The order would close at {price}, and the middle of the market is {mid}: a model's "
            f"order may be {allowed} worse (TASTY_CHAT_CLOSE_DISTANCE). Nothing was placed.",
            price=price,
            mid=mid,
            allowed=allowed,
        )


class MarketNotSeen(NotAllowed):
    """Models only, as `TooFarFromMarket`."""

    reason = "ERROR_REASON_MARKET_NOT_SEEN"

    def __init__(self) -> None:
        super().__init__(
            "The market of what this order closes is crossed, one-sided or not quoted now, so a "
            "model may not close it. Nothing was placed; use POST /api/v1/place-order."
        )

"""Everything that can go wrong, as data: one exception a reason, its numbers as fields.

    GatewayError
    ├── BadInput          400  MissingAccountId, InvalidField, UnknownField, InvalidBody,
    │                          NothingGiven, TooManyGiven, InvalidDate, InvalidStrike,
    │                          MissingExpiration, MissingStrike, InvalidOptionType, NotAnOption,
    │                          WeakApiKey, OrderRefused, RefusedByBroker, NotPriceable, OffTick,
    │                          WrongSign, PriceMoved
    ├── NotAuthenticated  401  MissingApiKey, InvalidApiKey, GrantRevoked
    ├── NotAllowed        403  AdminKeyRequired, ApiKeyTaken, NotACustomer, ForbiddenByBroker,
    │                          TradingReadOnly, OverOrderCap, OverDayCap, SymbolNotAllowed,
    │                          ChatTradingOff, OverChatOrderCap, OverChatDayCap,
    │                          TooManyChatOrders, NotCapped
    ├── NotFound          404  AccountNotFound, SymbolNotFound, NoOptions, OptionNotFound,
    │                          ApiKeyNotFound, NotKnownToBroker, ComplexOrderNotFound,
    │                          CursorNotKept, TicketNotFound
    ├── Conflict          409  ClientOrderIdTaken, ClientOrderIdRetired
    ├── TooManyRequests   429  QueueFull, QueueTooSlow, TooManyStreams, ReaderTooSlow
    ├── NotBuilt          501  RouteNotBuilt
    ├── Unavailable       503  BrokerUnavailable, BrokerThrottled, BrokerUnreadable,
    │                          FeedUnavailable, StoreUnavailable, CredentialsUnreadable,
    │                          ShuttingDown, OrdersReconciling, CancelUnknown, NoModel,
    │                          ModelUnavailable
    └── Late              504  MarketDataTimeout, BrokerTimeout, DeadlineExceeded,
                               ChatTimeout

This module knows no gRPC and no HTTP: a family is a meaning, and `rpc/` holds the one table from
families to statuses. A class writes its own sentence and says what to do next; whoever raises it
gives the numbers only. `reason` is the name of the value in `tasty.v1.ErrorReason`.

What an unknown exception says never reaches a client: it is logged with the request id, and the
client gets that id.
"""

from __future__ import annotations

__all__ = [
    "AccountNotFound",
    "AdminKeyRequired",
    "AmbiguousApiKey",
    "ApiKeyNotFound",
    "ApiKeyTaken",
    "BadInput",
    "BrokerThrottled",
    "BrokerTimeout",
    "BrokerUnavailable",
    "BrokerUnreadable",
    "CancelUnknown",
    "ChatTimeout",
    "ChatTradingOff",
    "ClientOrderIdRetired",
    "ClientOrderIdTaken",
    "ComplexOrderNotFound",
    "Conflict",
    "CredentialsUnreadable",
    "CursorNotKept",
    "DeadlineExceeded",
    "FeedUnavailable",
    "ForbiddenByBroker",
    "GatewayError",
    "GrantRevoked",
    "InvalidAdminKey",
    "InvalidApiKey",
    "InvalidBody",
    "InvalidDate",
    "InvalidField",
    "InvalidOptionType",
    "InvalidStrike",
    "Late",
    "MarketDataTimeout",
    "Misconfigured",
    "MissingAccountId",
    "MissingApiKey",
    "MissingExpiration",
    "MissingStrike",
    "ModelUnavailable",
    "NoModel",
    "NoOptions",
    "NotACustomer",
    "NotAllowed",
    "NotAnOption",
    "NotAuthenticated",
    "NotBuilt",
    "NotCapped",
    "NotFound",
    "NotKnownToBroker",
    "NotPriceable",
    "NothingGiven",
    "OffTick",
    "OptionNotFound",
    "OrderNotFound",
    "OrderRefused",
    "OrdersReconciling",
    "OverChatDayCap",
    "OverChatOrderCap",
    "OverDayCap",
    "OverOrderCap",
    "PriceMoved",
    "QueueFull",
    "QueueTooSlow",
    "ReaderTooSlow",
    "RefusedByBroker",
    "RouteNotBuilt",
    "ShuttingDown",
    "StoreUnavailable",
    "SymbolNotAllowed",
    "SymbolNotFound",
    "TicketNotFound",
    "TooManyChatOrders",
    "TooManyGiven",
    "TooManyRequests",
    "TooManyStreams",
    "TradingReadOnly",
    "Unavailable",
    "UnknownField",
    "WatchlistNotFound",
    "WeakApiKey",
    "WrongSign",
]

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

GRANTS_PAGE = "https://my.tastytrade.com/app.html#/manage/api-access/oauth-applications"
SHOWN_CHOICES = 25
"""How many choices an error lists at most: a chain has hundreds of strikes."""


class GatewayError(Exception):
    """A failure that a client may be told about, in the words of `str(error)`."""

    reason: ClassVar[str]
    """The name of the value in `tasty.v1.ErrorReason`; set by every leaf, missing on families."""

    field: str | None = None
    """The request field at fault, where there is one (a path such as `legs[0].quantity`)."""

    def __init__(self, sentence: str, **metadata: object) -> None:
        super().__init__(sentence)
        self.metadata: Mapping[str, str] = {name: str(value) for name, value in metadata.items()}


class Misconfigured(Exception):
    """The server cannot run as it is set up; its words are for the operator, never for a client."""


class BadInput(GatewayError):
    """The request cannot be right, whatever the state of the account."""


class NotAuthenticated(GatewayError):
    """Nobody, or somebody the broker no longer knows."""


class NotAllowed(GatewayError):
    """Known, but this is not theirs to do."""


class NotFound(GatewayError):
    """What the request names does not exist for this tenant."""


class Conflict(GatewayError):
    """Another request with the same name came first."""


class TooManyRequests(GatewayError):
    """The queue of this API key cannot take or serve the request in time."""


class NotBuilt(GatewayError):
    """The contract has it, this server does not yet."""


class Unavailable(GatewayError):
    """The broker, or this server, cannot serve at the moment; the same request may work later."""


class Late(GatewayError):
    """The answer did not come within the time that was allowed."""


# --- 400


class MissingAccountId(BadInput):
    reason = "ERROR_REASON_MISSING_ACCOUNT_ID"
    field = "account_id"

    def __init__(self) -> None:
        super().__init__("account_id is required. Provide it as a query parameter.")


class InvalidField(BadInput):
    """A value of the wrong type, form or range; `expected` completes "Expected ..."."""

    reason = "ERROR_REASON_INVALID_FIELD"

    def __init__(self, field: str, given: object, expected: str) -> None:
        shown = str(given)
        shown = shown if len(shown) <= 80 else shown[:80] + "…"
        super().__init__(f"Invalid {field} '{shown}'. Expected {expected}.", field=field)
        self.field = field


class UnknownField(BadInput):
    reason = "ERROR_REASON_UNKNOWN_FIELD"

    def __init__(self, field: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(f"Unknown field '{field}'. Allowed: {names}.", field=field)
        self.field = field


class InvalidBody(BadInput):
    reason = "ERROR_REASON_INVALID_BODY"

    def __init__(self, problem: str) -> None:
        super().__init__(f"Invalid request body: {problem}.")


class NothingGiven(BadInput):
    """An empty list where one item is needed; `noun` is "instrument", "symbol", "leg"..."""

    reason = "ERROR_REASON_NOTHING_GIVEN"

    def __init__(self, noun: str) -> None:
        super().__init__(f"At least one {noun} is required", noun=noun)


class TooManyGiven(BadInput):
    reason = "ERROR_REASON_TOO_MANY_GIVEN"

    def __init__(self, noun: str, *, given: int, allowed: int) -> None:
        super().__init__(
            f"Too many {noun}: {given} given, {allowed} allowed. Split the request.",
            given=given,
            allowed=allowed,
        )


class InvalidDate(BadInput):
    reason = "ERROR_REASON_INVALID_DATE"

    def __init__(self, given: str, field: str = "expiration_date") -> None:
        super().__init__(f"Invalid date format '{given[:40]}'. Expected YYYY-MM-DD format.")
        self.field = field


class InvalidStrike(BadInput):
    reason = "ERROR_REASON_INVALID_STRIKE"
    field = "strike_price"

    def __init__(self, given: object) -> None:
        super().__init__(f"Invalid strike price '{given}'. Expected positive number.")


class MissingExpiration(BadInput):
    reason = "ERROR_REASON_MISSING_EXPIRATION"
    field = "expiration_date"

    def __init__(self, symbol: str) -> None:
        super().__init__(f"expiration_date is required for option {symbol}", symbol=symbol)


class MissingStrike(BadInput):
    reason = "ERROR_REASON_MISSING_STRIKE"
    field = "strike_price"

    def __init__(self, symbol: str) -> None:
        super().__init__(f"strike_price is required for option {symbol}", symbol=symbol)


class InvalidOptionType(BadInput):
    reason = "ERROR_REASON_INVALID_OPTION_TYPE"
    field = "option_type"

    def __init__(self, given: str) -> None:
        super().__init__(f"Invalid option_type '{given}'. Expected 'C' or 'P'.")


class NotAnOption(BadInput):
    """Greeks were asked for something that has none."""

    reason = "ERROR_REASON_NOT_AN_OPTION"

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"'{symbol}' is not an option. Give option_type, strike_price and expiration_date, "
            "or an option symbol in OCC form.",
            symbol=symbol,
        )


class WeakApiKey(BadInput):
    reason = "ERROR_REASON_WEAK_API_KEY"
    field = "api_key"

    def __init__(self, *, minimum: int, maximum: int) -> None:
        super().__init__(
            f"api_key must have {minimum} to {maximum} characters out of A-Z a-z 0-9 . _ ~ -. "
            "A random one of 32 or more is best.",
            minimum=minimum,
            maximum=maximum,
        )


class OrderRefused(BadInput):
    """The broker refused an order; its own words, and its codes in the metadata."""

    reason = "ERROR_REASON_ORDER_REFUSED"

    def __init__(self, words: str, codes: Sequence[str] = ()) -> None:
        super().__init__(words, codes=",".join(codes))


class RefusedByBroker(BadInput):
    """The broker refused a request that is no order; its own words, and its codes."""

    reason = "ERROR_REASON_REFUSED_BY_BROKER"

    def __init__(self, words: str, codes: Sequence[str] = ()) -> None:
        super().__init__(f"TastyTrade refused the request: {words}", codes=",".join(codes))


class NotPriceable(BadInput):
    """The quotes give no price; `why` names them: crossed, one-sided, stale, or none at all."""

    reason = "ERROR_REASON_NOT_PRICEABLE"
    field = "price"

    def __init__(self, why: str) -> None:
        super().__init__(f"The order cannot be priced from its quotes: {why}. Provide a price.")


class OffTick(BadInput):
    """A price between two ticks: the exchange would reject it, after the broker had taken it."""

    reason = "ERROR_REASON_OFF_TICK"

    def __init__(self, field: str, *, given: str, tick: str, below: str, above: str) -> None:
        super().__init__(
            f"Invalid {field} {given}: it is not a multiple of the tick, which is {tick} there. "
            f"The nearest are {below} and {above}.",
            field=field,
            given=given,
            tick=tick,
        )
        self.field = field


class WrongSign(BadInput):
    """`market` tells what the order is by its legs, or by the market: "it buys"."""

    reason = "ERROR_REASON_WRONG_SIGN"

    def __init__(self, field: str, *, given: str, market: str) -> None:
        super().__init__(
            f"Invalid {field} {given}: {market}. A negative one pays (a debit), a positive one is "
            "paid (a credit).",
            field=field,
            given=given,
        )
        self.field = field


class PriceMoved(BadInput):
    """Between the preparing of an order and its confirmation; prices are signed and per unit."""

    reason = "ERROR_REASON_PRICE_MOVED"

    def __init__(self, *, then: str, now: str, allowed: str) -> None:
        super().__init__(
            f"The market has moved from {then} to {now} since the order was prepared, and "
            f"{allowed} is allowed. Nothing was placed; ask for the order again.",
            then=then,
            now=now,
            allowed=allowed,
        )


# --- 401


class MissingApiKey(NotAuthenticated):
    reason = "ERROR_REASON_MISSING_API_KEY"

    def __init__(self) -> None:
        super().__init__("Missing API key. Provide X-API-Key header.")


class InvalidApiKey(NotAuthenticated):
    reason = "ERROR_REASON_INVALID_API_KEY"

    def __init__(self) -> None:
        super().__init__("Invalid API key. No credentials configured for this key.")


class AmbiguousApiKey(NotAuthenticated):
    reason = "ERROR_REASON_AMBIGUOUS_API_KEY"

    def __init__(self) -> None:
        super().__init__("More than one API key was sent. Provide the X-API-Key header once.")


class GrantRevoked(NotAuthenticated):
    """The broker refused the refresh token for good: no further try until credentials change."""

    reason = "ERROR_REASON_GRANT_REVOKED"

    def __init__(self, words: str = "Grant revoked") -> None:
        super().__init__(
            "TastyTrade refresh token is invalid or revoked. Please update your credentials using "
            "POST /api/v1/credentials. To get a new refresh token, visit "
            f"{GRANTS_PAGE} and create a new Personal OAuth Grant. Error: {words}"
        )


# --- 403


class AdminKeyRequired(NotAllowed):
    reason = "ERROR_REASON_ADMIN_KEY_REQUIRED"

    def __init__(self, action: str) -> None:
        super().__init__(f"{action} needs the administrator's key. Provide X-Admin-Key header.")


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


# --- 404


def _choices(values: Sequence[str]) -> str:
    shown = [str(value) for value in values[:SHOWN_CHOICES]]
    more = len(values) - len(shown)
    return f"{shown}" if more <= 0 else f"{shown} and {more} more"


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
            f"Available: {_choices(available)}",
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
            f"Available strikes: {_choices(available)}",
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
        sentence = f"Order {order_id} not found"
        if available is not None:
            sentence += f" in live orders. Available orders: {_choices(available)}"

        super().__init__(sentence, order_id=order_id)


class ComplexOrderNotFound(NotFound):
    reason = "ERROR_REASON_COMPLEX_ORDER_NOT_FOUND"
    field = "complex_order_id"

    def __init__(self, complex_order_id: str) -> None:
        super().__init__(f"Complex order {complex_order_id} not found")


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
            f"Watchlist '{name}' not found. Available watchlists: {_choices(available)}",
            name=name,
        )


class TicketNotFound(NotFound):
    reason = "ERROR_REASON_TICKET_NOT_FOUND"

    def __init__(self, code: str) -> None:
        shown = code if len(code) <= 20 else code[:20] + "…"
        super().__init__(
            f"No order waits for the code '{shown}'. A code works once, for the account of its "
            "order and for 120 seconds; ask for the order again.",
            code=shown,
        )
        self.field = "confirmation.code"


# --- 409


class ClientOrderIdTaken(Conflict):
    """The same name for another order: one of the two is a mistake, and neither is sent now."""

    reason = "ERROR_REASON_CLIENT_ORDER_ID_TAKEN"
    field = "client_order_id"

    def __init__(self, client_order_id: str) -> None:
        super().__init__(
            f"client_order_id '{client_order_id}' was used for another order of this account. "
            "Nothing was sent; give a new order a new one.",
            client_order_id=client_order_id,
        )


class ClientOrderIdRetired(Conflict):
    """The order was sent so long ago that its answer is gone; the name stays used for ever."""

    reason = "ERROR_REASON_CLIENT_ORDER_ID_RETIRED"
    field = "client_order_id"

    def __init__(self, client_order_id: str, day: str) -> None:
        super().__init__(
            f"client_order_id '{client_order_id}' was used on {day}, and its answer is no longer "
            "kept. Nothing was sent; give a new order a new one.",
            client_order_id=client_order_id,
        )


# --- 429


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


# --- 501


class RouteNotBuilt(NotBuilt):
    reason = "ERROR_REASON_NOT_BUILT"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} is part of the contract but not built into this server yet.")


# --- 503


class BrokerUnavailable(Unavailable):
    """The broker answered 5xx, or could not be reached at all."""

    reason = "ERROR_REASON_BROKER_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"TastyTrade is not available ({what}). Try again in a moment.")


class BrokerThrottled(Unavailable):
    reason = "ERROR_REASON_BROKER_THROTTLED"

    def __init__(self) -> None:
        super().__init__("TastyTrade is limiting our requests (429). Try again in some seconds.")


class BrokerUnreadable(Unavailable):
    """The broker answered something that is not its documented format."""

    reason = "ERROR_REASON_BROKER_UNREADABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"TastyTrade sent an answer that cannot be read ({what}). Try again.")


class FeedUnavailable(Unavailable):
    reason = "ERROR_REASON_FEED_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        # The cause may be a sentence of ours, which ends with the same advice.
        cause = what.removesuffix(" Try again in a moment.").removesuffix(".")
        super().__init__(f"The market data feed is not connected ({cause}). Try again in a moment.")


class StoreUnavailable(Unavailable):
    """Our own database cannot be reached; what was asked for may or may not have been stored."""

    reason = "ERROR_REASON_STORE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The server's own store does not answer. Try again in a moment.")


class CredentialsUnreadable(Unavailable):
    """What is stored for this key does not open: sealed by another master key, or altered."""

    reason = "ERROR_REASON_CREDENTIALS_UNREADABLE"

    def __init__(self) -> None:
        super().__init__(
            "The stored credentials of this API key cannot be read. Save them again with "
            "POST /api/v1/credentials."
        )


class ShuttingDown(Unavailable):
    reason = "ERROR_REASON_SHUTTING_DOWN"

    def __init__(self) -> None:
        super().__init__("The server is stopping. Send the request again; another one takes over.")


class OrdersReconciling(Unavailable):
    """After a start, nothing is sent for an account before its open questions are settled."""

    reason = "ERROR_REASON_ORDERS_RECONCILING"

    def __init__(self, *, left: int) -> None:
        super().__init__(
            f"The outcome of {left} orders is being looked up at TastyTrade. Nothing was sent; "
            "try again in a moment.",
            left=left,
        )


class CancelUnknown(Unavailable):
    """The one change that may be asked for again without harm."""

    reason = "ERROR_REASON_CANCEL_UNKNOWN"

    def __init__(self, order_id: str, status: str) -> None:
        super().__init__(
            f"TastyTrade's answer to the cancel was lost; order {order_id} is {status} now. "
            "Cancel it again: that does no harm.",
            order_id=order_id,
            status=status,
        )


class NoModel(Unavailable):
    reason = "ERROR_REASON_NO_MODEL"

    def __init__(self) -> None:
        super().__init__(
            "No model is configured. Whoever runs this server must set ANTHROPIC_API_KEY."
        )


class ModelUnavailable(Unavailable):
    """The model's API refused, failed, or answered what cannot be read; `what` says which."""

    reason = "ERROR_REASON_MODEL_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"The model is not available ({what}). Try again in a moment.")


# --- 504


class MarketDataTimeout(Late):
    """No requested symbol had an event in time; `noun` is "quotes" or "Greeks"."""

    reason = "ERROR_REASON_MARKET_DATA_TIMEOUT"

    def __init__(self, noun: str, timeout_s: float, missing: Sequence[str] = ()) -> None:
        super().__init__(
            f"Timeout getting {noun} after {timeout_s:g}s", missing=_choices(list(missing))
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

"""Everything that can go wrong, as data: one exception a reason, its numbers as fields.

    GatewayError
    ├── BadInput          400  MissingAccountId, InvalidField, UnknownField, InvalidBody,
    │                          NothingGiven, TooManyGiven, InvalidDate, InvalidStrike,
    │                          MissingExpiration, MissingStrike, InvalidOptionType, NotAnOption,
    │                          WeakApiKey, OrderRefused, RefusedByBroker, NotPriceable, OffTick,
    │                          WrongSign, PriceMoved
    ├── NotAuthenticated  401  MissingApiKey, InvalidApiKey, AmbiguousApiKey, GrantRevoked
    ├── NotAllowed        403  AdminKeyRequired, InvalidAdminKey, ApiKeyTaken, NotACustomer,
    │                          ForbiddenByBroker,
    │                          TradingReadOnly, OverOrderCap, OverDayCap, SymbolNotAllowed,
    │                          ChatTradingOff, OverChatOrderCap, OverChatDayCap,
    │                          TooManyChatOrders, NotCapped
    ├── NotFound          404  AccountNotFound, SymbolNotFound, NoOptions, OptionNotFound,
    │                          ApiKeyNotFound, NotKnownToBroker, ComplexOrderNotFound,
    │                          CursorNotKept, TicketNotFound, WatchlistNotFound
    ├── Conflict          409  ClientOrderIdTaken, ClientOrderIdRetired
    ├── TooManyRequests   429  QueueFull, QueueTooSlow, TooManyStreams, ReaderTooSlow
    ├── NotBuilt          501  RouteNotBuilt
    ├── Unavailable       503  BrokerUnavailable, BrokerThrottled, BrokerUnreadable,
    │                          FeedUnavailable, StoreUnavailable, CredentialsUnreadable,
    │                          ShuttingDown, OrdersReconciling, CancelUnknown, NoModel,
    │                          ModelUnavailable
    └── Late              504  MarketDataTimeout, BrokerTimeout, DeadlineExceeded,
                               ChatTimeout

This package knows no gRPC and no HTTP: a family is a meaning, and `rpc/` holds the one table from
families to statuses. A class writes its own sentence and says what to do next; whoever raises it
gives the numbers only. `reason` is the name of the value in `tasty.v1.ErrorReason`.
`Misconfigured` stands outside the tree: it is for the operator, at the start. Its child
`StoreUnusable` is for what only a person mends: StoreMissing, StoreOther, StoreOlder, StoreBroken,
StoreVersionUnknown.

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
    "StoreBroken",
    "StoreExists",
    "StoreMissing",
    "StoreOlder",
    "StoreOther",
    "StoreUnavailable",
    "StoreUnusable",
    "StoreVersionUnknown",
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

from server.errors.bad_input import (
    InvalidBody,
    InvalidDate,
    InvalidField,
    InvalidOptionType,
    InvalidStrike,
    MissingAccountId,
    MissingExpiration,
    MissingStrike,
    NotAnOption,
    NothingGiven,
    NotPriceable,
    OffTick,
    OrderRefused,
    PriceMoved,
    RefusedByBroker,
    TooManyGiven,
    UnknownField,
    WeakApiKey,
    WrongSign,
)
from server.errors.conflict import ClientOrderIdRetired, ClientOrderIdTaken
from server.errors.families import (
    BadInput,
    Conflict,
    GatewayError,
    Late,
    Misconfigured,
    NotAllowed,
    NotAuthenticated,
    NotBuilt,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from server.errors.late import BrokerTimeout, ChatTimeout, DeadlineExceeded, MarketDataTimeout
from server.errors.not_allowed import (
    AdminKeyRequired,
    ApiKeyTaken,
    ChatTradingOff,
    ForbiddenByBroker,
    InvalidAdminKey,
    NotACustomer,
    NotCapped,
    OverChatDayCap,
    OverChatOrderCap,
    OverDayCap,
    OverOrderCap,
    SymbolNotAllowed,
    TooManyChatOrders,
    TradingReadOnly,
)
from server.errors.not_authenticated import (
    AmbiguousApiKey,
    GrantRevoked,
    InvalidApiKey,
    MissingApiKey,
)
from server.errors.not_found import (
    AccountNotFound,
    ApiKeyNotFound,
    ComplexOrderNotFound,
    CursorNotKept,
    NoOptions,
    NotKnownToBroker,
    OptionNotFound,
    OrderNotFound,
    SymbolNotFound,
    TicketNotFound,
    WatchlistNotFound,
)
from server.errors.store import (
    StoreBroken,
    StoreExists,
    StoreMissing,
    StoreOlder,
    StoreOther,
    StoreUnusable,
    StoreVersionUnknown,
)
from server.errors.too_many_requests import QueueFull, QueueTooSlow, ReaderTooSlow, TooManyStreams
from server.errors.unavailable import (
    BrokerThrottled,
    BrokerUnavailable,
    BrokerUnreadable,
    CancelUnknown,
    CredentialsUnreadable,
    FeedUnavailable,
    ModelUnavailable,
    NoModel,
    OrdersReconciling,
    RouteNotBuilt,
    ShuttingDown,
    StoreUnavailable,
)

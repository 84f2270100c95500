"""Defines the broker's words for instrument types, actions, order types and statuses.

They are spelled exactly as on the wire. `Status` has every word that the SDK can read and no other,
because one unknown status makes the SDK fail on the whole list.
"""

from __future__ import annotations

__all__ = [
    "CLOSING",
    "OPENING",
    "TERMINAL",
    "Action",
    "Effect",
    "InstrumentType",
    "OrderType",
    "Status",
    "TimeInForce",
]

from enum import StrEnum


class InstrumentType(StrEnum):
    """Names the type of an instrument."""

    EQUITY = "Equity"
    EQUITY_OPTION = "Equity Option"
    FUTURE = "Future"
    FUTURE_OPTION = "Future Option"
    CRYPTOCURRENCY = "Cryptocurrency"
    INDEX = "Index"
    WARRANT = "Warrant"

    @property
    def is_option(self) -> bool:
        return self in (InstrumentType.EQUITY_OPTION, InstrumentType.FUTURE_OPTION)

    @property
    def max_legs(self) -> int:
        """Greatest number of legs of one order."""
        return 4 if self.is_option else 1


class Action(StrEnum):
    """Names what a leg does; `Buy` and `Sell` are for futures."""

    BUY_TO_OPEN = "Buy to Open"
    BUY_TO_CLOSE = "Buy to Close"
    SELL_TO_OPEN = "Sell to Open"
    SELL_TO_CLOSE = "Sell to Close"
    BUY = "Buy"
    SELL = "Sell"

    @property
    def side(self) -> int:
        """1 for a purchase, -1 for a sale."""
        return 1 if self.startswith("Buy") else -1

    @property
    def reversed_effect(self) -> Action:
        """The same side with opening and closing exchanged."""
        return _REVERSED.get(self, self)


_REVERSED = {
    Action.BUY_TO_OPEN: Action.BUY_TO_CLOSE,
    Action.BUY_TO_CLOSE: Action.BUY_TO_OPEN,
    Action.SELL_TO_OPEN: Action.SELL_TO_CLOSE,
    Action.SELL_TO_CLOSE: Action.SELL_TO_OPEN,
}

OPENING = frozenset({Action.BUY_TO_OPEN, Action.SELL_TO_OPEN})
CLOSING = frozenset({Action.BUY_TO_CLOSE, Action.SELL_TO_CLOSE})


class OrderType(StrEnum):
    """Names how an order is priced."""

    LIMIT = "Limit"
    MARKET = "Market"
    MARKETABLE_LIMIT = "Marketable Limit"
    STOP = "Stop"
    STOP_LIMIT = "Stop Limit"
    NOTIONAL_MARKET = "Notional Market"

    @property
    def has_price(self) -> bool:
        return self in (OrderType.LIMIT, OrderType.STOP_LIMIT)

    @property
    def has_trigger(self) -> bool:
        return self in (OrderType.STOP, OrderType.STOP_LIMIT)


class TimeInForce(StrEnum):
    """Names how long an order works."""

    DAY = "Day"
    GTC = "GTC"
    GTD = "GTD"
    EXT = "Ext"
    OVERNIGHT = "Ext Overnight"
    GTC_EXT = "GTC Ext"
    GTC_OVERNIGHT = "GTC Ext Overnight"
    IOC = "IOC"

    @property
    def outlives_the_day(self) -> bool:
        return self.startswith("GT")


class Status(StrEnum):
    """Names the state of an order."""

    RECEIVED = "Received"
    ROUTED = "Routed"
    IN_FLIGHT = "In Flight"
    LIVE = "Live"
    CONTINGENT = "Contingent"
    CANCEL_REQUESTED = "Cancel Requested"
    REPLACE_REQUESTED = "Replace Requested"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    REJECTED = "Rejected"
    REMOVED = "Removed"
    PARTIALLY_REMOVED = "Partially Removed"

    @property
    def terminal(self) -> bool:
        return self in TERMINAL

    @property
    def at_the_exchange(self) -> bool:
        """Whether a fill may still come, including while a cancel or a replace is pending."""
        return self in (Status.LIVE, Status.CANCEL_REQUESTED, Status.REPLACE_REQUESTED)


TERMINAL = frozenset(
    {
        Status.FILLED,
        Status.CANCELLED,
        Status.EXPIRED,
        Status.REJECTED,
        Status.REMOVED,
        Status.PARTIALLY_REMOVED,
    }
)


class Effect(StrEnum):
    """Names the sign of an amount: the broker's amounts are never negative."""

    CREDIT = "Credit"
    DEBIT = "Debit"
    NONE = "None"

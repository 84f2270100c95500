"""400: the request cannot be right, whatever the state of the account."""

from __future__ import annotations

__all__ = [
    "InvalidBody",
    "InvalidDate",
    "InvalidField",
    "InvalidOptionType",
    "InvalidStrike",
    "MissingAccountId",
    "MissingExpiration",
    "MissingStrike",
    "NotAnOption",
    "NotPriceable",
    "NothingGiven",
    "OffTick",
    "OrderRefused",
    "PriceMoved",
    "PrintedApiKey",
    "RefusedByBroker",
    "TooManyGiven",
    "UnknownField",
    "WeakApiKey",
    "WrongSign",
]

from collections.abc import Iterable, Sequence

from server.errors.families import BadInput

LONGEST_SHOWN = 80
"""Characters of a value that an error repeats."""


class MissingAccountId(BadInput):
    reason = "ERROR_REASON_MISSING_ACCOUNT_ID"
    field = "account_id"

    def __init__(self) -> None:
        super().__init__("account_id is required. Provide it as a query parameter.")


class InvalidField(BadInput):
    """A value of the wrong type, form or range; `expected` completes "Expected ..."."""

    reason = "ERROR_REASON_INVALID_FIELD"

    def __init__(self, field: str, given: object, expected: str) -> None:
        shown = _shown(str(given))
        super().__init__(f"Invalid {field} '{shown}'. Expected {expected}.", field=field)
        self.field = field


class UnknownField(BadInput):
    reason = "ERROR_REASON_UNKNOWN_FIELD"

    def __init__(self, field: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed)) or "none"
        shown = _shown(field)
        super().__init__(f"Unknown field '{shown}'. Allowed: {names}.", field=shown)
        self.field = shown


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
        super().__init__(f"Invalid date format '{_shown(given, 40)}'. Expected YYYY-MM-DD format.")
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
        super().__init__(f"Invalid option_type '{_shown(given)}'. Expected 'C' or 'P'.")


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


class PrintedApiKey(BadInput):
    """The key stands in the documentation, where everybody can read it."""

    reason = "ERROR_REASON_PRINTED_API_KEY"
    field = "api_key"

    def __init__(self) -> None:
        super().__init__(
            "This api_key is printed in the documentation, so anybody could try it. Omit api_key "
            "to be given a random one, or choose one of your own."
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


def _shown(given: str, longest: int = LONGEST_SHOWN) -> str:
    """Returns a value of the caller for a sentence: not all of a long one, nothing invisible."""
    shown = given if len(given) <= longest else given[:longest] + "…"
    if shown.isprintable():
        return shown

    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown
    )

"""Lists what may be wrong with an order, with the broker's code where it is known.

Codes marked * are the broker's own, seen in its replies or pages; the others follow its naming,
because no public page lists them. `blocks` is False for a warning. `rule` is True for what is never
allowed, whatever the account holds: a dry run refuses that too, and reports all other problems in
its success body.
"""

from __future__ import annotations

__all__ = ["Problem", "preflight_failure"]

from collections.abc import Iterable
from dataclasses import dataclass

from server.simulator.envelope import BrokerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Describes one finding of the preflight check."""

    code: str
    message: str
    blocks: bool = True
    rule: bool = True

    def body(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


def preflight_failure(problems: Iterable[Problem]) -> BrokerError:
    """Makes the broker's 422 from the problems that block."""
    return BrokerError(
        422,
        "preflight_check_failure",
        "One or more preflight checks failed",
        [problem.body() for problem in problems if problem.blocks],
    )


def invalid_instrument(symbol: str, why: str) -> Problem:
    return Problem(
        code="instrument_validation_failed", message=f"Instrument {symbol} cannot be traded: {why}."
    )


def too_many_legs(given: int, allowed: int, kind: str) -> Problem:
    return Problem(
        code="too_many_legs",
        message=f"An order in instruments of type {kind} can have at most {allowed} legs, not "
        f"{given}.",
    )


def mixed_legs(what: str) -> Problem:
    return Problem(code="invalid_leg_combination", message=f"All legs must have the same {what}.")


def same_symbol(symbol: str) -> Problem:
    return Problem(
        code="duplicate_leg_symbol",
        message=f"Every leg must have its own symbol, not twice {symbol}.",
    )


def invalid_action(action: str, kind: str) -> Problem:
    return Problem(
        code="invalid_action",
        message=f"Action {action} is not valid for instruments of type {kind}.",
    )


def invalid_quantity(symbol: str, why: str) -> Problem:
    return Problem(code="invalid_quantity", message=f"Quantity of {symbol} {why}.")


def must_omit_price() -> Problem:  # *
    return Problem(
        code="order_must_omit_price",
        message="This order can not be submitted with an associated price.",
    )


def must_include(what: str) -> Problem:
    return Problem(
        code=f"order_must_include_{what.replace('-', '_')}",
        message=f"This order can not be submitted without a {what}.",
    )


def must_omit(what: str) -> Problem:
    return Problem(
        code=f"order_must_omit_{what.replace('-', '_')}",
        message=f"This order can not be submitted with a {what}.",
    )


def invalid_price(why: str) -> Problem:
    return Problem(code="invalid_price", message=f"Price {why}.")


def cant_buy_for_credit() -> Problem:  # *
    return Problem(code="cant_buy_for_credit", message="You cannot buy for a credit.")


def cant_sell_for_debit() -> Problem:
    return Problem(code="cant_sell_for_debit", message="You cannot sell for a debit.")


def invalid_time_in_force(name: str, why: str) -> Problem:
    return Problem(code=f"tif.{name}", message=why)


def too_close_to_expiration() -> Problem:  # *
    return Problem(
        code="too_close_to_expiration",
        message="Sell to open orders cannot be sent 30 minutes prior to close on expiration day.",
    )


def closing_only(symbol: str) -> Problem:
    return Problem(
        code="closing_only", message=f"{symbol} accepts closing orders only.", rule=False
    )


def not_permitted(what: str) -> Problem:
    return Problem(
        code="account_not_permitted", message=f"This account may not {what}.", rule=False
    )


def margin_check_failed() -> Problem:  # *
    return Problem(
        code="margin_check_failed",
        message="Account does not have sufficient buying power available for this order.",
        rule=False,
    )


def closing_without_position(opens_as: str | None) -> Problem:  # *
    message = "You cannot route a closing order without an existing position to close."
    if opens_as is None:
        return Problem(code="closing_with_no_position", message=message, rule=False)

    return Problem(
        code="closing_with_no_position",
        message=f"{message} This order will be updated to a {opens_as.lower()} order when routed.",
        blocks=False,
        rule=False,
    )


def closing_too_much(symbol: str, held: str) -> Problem:
    return Problem(
        code="closing_more_than_held",
        message=f"You cannot close more of {symbol} than the {held} that you hold.",
        rule=False,
    )


def opening_against(symbol: str, closes_as: str) -> Problem:
    return Problem(
        code="opening_against_position",
        message=f"You hold the opposite of {symbol}. This order will be updated to a "
        f"{closes_as.lower()} order when routed.",
        blocks=False,
        rule=False,
    )


def next_session() -> Problem:  # *
    return Problem(
        code="tif.next_valid_session",
        message="Your order will begin working during next valid session.",
        blocks=False,
        rule=False,
    )


def order_too_large(limit: int) -> Problem:
    return Problem(
        code="order_size_limit", message=f"An order can be for at most {limit} units.", rule=False
    )

"""Reads the broker's answers to placements, dry runs, replacements and complex orders."""

from __future__ import annotations

__all__ = [
    "BrokerWord",
    "BuyingPower",
    "ComplexOrder",
    "Fees",
    "Placement",
    "read_complex_order",
    "read_placement",
]

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader
from server.brokerage.api.orders import Order, read_dry_run, read_order


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyingPower:
    """What an order does to buying power; what uses it up is negative."""

    change_in_margin_requirement: Decimal | None
    change_in_buying_power: Decimal | None
    current_buying_power: Decimal | None
    new_buying_power: Decimal | None
    isolated_order_margin_requirement: Decimal | None
    is_spread: bool
    impact: Decimal | None
    effect: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What an order costs beside its price; what is paid is negative."""

    regulatory_fees: Decimal | None
    clearing_fees: Decimal | None
    commission: Decimal | None
    proprietary_index_option_fees: Decimal | None
    total_fees: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerWord:
    """A warning, or what a dry run would be refused for."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexOrder:
    """Orders that depend on each other."""

    id: str
    """Empty for a dry run."""
    account_number: str | None
    type: str | None
    trigger_order: Order | None
    orders: tuple[Order, ...]
    terminal_at: datetime | None

    @property
    def parts(self) -> tuple[Order, ...]:
        """All its orders, the trigger first."""
        return self.orders if self.trigger_order is None else (self.trigger_order, *self.orders)

    @property
    def external_identifier(self) -> str | None:
        """The identifier that its orders were sent with: the whole has none at the broker."""
        return next((part.external_identifier for part in self.parts), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The answer to a placement or a dry run, as far as there is one."""

    order: Order | None = None
    complex_order: ComplexOrder | None = None
    buying_power: BuyingPower | None = None
    fees: Fees | None = None
    warnings: tuple[BrokerWord, ...] = ()
    errors: tuple[BrokerWord, ...] = ()


def read_placement(item: JsonReader, *, dry_run: bool = False) -> Placement:
    """Returns the answer; raises Unreadable when a placed order has no number."""
    read = read_dry_run if dry_run else read_order
    order, whole = item.item("order"), item.item("complex-order")
    power, fees = item.item("buying-power-effect"), item.item("fee-calculation")
    return Placement(
        order=None if order is None else read(order),
        complex_order=None if whole is None else read_complex_order(whole, dry_run=dry_run),
        buying_power=None if power is None else _buying_power(power),
        fees=None if fees is None else _fees(fees),
        warnings=item.items("warnings", _word),
        errors=item.items("errors", _word),
    )


def read_complex_order(item: JsonReader, *, dry_run: bool = False) -> ComplexOrder:
    """Returns a complex order with its parts."""
    read = read_dry_run if dry_run else read_order
    trigger = item.item("trigger-order")
    return ComplexOrder(
        id="" if dry_run else item.identity("id"),
        account_number=item.text("account-number"),
        type=item.text("type"),
        trigger_order=None if trigger is None else read(trigger),
        orders=item.items("orders", read),
        terminal_at=item.moment("terminal-at"),
    )


def _buying_power(item: JsonReader) -> BuyingPower:
    return BuyingPower(
        change_in_margin_requirement=item.signed("change-in-margin-requirement"),
        change_in_buying_power=item.signed("change-in-buying-power"),
        current_buying_power=item.signed("current-buying-power"),
        new_buying_power=item.signed("new-buying-power"),
        isolated_order_margin_requirement=item.signed("isolated-order-margin-requirement"),
        is_spread=item.flag("is-spread") or False,
        impact=item.decimal("impact"),
        effect=item.text("effect"),
    )


def _fees(item: JsonReader) -> Fees:
    return Fees(
        regulatory_fees=item.signed("regulatory-fees"),
        clearing_fees=item.signed("clearing-fees"),
        commission=item.signed("commission"),
        proprietary_index_option_fees=item.signed("proprietary-index-option-fees"),
        total_fees=item.signed("total-fees"),
    )


def _word(item: JsonReader) -> BrokerWord:
    return BrokerWord(code=item.text("code") or "", message=item.text("message") or "")

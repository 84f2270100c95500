"""Digests the states of account objects, so that a state that was announced is recognised later.

Digests are stored and outlive a release, so what goes into them is an explicit list of fields with
a version, and each stored digest begins with its version. A field added to a domain class changes
no digest. To change a list, add a version: stored digests are still compared by their own version,
and the object's next digest is stored in the newest one.
"""

from __future__ import annotations

__all__ = ["CURRENT", "AccountObject", "digest_of", "is_readable", "version_of"]

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from server.brokerage.api.balances import Balances
from server.brokerage.api.order_replies import ComplexOrder
from server.brokerage.api.orders import Order
from server.brokerage.api.positions import Position

AccountObject = Order | ComplexOrder | Position | Balances


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one domain class that make its state, in their order."""

    name: str
    """The name of the class."""
    own: tuple[str, ...]
    nested: Mapping[str, Fields]
    """The fields of those values, or of each of them, that are domain values themselves."""
    blank: frozenset[str] = frozenset()
    """Fields that count as None: they change without the object's state changing."""


FILL = Fields(
    name="Fill",
    own=("fill_id", "quantity", "fill_price", "filled_at", "destination_venue"),
    nested={},
)
LEG = Fields(
    name="OrderLeg",
    own=("symbol", "instrument_type", "action", "quantity", "remaining_quantity", "fills"),
    nested={"fills": FILL},
)
ORDER = Fields(
    name="Order",
    own=(
        "id",
        "account_number",
        "status",
        "order_type",
        "time_in_force",
        "price",
        "stop_trigger",
        "value",
        "size",
        "underlying_symbol",
        "underlying_instrument_type",
        "legs",
        "cancellable",
        "editable",
        "edited",
        "received_at",
        "live_at",
        "cancelled_at",
        "terminal_at",
        "updated_at",
        "reject_reason",
        "complex_order_id",
        "complex_order_tag",
        "replaces_order_id",
        "replacing_order_id",
        "gtc_date",
        "external_identifier",
    ),
    nested={"legs": LEG},
)
COMPLEX_ORDER = Fields(
    name="ComplexOrder",
    own=("id", "account_number", "type", "trigger_order", "orders", "terminal_at"),
    nested={"trigger_order": ORDER, "orders": ORDER},
)
POSITION = Fields(
    name="Position",
    own=(
        "account_number",
        "symbol",
        "instrument_type",
        "underlying_symbol",
        "streamer_symbol",
        "quantity",
        "quantity_direction",
        "multiplier",
        "average_open_price",
        "close_price",
        "mark",
        "mark_price",
        "cost_effect",
        "realized_day_gain",
        "realized_today",
        "expires_at",
        "created_at",
        "updated_at",
    ),
    nested={},
    # They move with the market; when a position changed is in its stamp.
    blank=frozenset({"mark", "mark_price", "close_price", "updated_at"}),
)
BALANCES = Fields(
    name="Balances",
    own=(
        "account_number",
        "cash_balance",
        "net_liquidating_value",
        "equity_buying_power",
        "derivative_buying_power",
        "day_trading_buying_power",
        "margin_equity",
        "available_trading_funds",
        "maintenance_requirement",
        "maintenance_excess",
        "cash_available_to_withdraw",
        "pending_cash",
        "used_derivative_buying_power",
        "updated_at",
    ),
    nested={},
    blank=frozenset({"updated_at"}),
)


def digest_of(value: AccountObject, stamp: int, version: str) -> str:
    """Returns the digest of a state by one of the versions that `is_readable` knows."""
    return VERSIONS[version](value, stamp)


def is_readable(digest: str) -> bool:
    """Whether this release can compare a state with a stored digest."""
    return version_of(digest) in VERSIONS


def version_of(digest: str) -> str:
    """Returns the version of a stored digest; empty for those of the first releases."""
    return digest.partition(":")[0] if ":" in digest else ""


def _by_repr(value: AccountObject, stamp: int) -> str:
    """Digests as the first releases did, which took `repr` of the domain values."""
    text = _repr(value, _fields_of(value))
    if isinstance(value, Position):
        text = f"({text}, {stamp})"

    return _hash(text)


def _by_normalised_fields(value: AccountObject, stamp: int) -> str:
    """Digests normalised values: "1.00" equals "1.0", and a moment equals itself in any zone."""
    state = [_normalised(value, _fields_of(value)), stamp if isinstance(value, Position) else None]
    return f"1:{_hash(json.dumps(state))}"


CURRENT = "1"
VERSIONS: Mapping[str, Callable[[AccountObject, int], str]] = {
    "": _by_repr,
    CURRENT: _by_normalised_fields,
}


def _fields_of(value: AccountObject) -> Fields:
    match value:
        case Order():
            return ORDER
        case ComplexOrder():
            return COMPLEX_ORDER
        case Position():
            return POSITION
        case Balances():
            return BALANCES


def _normalised(value: Any, fields: Fields | None = None) -> Any:
    match value:
        case tuple():
            return [_normalised(each, fields) for each in value]
        case Decimal():
            return f"{value.normalize() + 0:f}"  # the sum has no negative zero
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case _ if fields is not None and value is not None:
            return [
                None if name in fields.blank else _normalised(getattr(value, name), nested)
                for name, nested in _named(fields)
            ]
        case _:
            return value


def _repr(value: Any, fields: Fields | None) -> str:
    """Returns what `repr` gives of a domain value that has these fields and no others."""
    if fields is None or value is None:
        return repr(value)
    if isinstance(value, tuple):
        texts = [_repr(each, fields) for each in value]
        return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"

    texts = [
        f"{name}={None if name in fields.blank else _repr(getattr(value, name), nested)}"
        for name, nested in _named(fields)
    ]
    return f"{fields.name}({', '.join(texts)})"


def _named(fields: Fields) -> list[tuple[str, Fields | None]]:
    return [(name, fields.nested.get(name)) for name in fields.own]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]

"""The changes of orders that the broker can be asked for, as values that `OrderApi` executes."""

from __future__ import annotations

__all__ = [
    "AcceptedChange",
    "CancelComplexRequest",
    "CancelRequest",
    "OrderRequest",
    "PlaceComplexRequest",
    "PlaceRequest",
    "ReplaceRequest",
]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from server.brokerage.api.order_specs import ComplexSpec, OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRequest:
    """Places one order."""

    kind: ClassVar[str] = "place"
    target_id: ClassVar[None] = None
    spec: OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRequest:
    """Replaces a working order by one with other terms and the same legs."""

    kind: ClassVar[str] = "replace"
    target_id: str
    spec: OrderSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceComplexRequest:
    """Places orders that depend on each other."""

    kind: ClassVar[str] = "complex"
    target_id: ClassVar[None] = None
    spec: ComplexSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """Cancels one order."""

    kind: ClassVar[str] = "cancel"
    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelComplexRequest:
    """Cancels a complex order with all of its parts."""

    kind: ClassVar[str] = "cancel_complex"
    target_id: str


OrderRequest = (
    PlaceRequest | ReplaceRequest | PlaceComplexRequest | CancelRequest | CancelComplexRequest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedChange:
    """The broker's answer to a change that it accepted."""

    answer: Mapping[str, Any]
    """Raw JSON: the order under `order`, or the complex order under `complex-order`."""
    order_id: str
    """The number of the order, or of the complex order."""

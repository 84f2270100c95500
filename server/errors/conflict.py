"""409: another request with the same name came first."""

from __future__ import annotations

__all__ = ["ClientOrderIdRetired", "ClientOrderIdTaken"]


from server.errors.families import Conflict


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

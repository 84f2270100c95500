"""501 and 503: not built here, or the broker, or this server, cannot serve at the moment."""

from __future__ import annotations

__all__ = [
    "BrokerPaceUsedUp",
    "BrokerThrottled",
    "BrokerUnavailable",
    "BrokerUnreadable",
    "CancelUnknown",
    "CredentialsUnreadable",
    "FeedUnavailable",
    "ModelUnavailable",
    "NamesNotRestored",
    "NoModel",
    "OrderNotRecorded",
    "OrdersReconciling",
    "RouteNotBuilt",
    "ShuttingDown",
    "StoreUnavailable",
]


from server.errors.families import NotBuilt, Unavailable


class RouteNotBuilt(NotBuilt):
    reason = "ERROR_REASON_NOT_BUILT"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} is part of the contract but not built into this server yet.")


class BrokerUnavailable(Unavailable):
    """The broker answered 5xx, or could not be reached at all."""

    reason = "ERROR_REASON_BROKER_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"TastyTrade is not available ({what}). Try again in a moment.")


class BrokerPaceUsedUp(Unavailable):
    """Our own spacing of requests, not the broker, makes this one wait too long."""

    reason = "ERROR_REASON_BROKER_PACE_USED_UP"

    def __init__(self, *, waiting: int, wait_s: float) -> None:
        super().__init__(
            f"This gateway's share of TastyTrade's pace is used up: {waiting} requests wait "
            f"already, and the turn of this one would come in {wait_s:.1f} s. It was not sent; try "
            "again then.",
            retry_after=f"{wait_s:.1f}",
        )


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


class OrderNotRecorded(Unavailable):
    """An order needs its row before it is sent; without one a repeat could send it again."""

    reason = "ERROR_REASON_ORDER_NOT_RECORDED"

    def __init__(self) -> None:
        super().__init__(
            "The server's own store does not take the order down. Nothing was sent by this "
            "request; repeat it in a moment, with the same client_order_id. Cancels go out."
        )


class NamesNotRestored(Unavailable):
    """An account's used names are read before its first order with one; `why` not yet."""

    reason = "ERROR_REASON_NAMES_NOT_RESTORED"

    def __init__(self, why: str) -> None:
        cause = why.removesuffix(" Try again in a moment.").removesuffix(".")
        super().__init__(
            "The names of this account's earlier orders are not read from TastyTrade yet "
            f"({cause}). Nothing was sent; repeat it in a moment, with the same client_order_id."
        )


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

"""Describes a change that is submitted to the broker, and what submitting it may lead to."""

from __future__ import annotations

__all__ = [
    "AlreadyKnown",
    "Broker",
    "InFlight",
    "NothingSent",
    "Submission",
    "SubmissionResult",
    "Submitted",
]

from dataclasses import dataclass
from typing import Protocol

from server.brokerage.api.order_requests import AcceptedChange, OrderRequest
from server.brokerage.transport.send_progress import SendProgress
from server.orders.submitting.journal import Entry, Intent
from server.tenants import Tenant


class Broker(Protocol):
    """Executes requests: `OrderApi`."""

    async def execute(self, request: OrderRequest, progress: SendProgress) -> AcceptedChange: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A change that is ready to be recorded and sent."""

    tenant: Tenant
    broker: Broker
    intent: Intent
    request: OrderRequest

    @property
    def name(self) -> tuple[str, str]:
        """The account's number and the client_order_id."""
        return self.intent.account_number, self.intent.client_order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """This call sent the change; its entry tells whether it was accepted, refused or lost."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyKnown:
    """Another call had recorded a change of this name before."""

    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """The change is still being sent, and its caller waits no longer."""

    intent: Intent
    mine: bool
    """Whether this call is the one that sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingSent:
    """The call ahead under this name has failed and certainly sent nothing."""

    intent: Intent
    failure: Exception


SubmissionResult = Submitted | AlreadyKnown | InFlight | NothingSent

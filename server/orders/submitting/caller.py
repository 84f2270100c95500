"""Describes who asks for a change of orders."""

from __future__ import annotations

__all__ = ["Caller"]

from dataclasses import dataclass
from datetime import timedelta

from server.brokerage import BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.api.order_api import OrderApi
from server.clock import Clock
from server.tenants import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Names the tenant and the account of a call, and until when its answer is of use."""

    tenant: Tenant
    session: BrokerSession
    account: Account
    deadline: float
    """On the clock's monotonic scale; a moment before the caller stops listening."""

    @property
    def api(self) -> OrderApi:
        return OrderApi(self.session, self.account)

    def patience(self, clock: Clock) -> timedelta:
        """Returns how long the caller still waits; never negative."""
        return timedelta(seconds=max(0.0, self.deadline - clock.monotonic()))

"""Renders accounts, trading status and position limits as the broker does."""

from __future__ import annotations

__all__ = ["account_json", "position_limit_json", "trading_status_json"]

import hashlib
from collections.abc import Mapping
from typing import Any

from server.simulator.exchange.account import Account
from server.simulator.exchange.views.times import format_zulu


def account_json(account: Account) -> dict[str, Any]:
    """Returns the account object of `/customers/me/accounts`."""
    profile = account.profile
    opened = format_zulu(profile.opened_at)
    return {
        "account-number": profile.number,
        "external-id": f"A{_number(profile.number):010d}",
        "opened-at": opened,
        "nickname": profile.nickname,
        "account-type-name": "Individual",
        "day-trader-status": False,
        "is-closed": False,
        "is-firm-error": False,
        "is-firm-proprietary": False,
        "is-futures-approved": profile.futures,
        "is-test-drive": False,
        "is-foreign": False,
        "margin-or-cash": "Margin" if profile.margin else "Cash",
        "ext-account-id": f"E{_number(profile.number):09d}",
        "ext-crm-id": f"crm-{profile.number.lower()}",
        "external-fdid": f"fdid-{profile.number.lower()}",
        "regulatory-domain": "USA",
        "futures-account-purpose": "SPECULATING",
        "suitable-options-level": profile.options_level,
        "investment-objective": "SPECULATION",
        "investment-time-horizon": "SHORT",
        "liquidity-needs": "LOW",
        "risk-tolerance": "HIGH",
        "submitting-user-id": profile.owner_id,
        "funding-date": profile.opened_at.date().isoformat(),
        "created-at": opened,
    }


def trading_status_json(account: Account) -> dict[str, Any]:
    """Returns what the account may trade."""
    profile = account.profile
    margin = profile.margin
    return {
        "id": _number(profile.number),
        "account-number": profile.number,
        "autotrade-account-type": "NONE",
        "clearing-account-number": f"CLR{_number(profile.number) % 100_000:05d}",
        "clearing-aggregation-identifier": "NONE",
        "ext-crm-id": f"crm-{profile.number.lower()}",
        "day-trade-count": 0,
        "equities-margin-calculation-type": "Reg T" if margin else "Cash",
        "fee-schedule-name": "default",
        "futures-margin-rate-multiplier": "1.0",
        "has-intraday-equities-margin": False,
        "is-aggregated-at-clearing": False,
        "is-closed": False,
        "is-closing-only": False,
        "is-cryptocurrency-enabled": True,
        "is-cryptocurrency-closing-only": False,
        "is-equity-offering-enabled": False,
        "is-equity-offering-closing-only": False,
        "is-frozen": False,
        "is-full-equity-margin-required": False,
        "is-futures-closing-only": False,
        "is-futures-enabled": profile.futures,
        "is-futures-intra-day-enabled": False,
        "is-in-day-trade-equity-maintenance-call": False,
        "is-in-margin-call": False,
        "is-pattern-day-trader": False,
        "is-portfolio-margin-enabled": False,
        "is-risk-reducing-only": False,
        "is-roll-the-day-forward-enabled": True,
        "is-small-notional-futures-intra-day-enabled": False,
        "are-deep-itm-carry-options-enabled": False,
        "are-far-otm-net-options-restricted": True,
        "are-options-values-restricted-to-nlv": False,
        "are-single-tick-expiring-hedges-ignored": False,
        "options-level": profile.options_level,
        "short-calls-enabled": margin,
        "small-notional-futures-margin-rate-multiplier": "1.0",
        "updated-at": format_zulu(profile.opened_at),
    }


def position_limit_json(account: Account, limits: Mapping[str, int]) -> dict[str, Any]:
    """Returns the largest orders and positions."""
    return {"id": _number(account.number), "account-number": account.number, **limits}


def _number(account_number: str) -> int:
    return int.from_bytes(hashlib.sha256(account_number.encode()).digest()[:4], "big") % 10**9

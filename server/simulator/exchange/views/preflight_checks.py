"""Renders the answer to a placement or a dry run: order, buying-power effect, fees and problems."""

from __future__ import annotations

__all__ = ["check_json"]

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from server.simulator.exchange.fees import Fees
from server.simulator.exchange.money import ZERO, effect_of, format_decimal, with_effect
from server.simulator.exchange.preflight_checks import PreflightCheck


def check_json(
    checks: Sequence[PreflightCheck],
    *,
    order: dict[str, Any] | None = None,
    complex_order: dict[str, Any] | None = None,
    one_cancels_other: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Returns `data` of the broker's answer.

    A dry run reports refusals among its `warnings` and again as blocking `errors`: one page of the
    broker documents the first, another page the second.
    """
    found = [problem for check in checks for problem in check.problems]
    fees = sum((check.fees for check in checks), Fees())
    body: dict[str, Any] = {
        "buying-power-effect": _combine_effects(checks, one_cancels_other),
        "fee-calculation": fees.to_json(),
        "notes": [],
        "warnings": [problem.body() for problem in found],
    }
    if dry_run:
        body["errors"] = [problem.body() for problem in found if problem.blocks]

    if order is not None:
        body["order"] = order

    if complex_order is not None:
        body["complex-order"] = complex_order

    return body


def _combine_effects(checks: Sequence[PreflightCheck], one_cancels_other: bool) -> dict[str, Any]:
    if len(checks) == 1:
        return checks[0].effect.body()

    # Only the costliest of orders that cancel each other counts; others add up.
    changes = [check.effect.change for check in checks]
    change = min(changes) if one_cancels_other else sum(changes, ZERO)
    margin = _combine([check.effect.margin_change for check in checks], one_cancels_other)
    current = checks[0].effect.current
    isolated = _combine([check.effect.isolated for check in checks], one_cancels_other)
    return {
        **with_effect("change-in-margin-requirement", -margin),
        **with_effect("change-in-buying-power", change),
        **with_effect("current-buying-power", current),
        **with_effect("new-buying-power", current + change),
        **with_effect("isolated-order-margin-requirement", -isolated),
        "is-spread": any(check.effect.is_spread for check in checks),
        "impact": format_decimal(abs(change)),
        "effect": effect_of(change).value,
    }


def _combine(amounts: Sequence[Decimal], only_one: bool) -> Decimal:
    return max(amounts) if only_one else sum(amounts, ZERO)

"""What the broker computes about an underlying: implied volatility, beta, liquidity, earnings.

Rank and percentile are fractions sent as text; the index is a fraction too, but every figure with
`30_day`, `60_day` or `90_day` in its name is in percent points.
"""

from __future__ import annotations

__all__ = ["EarningsReport", "MarketMetrics", "read_market_metrics"]

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningsReport:
    """An earnings report that was or is expected."""

    expected_report_date: date | None
    estimated: bool
    time_of_day: str | None
    consensus_estimate: Decimal | None
    actual_eps: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMetrics:
    """The figures of one underlying; None where the broker has none."""

    symbol: str
    liquidity_rating: int | None
    beta: Decimal | None
    implied_volatility_index: Decimal | None
    implied_volatility_index_5_day_change: Decimal | None
    implied_volatility_index_rank: Decimal | None
    implied_volatility_percentile: Decimal | None
    implied_volatility_30_day: Decimal | None
    historical_volatility_30_day: Decimal | None
    historical_volatility_60_day: Decimal | None
    historical_volatility_90_day: Decimal | None
    iv_hv_30_day_difference: Decimal | None
    corr_spy_3month: Decimal | None
    liquidity_value: Decimal | None
    liquidity_rank: Decimal | None
    market_cap: Decimal | None
    price_earnings_ratio: Decimal | None
    earnings_per_share: Decimal | None
    dividend_rate_per_share: Decimal | None
    dividend_yield: Decimal | None
    dividend_ex_date: date | None
    dividend_next_date: date | None
    dividend_pay_date: date | None
    earnings: EarningsReport | None
    borrow_rate: Decimal | None
    lendability: str | None
    listed_market: str | None
    updated_at: datetime | None


def read_market_metrics(item: JsonReader) -> MarketMetrics:
    earnings = item.item("earnings")
    return MarketMetrics(
        symbol=item.identity("symbol"),
        liquidity_rating=item.integer("liquidity-rating"),
        beta=item.decimal("beta"),
        implied_volatility_index=item.decimal("implied-volatility-index"),
        implied_volatility_index_5_day_change=item.decimal("implied-volatility-index-5-day-change"),
        implied_volatility_index_rank=item.decimal("implied-volatility-index-rank"),
        implied_volatility_percentile=item.decimal("implied-volatility-percentile"),
        implied_volatility_30_day=item.decimal("implied-volatility-30-day"),
        historical_volatility_30_day=item.decimal("historical-volatility-30-day"),
        historical_volatility_60_day=item.decimal("historical-volatility-60-day"),
        historical_volatility_90_day=item.decimal("historical-volatility-90-day"),
        iv_hv_30_day_difference=item.decimal("iv-hv-30-day-difference"),
        corr_spy_3month=item.decimal("corr-spy-3month"),
        liquidity_value=item.decimal("liquidity-value"),
        liquidity_rank=item.decimal("liquidity-rank"),
        market_cap=item.decimal("market-cap"),
        price_earnings_ratio=item.decimal("price-earnings-ratio"),
        earnings_per_share=item.decimal("earnings-per-share"),
        dividend_rate_per_share=item.decimal("dividend-rate-per-share"),
        dividend_yield=item.decimal("dividend-yield"),
        dividend_ex_date=item.day("dividend-ex-date"),
        dividend_next_date=item.day("dividend-next-date"),
        dividend_pay_date=item.day("dividend-pay-date"),
        earnings=_earnings(earnings) if earnings else None,
        borrow_rate=item.decimal("borrow-rate"),
        lendability=item.text("lendability"),
        listed_market=item.text("listed-market"),
        updated_at=item.moment("updated-at"),
    )


def _earnings(item: JsonReader) -> EarningsReport:
    return EarningsReport(
        expected_report_date=item.day("expected-report-date"),
        estimated=item.flag("estimated") or False,
        time_of_day=item.text("time-of-day"),
        consensus_estimate=item.decimal("consensus-estimate"),
        actual_eps=item.decimal("actual-eps"),
    )

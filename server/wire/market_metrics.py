"""Market metrics to messages."""

from __future__ import annotations

__all__ = ["market_metrics_to", "symbols_from", "unknown_of"]

from collections.abc import Container, Sequence

from tasty.v1 import instrument_pb2, market_metrics_pb2, reference_service_pb2

from server.brokerage.api.metrics import EarningsReport, MarketMetrics
from server.brokerage.instruments.symbols import parse
from server.errors import SymbolNotFound, TooManyGiven
from server.wire.numbers import decimal_or_none, money_or_none, number
from server.wire.times import date_or_none, timestamp

LIQUIDITY_WORDS = ("Very Low", "Low", "Moderate", "Good", "High", "Very High")
"""For the broker's 0 to 5; the guide shows a word."""


def symbols_from(
    request: reference_service_pb2.GetMarketMetricsRequest, *, most: int
) -> tuple[str, ...]:
    """Returns the symbols of a request as the broker spells them, each once."""
    given = request.symbols
    if len(given) > most:
        raise TooManyGiven("symbols", given=len(given), allowed=most)

    return tuple(dict.fromkeys(parse(each, field="symbols").symbol for each in given))


def unknown_of(symbols: Sequence[str], known: Container[str]) -> list[instrument_pb2.SymbolError]:
    """Returns an error for each symbol without metrics; raises SymbolNotFound if none has any."""
    unknown = [each for each in symbols if each not in known]
    if len(unknown) == len(symbols):
        raise SymbolNotFound(unknown[0])

    return [
        instrument_pb2.SymbolError(symbol=each, reason=str(SymbolNotFound(each)))
        for each in unknown
    ]


def market_metrics_to(metrics: MarketMetrics) -> market_metrics_pb2.MarketMetrics:
    return market_metrics_pb2.MarketMetrics(
        symbol=metrics.symbol,
        iv_rank=number(metrics.implied_volatility_index_rank),
        iv_percentile=number(metrics.implied_volatility_percentile),
        beta=number(metrics.beta),
        liquidity_rating=liquidity_word(metrics.liquidity_rating),
        liquidity_rating_value=metrics.liquidity_rating,
        implied_volatility_index=decimal_or_none(metrics.implied_volatility_index),
        implied_volatility_index_5_day_change=decimal_or_none(
            metrics.implied_volatility_index_5_day_change
        ),
        implied_volatility_index_rank=decimal_or_none(metrics.implied_volatility_index_rank),
        implied_volatility_percentile=decimal_or_none(metrics.implied_volatility_percentile),
        implied_volatility_30_day=decimal_or_none(metrics.implied_volatility_30_day),
        historical_volatility_30_day=decimal_or_none(metrics.historical_volatility_30_day),
        historical_volatility_60_day=decimal_or_none(metrics.historical_volatility_60_day),
        historical_volatility_90_day=decimal_or_none(metrics.historical_volatility_90_day),
        iv_hv_30_day_difference=decimal_or_none(metrics.iv_hv_30_day_difference),
        corr_spy_3month=decimal_or_none(metrics.corr_spy_3month),
        liquidity_value=decimal_or_none(metrics.liquidity_value),
        liquidity_rank=decimal_or_none(metrics.liquidity_rank),
        market_cap=decimal_or_none(metrics.market_cap),
        price_earnings_ratio=decimal_or_none(metrics.price_earnings_ratio),
        earnings_per_share=money_or_none(metrics.earnings_per_share),
        dividend_rate_per_share=money_or_none(metrics.dividend_rate_per_share),
        dividend_yield=decimal_or_none(metrics.dividend_yield),
        dividend_ex_date=date_or_none(metrics.dividend_ex_date),
        dividend_next_date=date_or_none(metrics.dividend_next_date),
        dividend_pay_date=date_or_none(metrics.dividend_pay_date),
        earnings=_earnings_to(metrics.earnings) if metrics.earnings else None,
        borrow_rate=decimal_or_none(metrics.borrow_rate),
        lendability=metrics.lendability or "",
        listed_market=metrics.listed_market or "",
        updated_at=timestamp(metrics.updated_at),
    )


def liquidity_word(rating: int | None) -> str:
    """Returns the word for the broker's rating; "" for none, and for one beyond the scale."""
    if rating is None or not 0 <= rating < len(LIQUIDITY_WORDS):
        return ""

    return LIQUIDITY_WORDS[rating]


def _earnings_to(earnings: EarningsReport) -> market_metrics_pb2.EarningsReport:
    return market_metrics_pb2.EarningsReport(
        expected_report_date=date_or_none(earnings.expected_report_date),
        estimated=earnings.estimated,
        time_of_day=earnings.time_of_day or "",
        consensus_estimate=decimal_or_none(earnings.consensus_estimate),
        actual_eps=decimal_or_none(earnings.actual_eps),
    )

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarketMetrics(_message.Message):
    __slots__ = ("symbol", "iv_rank", "iv_percentile", "beta", "liquidity_rating", "liquidity_rating_value", "implied_volatility_index", "implied_volatility_index_5_day_change", "implied_volatility_index_rank", "implied_volatility_percentile", "implied_volatility_30_day", "historical_volatility_30_day", "historical_volatility_60_day", "historical_volatility_90_day", "iv_hv_30_day_difference", "corr_spy_3month", "liquidity_value", "liquidity_rank", "market_cap", "price_earnings_ratio", "earnings_per_share", "dividend_rate_per_share", "dividend_yield", "dividend_ex_date", "dividend_next_date", "dividend_pay_date", "earnings", "borrow_rate", "lendability", "listed_market", "updated_at")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    IV_RANK_FIELD_NUMBER: _ClassVar[int]
    IV_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_RATING_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_RATING_VALUE_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_VOLATILITY_INDEX_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_VOLATILITY_INDEX_5_DAY_CHANGE_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_VOLATILITY_INDEX_RANK_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_VOLATILITY_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_VOLATILITY_30_DAY_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_VOLATILITY_30_DAY_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_VOLATILITY_60_DAY_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_VOLATILITY_90_DAY_FIELD_NUMBER: _ClassVar[int]
    IV_HV_30_DAY_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    CORR_SPY_3MONTH_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_VALUE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_RANK_FIELD_NUMBER: _ClassVar[int]
    MARKET_CAP_FIELD_NUMBER: _ClassVar[int]
    PRICE_EARNINGS_RATIO_FIELD_NUMBER: _ClassVar[int]
    EARNINGS_PER_SHARE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_RATE_PER_SHARE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_YIELD_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_EX_DATE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_NEXT_DATE_FIELD_NUMBER: _ClassVar[int]
    DIVIDEND_PAY_DATE_FIELD_NUMBER: _ClassVar[int]
    EARNINGS_FIELD_NUMBER: _ClassVar[int]
    BORROW_RATE_FIELD_NUMBER: _ClassVar[int]
    LENDABILITY_FIELD_NUMBER: _ClassVar[int]
    LISTED_MARKET_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    iv_rank: float
    iv_percentile: float
    beta: float
    liquidity_rating: str
    liquidity_rating_value: int
    implied_volatility_index: str
    implied_volatility_index_5_day_change: str
    implied_volatility_index_rank: str
    implied_volatility_percentile: str
    implied_volatility_30_day: str
    historical_volatility_30_day: str
    historical_volatility_60_day: str
    historical_volatility_90_day: str
    iv_hv_30_day_difference: str
    corr_spy_3month: str
    liquidity_value: str
    liquidity_rank: str
    market_cap: str
    price_earnings_ratio: str
    earnings_per_share: str
    dividend_rate_per_share: str
    dividend_yield: str
    dividend_ex_date: str
    dividend_next_date: str
    dividend_pay_date: str
    earnings: EarningsReport
    borrow_rate: str
    lendability: str
    listed_market: str
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, symbol: _Optional[str] = ..., iv_rank: _Optional[float] = ..., iv_percentile: _Optional[float] = ..., beta: _Optional[float] = ..., liquidity_rating: _Optional[str] = ..., liquidity_rating_value: _Optional[int] = ..., implied_volatility_index: _Optional[str] = ..., implied_volatility_index_5_day_change: _Optional[str] = ..., implied_volatility_index_rank: _Optional[str] = ..., implied_volatility_percentile: _Optional[str] = ..., implied_volatility_30_day: _Optional[str] = ..., historical_volatility_30_day: _Optional[str] = ..., historical_volatility_60_day: _Optional[str] = ..., historical_volatility_90_day: _Optional[str] = ..., iv_hv_30_day_difference: _Optional[str] = ..., corr_spy_3month: _Optional[str] = ..., liquidity_value: _Optional[str] = ..., liquidity_rank: _Optional[str] = ..., market_cap: _Optional[str] = ..., price_earnings_ratio: _Optional[str] = ..., earnings_per_share: _Optional[str] = ..., dividend_rate_per_share: _Optional[str] = ..., dividend_yield: _Optional[str] = ..., dividend_ex_date: _Optional[str] = ..., dividend_next_date: _Optional[str] = ..., dividend_pay_date: _Optional[str] = ..., earnings: _Optional[_Union[EarningsReport, _Mapping]] = ..., borrow_rate: _Optional[str] = ..., lendability: _Optional[str] = ..., listed_market: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EarningsReport(_message.Message):
    __slots__ = ("expected_report_date", "estimated", "time_of_day", "consensus_estimate", "actual_eps")
    EXPECTED_REPORT_DATE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    TIME_OF_DAY_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_EPS_FIELD_NUMBER: _ClassVar[int]
    expected_report_date: str
    estimated: bool
    time_of_day: str
    consensus_estimate: str
    actual_eps: str
    def __init__(self, expected_report_date: _Optional[str] = ..., estimated: _Optional[bool] = ..., time_of_day: _Optional[str] = ..., consensus_estimate: _Optional[str] = ..., actual_eps: _Optional[str] = ...) -> None: ...

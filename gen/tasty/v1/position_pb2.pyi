import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Position(_message.Message):
    __slots__ = ("symbol", "quantity", "average_open_price", "current_price", "unrealized_pnl", "delta", "gamma", "theta", "vega", "account_number", "instrument_type", "underlying_symbol", "streamer_symbol", "quantity_direction", "multiplier", "mark", "mark_price", "close_price", "cost_effect", "realized_day_gain", "realized_today", "expires_at", "created_at", "updated_at", "position_delta", "position_gamma", "position_theta", "position_vega", "price_source", "price_time")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_OPEN_PRICE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PRICE_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_DIRECTION_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    MARK_PRICE_FIELD_NUMBER: _ClassVar[int]
    CLOSE_PRICE_FIELD_NUMBER: _ClassVar[int]
    COST_EFFECT_FIELD_NUMBER: _ClassVar[int]
    REALIZED_DAY_GAIN_FIELD_NUMBER: _ClassVar[int]
    REALIZED_TODAY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    POSITION_DELTA_FIELD_NUMBER: _ClassVar[int]
    POSITION_GAMMA_FIELD_NUMBER: _ClassVar[int]
    POSITION_THETA_FIELD_NUMBER: _ClassVar[int]
    POSITION_VEGA_FIELD_NUMBER: _ClassVar[int]
    PRICE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRICE_TIME_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    quantity: float
    average_open_price: str
    current_price: str
    unrealized_pnl: str
    delta: str
    gamma: str
    theta: str
    vega: str
    account_number: str
    instrument_type: str
    underlying_symbol: str
    streamer_symbol: str
    quantity_direction: str
    multiplier: str
    mark: str
    mark_price: str
    close_price: str
    cost_effect: str
    realized_day_gain: str
    realized_today: str
    expires_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    position_delta: str
    position_gamma: str
    position_theta: str
    position_vega: str
    price_source: str
    price_time: _timestamp_pb2.Timestamp
    def __init__(self, symbol: _Optional[str] = ..., quantity: _Optional[float] = ..., average_open_price: _Optional[str] = ..., current_price: _Optional[str] = ..., unrealized_pnl: _Optional[str] = ..., delta: _Optional[str] = ..., gamma: _Optional[str] = ..., theta: _Optional[str] = ..., vega: _Optional[str] = ..., account_number: _Optional[str] = ..., instrument_type: _Optional[str] = ..., underlying_symbol: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., quantity_direction: _Optional[str] = ..., multiplier: _Optional[str] = ..., mark: _Optional[str] = ..., mark_price: _Optional[str] = ..., close_price: _Optional[str] = ..., cost_effect: _Optional[str] = ..., realized_day_gain: _Optional[str] = ..., realized_today: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., position_delta: _Optional[str] = ..., position_gamma: _Optional[str] = ..., position_theta: _Optional[str] = ..., position_vega: _Optional[str] = ..., price_source: _Optional[str] = ..., price_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PortfolioTotals(_message.Message):
    __slots__ = ("unrealized_pnl", "market_value", "delta", "gamma", "theta", "vega", "beta_weighted_delta", "incomplete_symbols")
    UNREALIZED_PNL_FIELD_NUMBER: _ClassVar[int]
    MARKET_VALUE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    BETA_WEIGHTED_DELTA_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    unrealized_pnl: str
    market_value: str
    delta: str
    gamma: str
    theta: str
    vega: str
    beta_weighted_delta: str
    incomplete_symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unrealized_pnl: _Optional[str] = ..., market_value: _Optional[str] = ..., delta: _Optional[str] = ..., gamma: _Optional[str] = ..., theta: _Optional[str] = ..., vega: _Optional[str] = ..., beta_weighted_delta: _Optional[str] = ..., incomplete_symbols: _Optional[_Iterable[str]] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Trade(_message.Message):
    __slots__ = ("event_symbol", "symbol", "streamer_symbol", "price", "size", "change", "day_volume", "day_turnover", "exchange_code", "tick_direction", "extended_trading_hours", "time", "received_at", "stale")
    EVENT_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DAY_VOLUME_FIELD_NUMBER: _ClassVar[int]
    DAY_TURNOVER_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_CODE_FIELD_NUMBER: _ClassVar[int]
    TICK_DIRECTION_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_TRADING_HOURS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    event_symbol: str
    symbol: str
    streamer_symbol: str
    price: str
    size: float
    change: str
    day_volume: str
    day_turnover: str
    exchange_code: str
    tick_direction: str
    extended_trading_hours: bool
    time: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    stale: bool
    def __init__(self, event_symbol: _Optional[str] = ..., symbol: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., price: _Optional[str] = ..., size: _Optional[float] = ..., change: _Optional[str] = ..., day_volume: _Optional[str] = ..., day_turnover: _Optional[str] = ..., exchange_code: _Optional[str] = ..., tick_direction: _Optional[str] = ..., extended_trading_hours: _Optional[bool] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stale: _Optional[bool] = ...) -> None: ...

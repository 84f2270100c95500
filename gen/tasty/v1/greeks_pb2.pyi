import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Greeks(_message.Message):
    __slots__ = ("event_symbol", "delta", "gamma", "theta", "vega", "rho", "symbol", "streamer_symbol", "price", "volatility", "time", "received_at", "stale")
    EVENT_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    RHO_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    event_symbol: str
    delta: str
    gamma: str
    theta: str
    vega: str
    rho: str
    symbol: str
    streamer_symbol: str
    price: str
    volatility: str
    time: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    stale: bool
    def __init__(self, event_symbol: _Optional[str] = ..., delta: _Optional[str] = ..., gamma: _Optional[str] = ..., theta: _Optional[str] = ..., vega: _Optional[str] = ..., rho: _Optional[str] = ..., symbol: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., price: _Optional[str] = ..., volatility: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stale: _Optional[bool] = ...) -> None: ...

import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Quote(_message.Message):
    __slots__ = ("event_symbol", "bid_price", "ask_price", "last_price", "bid_size", "ask_size", "symbol", "streamer_symbol", "mid_price", "bid_time", "ask_time", "bid_exchange_code", "ask_exchange_code", "event_time", "received_at", "source", "stale")
    EVENT_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    BID_PRICE_FIELD_NUMBER: _ClassVar[int]
    ASK_PRICE_FIELD_NUMBER: _ClassVar[int]
    LAST_PRICE_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    MID_PRICE_FIELD_NUMBER: _ClassVar[int]
    BID_TIME_FIELD_NUMBER: _ClassVar[int]
    ASK_TIME_FIELD_NUMBER: _ClassVar[int]
    BID_EXCHANGE_CODE_FIELD_NUMBER: _ClassVar[int]
    ASK_EXCHANGE_CODE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    event_symbol: str
    bid_price: str
    ask_price: str
    last_price: str
    bid_size: float
    ask_size: float
    symbol: str
    streamer_symbol: str
    mid_price: str
    bid_time: _timestamp_pb2.Timestamp
    ask_time: _timestamp_pb2.Timestamp
    bid_exchange_code: str
    ask_exchange_code: str
    event_time: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    source: str
    stale: bool
    def __init__(self, event_symbol: _Optional[str] = ..., bid_price: _Optional[str] = ..., ask_price: _Optional[str] = ..., last_price: _Optional[str] = ..., bid_size: _Optional[float] = ..., ask_size: _Optional[float] = ..., symbol: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., mid_price: _Optional[str] = ..., bid_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ask_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid_exchange_code: _Optional[str] = ..., ask_exchange_code: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., stale: _Optional[bool] = ...) -> None: ...

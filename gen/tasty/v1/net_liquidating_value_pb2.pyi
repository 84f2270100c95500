import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NetLiquidatingValue(_message.Message):
    __slots__ = ("time", "open", "high", "low", "close", "pending_cash_open", "pending_cash_high", "pending_cash_low", "pending_cash_close", "total_open", "total_high", "total_low", "total_close")
    TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    PENDING_CASH_OPEN_FIELD_NUMBER: _ClassVar[int]
    PENDING_CASH_HIGH_FIELD_NUMBER: _ClassVar[int]
    PENDING_CASH_LOW_FIELD_NUMBER: _ClassVar[int]
    PENDING_CASH_CLOSE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_OPEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_HIGH_FIELD_NUMBER: _ClassVar[int]
    TOTAL_LOW_FIELD_NUMBER: _ClassVar[int]
    TOTAL_CLOSE_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    open: str
    high: str
    low: str
    close: str
    pending_cash_open: str
    pending_cash_high: str
    pending_cash_low: str
    pending_cash_close: str
    total_open: str
    total_high: str
    total_low: str
    total_close: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open: _Optional[str] = ..., high: _Optional[str] = ..., low: _Optional[str] = ..., close: _Optional[str] = ..., pending_cash_open: _Optional[str] = ..., pending_cash_high: _Optional[str] = ..., pending_cash_low: _Optional[str] = ..., pending_cash_close: _Optional[str] = ..., total_open: _Optional[str] = ..., total_high: _Optional[str] = ..., total_low: _Optional[str] = ..., total_close: _Optional[str] = ...) -> None: ...

from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MarketSession(_message.Message):
    __slots__ = ("exchange", "status", "close_at", "next_open", "time_until_open", "is_holiday", "is_half_day")
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_OPEN_FIELD_NUMBER: _ClassVar[int]
    TIME_UNTIL_OPEN_FIELD_NUMBER: _ClassVar[int]
    IS_HOLIDAY_FIELD_NUMBER: _ClassVar[int]
    IS_HALF_DAY_FIELD_NUMBER: _ClassVar[int]
    exchange: str
    status: str
    close_at: str
    next_open: str
    time_until_open: str
    is_holiday: bool
    is_half_day: bool
    def __init__(self, exchange: _Optional[str] = ..., status: _Optional[str] = ..., close_at: _Optional[str] = ..., next_open: _Optional[str] = ..., time_until_open: _Optional[str] = ..., is_holiday: _Optional[bool] = ..., is_half_day: _Optional[bool] = ...) -> None: ...

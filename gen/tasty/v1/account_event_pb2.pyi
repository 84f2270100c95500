import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import balance_pb2 as _balance_pb2
from tasty.v1 import complex_order_pb2 as _complex_order_pb2
from tasty.v1 import order_pb2 as _order_pb2
from tasty.v1 import position_pb2 as _position_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountEventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_EVENT_TYPE_UNSPECIFIED: _ClassVar[AccountEventType]
    ACCOUNT_EVENT_TYPE_ORDER: _ClassVar[AccountEventType]
    ACCOUNT_EVENT_TYPE_FILL: _ClassVar[AccountEventType]
    ACCOUNT_EVENT_TYPE_COMPLEX_ORDER: _ClassVar[AccountEventType]
    ACCOUNT_EVENT_TYPE_BALANCE: _ClassVar[AccountEventType]
    ACCOUNT_EVENT_TYPE_POSITION: _ClassVar[AccountEventType]
ACCOUNT_EVENT_TYPE_UNSPECIFIED: AccountEventType
ACCOUNT_EVENT_TYPE_ORDER: AccountEventType
ACCOUNT_EVENT_TYPE_FILL: AccountEventType
ACCOUNT_EVENT_TYPE_COMPLEX_ORDER: AccountEventType
ACCOUNT_EVENT_TYPE_BALANCE: AccountEventType
ACCOUNT_EVENT_TYPE_POSITION: AccountEventType

class AccountEvent(_message.Message):
    __slots__ = ("cursor", "type", "account_number", "event_time", "received_at", "recovered", "order", "fill", "fill_symbol", "complex_order", "balances", "position")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RECOVERED_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    FILL_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    type: AccountEventType
    account_number: str
    event_time: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    recovered: bool
    order: _order_pb2.Order
    fill: _order_pb2.LegFill
    fill_symbol: str
    complex_order: _complex_order_pb2.ComplexOrder
    balances: _balance_pb2.Balances
    position: _position_pb2.Position
    def __init__(self, cursor: _Optional[str] = ..., type: _Optional[_Union[AccountEventType, str]] = ..., account_number: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recovered: _Optional[bool] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., fill: _Optional[_Union[_order_pb2.LegFill, _Mapping]] = ..., fill_symbol: _Optional[str] = ..., complex_order: _Optional[_Union[_complex_order_pb2.ComplexOrder, _Mapping]] = ..., balances: _Optional[_Union[_balance_pb2.Balances, _Mapping]] = ..., position: _Optional[_Union[_position_pb2.Position, _Mapping]] = ...) -> None: ...

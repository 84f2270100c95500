import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ComplexOrder(_message.Message):
    __slots__ = ("id", "account_number", "type", "trigger_order", "orders", "terminal_at", "external_identifier")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_ORDER_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_AT_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    id: str
    account_number: str
    type: str
    trigger_order: _order_pb2.Order
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    terminal_at: _timestamp_pb2.Timestamp
    external_identifier: str
    def __init__(self, id: _Optional[str] = ..., account_number: _Optional[str] = ..., type: _Optional[str] = ..., trigger_order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., terminal_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., external_identifier: _Optional[str] = ...) -> None: ...

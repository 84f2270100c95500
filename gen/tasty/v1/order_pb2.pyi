import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Order(_message.Message):
    __slots__ = ("id", "account_number", "status", "order_type", "time_in_force", "price", "stop_trigger", "value", "size", "underlying_symbol", "underlying_instrument_type", "legs", "cancellable", "editable", "edited", "received_at", "live_at", "cancelled_at", "terminal_at", "updated_at", "reject_reason", "complex_order_id", "complex_order_tag", "replaces_order_id", "replacing_order_id", "gtc_date", "external_identifier")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    CANCELLABLE_FIELD_NUMBER: _ClassVar[int]
    EDITABLE_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    LIVE_AT_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_AT_FIELD_NUMBER: _ClassVar[int]
    TERMINAL_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    REJECT_REASON_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_TAG_FIELD_NUMBER: _ClassVar[int]
    REPLACES_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REPLACING_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    GTC_DATE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    id: str
    account_number: str
    status: str
    order_type: str
    time_in_force: str
    price: str
    stop_trigger: str
    value: str
    size: str
    underlying_symbol: str
    underlying_instrument_type: str
    legs: _containers.RepeatedCompositeFieldContainer[OrderLeg]
    cancellable: bool
    editable: bool
    edited: bool
    received_at: _timestamp_pb2.Timestamp
    live_at: _timestamp_pb2.Timestamp
    cancelled_at: _timestamp_pb2.Timestamp
    terminal_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    reject_reason: str
    complex_order_id: str
    complex_order_tag: str
    replaces_order_id: str
    replacing_order_id: str
    gtc_date: str
    external_identifier: str
    def __init__(self, id: _Optional[str] = ..., account_number: _Optional[str] = ..., status: _Optional[str] = ..., order_type: _Optional[str] = ..., time_in_force: _Optional[str] = ..., price: _Optional[str] = ..., stop_trigger: _Optional[str] = ..., value: _Optional[str] = ..., size: _Optional[str] = ..., underlying_symbol: _Optional[str] = ..., underlying_instrument_type: _Optional[str] = ..., legs: _Optional[_Iterable[_Union[OrderLeg, _Mapping]]] = ..., cancellable: _Optional[bool] = ..., editable: _Optional[bool] = ..., edited: _Optional[bool] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., live_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cancelled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., terminal_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reject_reason: _Optional[str] = ..., complex_order_id: _Optional[str] = ..., complex_order_tag: _Optional[str] = ..., replaces_order_id: _Optional[str] = ..., replacing_order_id: _Optional[str] = ..., gtc_date: _Optional[str] = ..., external_identifier: _Optional[str] = ...) -> None: ...

class OrderLeg(_message.Message):
    __slots__ = ("symbol", "instrument_type", "action", "quantity", "remaining_quantity", "fills")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    REMAINING_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    instrument_type: str
    action: str
    quantity: float
    remaining_quantity: float
    fills: _containers.RepeatedCompositeFieldContainer[LegFill]
    def __init__(self, symbol: _Optional[str] = ..., instrument_type: _Optional[str] = ..., action: _Optional[str] = ..., quantity: _Optional[float] = ..., remaining_quantity: _Optional[float] = ..., fills: _Optional[_Iterable[_Union[LegFill, _Mapping]]] = ...) -> None: ...

class LegFill(_message.Message):
    __slots__ = ("fill_id", "quantity", "fill_price", "filled_at", "destination_venue")
    FILL_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FILL_PRICE_FIELD_NUMBER: _ClassVar[int]
    FILLED_AT_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_VENUE_FIELD_NUMBER: _ClassVar[int]
    fill_id: str
    quantity: float
    fill_price: str
    filled_at: _timestamp_pb2.Timestamp
    destination_venue: str
    def __init__(self, fill_id: _Optional[str] = ..., quantity: _Optional[float] = ..., fill_price: _Optional[str] = ..., filled_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., destination_venue: _Optional[str] = ...) -> None: ...

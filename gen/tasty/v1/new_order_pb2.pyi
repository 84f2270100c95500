from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NewOrder(_message.Message):
    __slots__ = ("legs", "price", "time_in_force", "dry_run", "order_type", "stop_trigger", "value", "client_order_id")
    LEGS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    STOP_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    legs: _containers.RepeatedCompositeFieldContainer[NewOrderLeg]
    price: str
    time_in_force: str
    dry_run: bool
    order_type: str
    stop_trigger: str
    value: str
    client_order_id: str
    def __init__(self, legs: _Optional[_Iterable[_Union[NewOrderLeg, _Mapping]]] = ..., price: _Optional[str] = ..., time_in_force: _Optional[str] = ..., dry_run: _Optional[bool] = ..., order_type: _Optional[str] = ..., stop_trigger: _Optional[str] = ..., value: _Optional[str] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class NewOrderLeg(_message.Message):
    __slots__ = ("symbol", "option_type", "action", "quantity", "strike_price", "expiration_date")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    OPTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    STRIKE_PRICE_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_DATE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    option_type: str
    action: str
    quantity: float
    strike_price: float
    expiration_date: str
    def __init__(self, symbol: _Optional[str] = ..., option_type: _Optional[str] = ..., action: _Optional[str] = ..., quantity: _Optional[float] = ..., strike_price: _Optional[float] = ..., expiration_date: _Optional[str] = ...) -> None: ...

class OrderChange(_message.Message):
    __slots__ = ("price", "client_order_id")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    price: str
    client_order_id: str
    def __init__(self, price: _Optional[str] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class NewComplexOrder(_message.Message):
    __slots__ = ("type", "trigger_order", "orders", "dry_run", "client_order_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_ORDER_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    type: str
    trigger_order: ComplexOrderPart
    orders: _containers.RepeatedCompositeFieldContainer[ComplexOrderPart]
    dry_run: bool
    client_order_id: str
    def __init__(self, type: _Optional[str] = ..., trigger_order: _Optional[_Union[ComplexOrderPart, _Mapping]] = ..., orders: _Optional[_Iterable[_Union[ComplexOrderPart, _Mapping]]] = ..., dry_run: _Optional[bool] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class ComplexOrderPart(_message.Message):
    __slots__ = ("legs", "price", "time_in_force", "order_type", "stop_trigger")
    LEGS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    STOP_TRIGGER_FIELD_NUMBER: _ClassVar[int]
    legs: _containers.RepeatedCompositeFieldContainer[NewOrderLeg]
    price: str
    time_in_force: str
    order_type: str
    stop_trigger: str
    def __init__(self, legs: _Optional[_Iterable[_Union[NewOrderLeg, _Mapping]]] = ..., price: _Optional[str] = ..., time_in_force: _Optional[str] = ..., order_type: _Optional[str] = ..., stop_trigger: _Optional[str] = ...) -> None: ...

class OrderConfirmation(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

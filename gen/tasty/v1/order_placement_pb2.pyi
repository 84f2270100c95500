from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import complex_order_pb2 as _complex_order_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import new_order_pb2 as _new_order_pb2
from tasty.v1 import order_pb2 as _order_pb2
from tasty.v1 import order_receipt_pb2 as _order_receipt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaceOrderRequest(_message.Message):
    __slots__ = ("account_id", "order")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order: _new_order_pb2.NewOrder
    def __init__(self, account_id: _Optional[str] = ..., order: _Optional[_Union[_new_order_pb2.NewOrder, _Mapping]] = ...) -> None: ...

class PlaceOrderResponse(_message.Message):
    __slots__ = ("id", "status", "fills", "order", "buying_power_effect", "fee_calculation", "warnings", "errors", "dry_run", "price", "price_source", "pricing", "client_order_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_EFFECT_FIELD_NUMBER: _ClassVar[int]
    FEE_CALCULATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PRICE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRICING_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: str
    fills: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.Fill]
    order: _order_pb2.Order
    buying_power_effect: _order_receipt_pb2.BuyingPowerEffect
    fee_calculation: _order_receipt_pb2.FeeCalculation
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    errors: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    dry_run: bool
    price: str
    price_source: str
    pricing: _order_receipt_pb2.OrderPricing
    client_order_id: str
    def __init__(self, id: _Optional[str] = ..., status: _Optional[str] = ..., fills: _Optional[_Iterable[_Union[_order_receipt_pb2.Fill, _Mapping]]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., buying_power_effect: _Optional[_Union[_order_receipt_pb2.BuyingPowerEffect, _Mapping]] = ..., fee_calculation: _Optional[_Union[_order_receipt_pb2.FeeCalculation, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ..., errors: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ..., dry_run: _Optional[bool] = ..., price: _Optional[str] = ..., price_source: _Optional[str] = ..., pricing: _Optional[_Union[_order_receipt_pb2.OrderPricing, _Mapping]] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class ReplaceOrderRequest(_message.Message):
    __slots__ = ("account_id", "order_id", "change", "price")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order_id: str
    change: _new_order_pb2.OrderChange
    price: str
    def __init__(self, account_id: _Optional[str] = ..., order_id: _Optional[str] = ..., change: _Optional[_Union[_new_order_pb2.OrderChange, _Mapping]] = ..., price: _Optional[str] = ...) -> None: ...

class ReplaceOrderResponse(_message.Message):
    __slots__ = ("id", "replaced_order_id", "status", "price", "fills", "order", "price_source", "client_order_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    REPLACED_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PRICE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    replaced_order_id: str
    status: str
    price: str
    fills: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.Fill]
    order: _order_pb2.Order
    price_source: str
    client_order_id: str
    def __init__(self, id: _Optional[str] = ..., replaced_order_id: _Optional[str] = ..., status: _Optional[str] = ..., price: _Optional[str] = ..., fills: _Optional[_Iterable[_Union[_order_receipt_pb2.Fill, _Mapping]]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., price_source: _Optional[str] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("account_id", "order_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order_id: str
    def __init__(self, account_id: _Optional[str] = ..., order_id: _Optional[str] = ...) -> None: ...

class CancelOrderResponse(_message.Message):
    __slots__ = ("success", "order_id", "status", "order", "warnings")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    order_id: str
    status: str
    order: _order_pb2.Order
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    def __init__(self, success: _Optional[bool] = ..., order_id: _Optional[str] = ..., status: _Optional[str] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ...) -> None: ...

class PlaceComplexOrderRequest(_message.Message):
    __slots__ = ("account_id", "order")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order: _new_order_pb2.NewComplexOrder
    def __init__(self, account_id: _Optional[str] = ..., order: _Optional[_Union[_new_order_pb2.NewComplexOrder, _Mapping]] = ...) -> None: ...

class PlaceComplexOrderResponse(_message.Message):
    __slots__ = ("id", "status", "complex_order", "buying_power_effect", "fee_calculation", "warnings", "errors", "dry_run", "client_order_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_EFFECT_FIELD_NUMBER: _ClassVar[int]
    FEE_CALCULATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: str
    complex_order: _complex_order_pb2.ComplexOrder
    buying_power_effect: _order_receipt_pb2.BuyingPowerEffect
    fee_calculation: _order_receipt_pb2.FeeCalculation
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    errors: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    dry_run: bool
    client_order_id: str
    def __init__(self, id: _Optional[str] = ..., status: _Optional[str] = ..., complex_order: _Optional[_Union[_complex_order_pb2.ComplexOrder, _Mapping]] = ..., buying_power_effect: _Optional[_Union[_order_receipt_pb2.BuyingPowerEffect, _Mapping]] = ..., fee_calculation: _Optional[_Union[_order_receipt_pb2.FeeCalculation, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ..., errors: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ..., dry_run: _Optional[bool] = ..., client_order_id: _Optional[str] = ...) -> None: ...

class CancelComplexOrderRequest(_message.Message):
    __slots__ = ("account_id", "complex_order_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    complex_order_id: str
    def __init__(self, account_id: _Optional[str] = ..., complex_order_id: _Optional[str] = ...) -> None: ...

class CancelComplexOrderResponse(_message.Message):
    __slots__ = ("success", "complex_order_id", "complex_order", "warnings")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLEX_ORDER_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    success: bool
    complex_order_id: str
    complex_order: _complex_order_pb2.ComplexOrder
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    def __init__(self, success: _Optional[bool] = ..., complex_order_id: _Optional[str] = ..., complex_order: _Optional[_Union[_complex_order_pb2.ComplexOrder, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ...) -> None: ...

class ConfirmOrderRequest(_message.Message):
    __slots__ = ("account_id", "confirmation")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIRMATION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    confirmation: _new_order_pb2.OrderConfirmation
    def __init__(self, account_id: _Optional[str] = ..., confirmation: _Optional[_Union[_new_order_pb2.OrderConfirmation, _Mapping]] = ...) -> None: ...

class ConfirmOrderResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: PlaceOrderResponse
    def __init__(self, receipt: _Optional[_Union[PlaceOrderResponse, _Mapping]] = ...) -> None: ...

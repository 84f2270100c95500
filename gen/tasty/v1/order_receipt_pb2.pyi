import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Fill(_message.Message):
    __slots__ = ("price", "quantity")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    price: str
    quantity: float
    def __init__(self, price: _Optional[str] = ..., quantity: _Optional[float] = ...) -> None: ...

class BuyingPowerEffect(_message.Message):
    __slots__ = ("change_in_margin_requirement", "change_in_buying_power", "current_buying_power", "new_buying_power", "isolated_order_margin_requirement", "is_spread", "impact", "effect")
    CHANGE_IN_MARGIN_REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_IN_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    CURRENT_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    NEW_BUYING_POWER_FIELD_NUMBER: _ClassVar[int]
    ISOLATED_ORDER_MARGIN_REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    IS_SPREAD_FIELD_NUMBER: _ClassVar[int]
    IMPACT_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    change_in_margin_requirement: str
    change_in_buying_power: str
    current_buying_power: str
    new_buying_power: str
    isolated_order_margin_requirement: str
    is_spread: bool
    impact: str
    effect: str
    def __init__(self, change_in_margin_requirement: _Optional[str] = ..., change_in_buying_power: _Optional[str] = ..., current_buying_power: _Optional[str] = ..., new_buying_power: _Optional[str] = ..., isolated_order_margin_requirement: _Optional[str] = ..., is_spread: _Optional[bool] = ..., impact: _Optional[str] = ..., effect: _Optional[str] = ...) -> None: ...

class FeeCalculation(_message.Message):
    __slots__ = ("regulatory_fees", "clearing_fees", "commission", "proprietary_index_option_fees", "total_fees")
    REGULATORY_FEES_FIELD_NUMBER: _ClassVar[int]
    CLEARING_FEES_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    PROPRIETARY_INDEX_OPTION_FEES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FEES_FIELD_NUMBER: _ClassVar[int]
    regulatory_fees: str
    clearing_fees: str
    commission: str
    proprietary_index_option_fees: str
    total_fees: str
    def __init__(self, regulatory_fees: _Optional[str] = ..., clearing_fees: _Optional[str] = ..., commission: _Optional[str] = ..., proprietary_index_option_fees: _Optional[str] = ..., total_fees: _Optional[str] = ...) -> None: ...

class BrokerMessage(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class OrderPricing(_message.Message):
    __slots__ = ("natural_price", "mid_price", "passive_price", "tick_size", "quotes")
    NATURAL_PRICE_FIELD_NUMBER: _ClassVar[int]
    MID_PRICE_FIELD_NUMBER: _ClassVar[int]
    PASSIVE_PRICE_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    natural_price: str
    mid_price: str
    passive_price: str
    tick_size: str
    quotes: _containers.RepeatedCompositeFieldContainer[LegQuote]
    def __init__(self, natural_price: _Optional[str] = ..., mid_price: _Optional[str] = ..., passive_price: _Optional[str] = ..., tick_size: _Optional[str] = ..., quotes: _Optional[_Iterable[_Union[LegQuote, _Mapping]]] = ...) -> None: ...

class LegQuote(_message.Message):
    __slots__ = ("symbol", "bid_price", "ask_price", "received_at", "age_seconds", "source")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    BID_PRICE_FIELD_NUMBER: _ClassVar[int]
    ASK_PRICE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    bid_price: str
    ask_price: str
    received_at: _timestamp_pb2.Timestamp
    age_seconds: float
    source: str
    def __init__(self, symbol: _Optional[str] = ..., bid_price: _Optional[str] = ..., ask_price: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., age_seconds: _Optional[float] = ..., source: _Optional[str] = ...) -> None: ...

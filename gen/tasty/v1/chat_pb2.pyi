import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import order_receipt_pb2 as _order_receipt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChatEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHAT_EVENT_KIND_UNSPECIFIED: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_STATUS: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_TEXT: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_TOOL_STARTED: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_TOOL_FINISHED: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_ORDER: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_USAGE: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_HEARTBEAT: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_ERROR: _ClassVar[ChatEventKind]
    CHAT_EVENT_KIND_DONE: _ClassVar[ChatEventKind]
CHAT_EVENT_KIND_UNSPECIFIED: ChatEventKind
CHAT_EVENT_KIND_STATUS: ChatEventKind
CHAT_EVENT_KIND_TEXT: ChatEventKind
CHAT_EVENT_KIND_TOOL_STARTED: ChatEventKind
CHAT_EVENT_KIND_TOOL_FINISHED: ChatEventKind
CHAT_EVENT_KIND_ORDER: ChatEventKind
CHAT_EVENT_KIND_USAGE: ChatEventKind
CHAT_EVENT_KIND_HEARTBEAT: ChatEventKind
CHAT_EVENT_KIND_ERROR: ChatEventKind
CHAT_EVENT_KIND_DONE: ChatEventKind

class ChatMessage(_message.Message):
    __slots__ = ("role", "content")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: str
    def __init__(self, role: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class ChatUsage(_message.Message):
    __slots__ = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "turns", "day_tokens", "day_budget")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_CREATION_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    DAY_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DAY_BUDGET_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_creation_input_tokens: int
    turns: int
    day_tokens: int
    day_budget: int
    def __init__(self, input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_input_tokens: _Optional[int] = ..., cache_creation_input_tokens: _Optional[int] = ..., turns: _Optional[int] = ..., day_tokens: _Optional[int] = ..., day_budget: _Optional[int] = ...) -> None: ...

class ChatToolCall(_message.Message):
    __slots__ = ("id", "name", "arguments", "failed", "elapsed_seconds", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    arguments: str
    failed: bool
    elapsed_seconds: float
    error: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., arguments: _Optional[str] = ..., failed: _Optional[bool] = ..., elapsed_seconds: _Optional[float] = ..., error: _Optional[str] = ...) -> None: ...

class OrderTicket(_message.Message):
    __slots__ = ("code", "account_id", "summary", "order", "preview", "expires_at", "tool")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    code: str
    account_id: str
    summary: str
    order: str
    preview: PlaceOrderPreview
    expires_at: _timestamp_pb2.Timestamp
    tool: str
    def __init__(self, code: _Optional[str] = ..., account_id: _Optional[str] = ..., summary: _Optional[str] = ..., order: _Optional[str] = ..., preview: _Optional[_Union[PlaceOrderPreview, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tool: _Optional[str] = ...) -> None: ...

class PlaceOrderPreview(_message.Message):
    __slots__ = ("price", "buying_power_effect", "fee_calculation", "warnings")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    BUYING_POWER_EFFECT_FIELD_NUMBER: _ClassVar[int]
    FEE_CALCULATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    price: str
    buying_power_effect: _order_receipt_pb2.BuyingPowerEffect
    fee_calculation: _order_receipt_pb2.FeeCalculation
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    def __init__(self, price: _Optional[str] = ..., buying_power_effect: _Optional[_Union[_order_receipt_pb2.BuyingPowerEffect, _Mapping]] = ..., fee_calculation: _Optional[_Union[_order_receipt_pb2.FeeCalculation, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ...) -> None: ...

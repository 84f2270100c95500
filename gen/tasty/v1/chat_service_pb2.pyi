from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import chat_pb2 as _chat_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import method_policy_pb2 as _method_policy_pb2
from tasty.v1 import order_receipt_pb2 as _order_receipt_pb2
from tasty.v1 import stream_pb2 as _stream_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChatRequest(_message.Message):
    __slots__ = ("message", "message_history", "account_id")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    message: str
    message_history: _containers.RepeatedCompositeFieldContainer[_chat_pb2.ChatMessage]
    account_id: str
    def __init__(self, message: _Optional[str] = ..., message_history: _Optional[_Iterable[_Union[_chat_pb2.ChatMessage, _Mapping]]] = ..., account_id: _Optional[str] = ...) -> None: ...

class ChatResponse(_message.Message):
    __slots__ = ("response", "message_history", "usage", "tool_calls", "tickets", "confirmed_order", "model")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    TICKETS_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_ORDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    response: str
    message_history: _containers.RepeatedCompositeFieldContainer[_chat_pb2.ChatMessage]
    usage: _chat_pb2.ChatUsage
    tool_calls: _containers.RepeatedCompositeFieldContainer[_chat_pb2.ChatToolCall]
    tickets: _containers.RepeatedCompositeFieldContainer[_chat_pb2.OrderTicket]
    confirmed_order: ConfirmedOrder
    model: str
    def __init__(self, response: _Optional[str] = ..., message_history: _Optional[_Iterable[_Union[_chat_pb2.ChatMessage, _Mapping]]] = ..., usage: _Optional[_Union[_chat_pb2.ChatUsage, _Mapping]] = ..., tool_calls: _Optional[_Iterable[_Union[_chat_pb2.ChatToolCall, _Mapping]]] = ..., tickets: _Optional[_Iterable[_Union[_chat_pb2.OrderTicket, _Mapping]]] = ..., confirmed_order: _Optional[_Union[ConfirmedOrder, _Mapping]] = ..., model: _Optional[str] = ...) -> None: ...

class StreamChatRequest(_message.Message):
    __slots__ = ("message", "message_history", "account_id")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    message: str
    message_history: _containers.RepeatedCompositeFieldContainer[_chat_pb2.ChatMessage]
    account_id: str
    def __init__(self, message: _Optional[str] = ..., message_history: _Optional[_Iterable[_Union[_chat_pb2.ChatMessage, _Mapping]]] = ..., account_id: _Optional[str] = ...) -> None: ...

class StreamChatResponse(_message.Message):
    __slots__ = ("kind", "text", "tool_call", "ticket", "confirmed_order", "usage", "error", "message_history", "elapsed_seconds", "response", "model")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_ORDER_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    kind: _chat_pb2.ChatEventKind
    text: str
    tool_call: _chat_pb2.ChatToolCall
    ticket: _chat_pb2.OrderTicket
    confirmed_order: ConfirmedOrder
    usage: _chat_pb2.ChatUsage
    error: _stream_pb2.StreamError
    message_history: _containers.RepeatedCompositeFieldContainer[_chat_pb2.ChatMessage]
    elapsed_seconds: float
    response: str
    model: str
    def __init__(self, kind: _Optional[_Union[_chat_pb2.ChatEventKind, str]] = ..., text: _Optional[str] = ..., tool_call: _Optional[_Union[_chat_pb2.ChatToolCall, _Mapping]] = ..., ticket: _Optional[_Union[_chat_pb2.OrderTicket, _Mapping]] = ..., confirmed_order: _Optional[_Union[ConfirmedOrder, _Mapping]] = ..., usage: _Optional[_Union[_chat_pb2.ChatUsage, _Mapping]] = ..., error: _Optional[_Union[_stream_pb2.StreamError, _Mapping]] = ..., message_history: _Optional[_Iterable[_Union[_chat_pb2.ChatMessage, _Mapping]]] = ..., elapsed_seconds: _Optional[float] = ..., response: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class ConfirmedOrder(_message.Message):
    __slots__ = ("code", "account_id", "summary", "order_id", "status", "warnings", "client_order_id", "tool")
    CODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    code: str
    account_id: str
    summary: str
    order_id: str
    status: str
    warnings: _containers.RepeatedCompositeFieldContainer[_order_receipt_pb2.BrokerMessage]
    client_order_id: str
    tool: str
    def __init__(self, code: _Optional[str] = ..., account_id: _Optional[str] = ..., summary: _Optional[str] = ..., order_id: _Optional[str] = ..., status: _Optional[str] = ..., warnings: _Optional[_Iterable[_Union[_order_receipt_pb2.BrokerMessage, _Mapping]]] = ..., client_order_id: _Optional[str] = ..., tool: _Optional[str] = ...) -> None: ...

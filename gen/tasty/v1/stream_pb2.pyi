import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_EVENT_KIND_UNSPECIFIED: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_ACKNOWLEDGEMENT: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_SNAPSHOT: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_UPDATE: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_HEARTBEAT: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_STALE: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_RECONNECTED: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_ERROR: _ClassVar[StreamEventKind]
    STREAM_EVENT_KIND_END: _ClassVar[StreamEventKind]

class SubscriptionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_STATUS_UNSPECIFIED: _ClassVar[SubscriptionStatus]
    SUBSCRIPTION_STATUS_ACCEPTED: _ClassVar[SubscriptionStatus]
    SUBSCRIPTION_STATUS_NO_DATA_YET: _ClassVar[SubscriptionStatus]
    SUBSCRIPTION_STATUS_UNKNOWN: _ClassVar[SubscriptionStatus]
    SUBSCRIPTION_STATUS_REMOVED: _ClassVar[SubscriptionStatus]
STREAM_EVENT_KIND_UNSPECIFIED: StreamEventKind
STREAM_EVENT_KIND_ACKNOWLEDGEMENT: StreamEventKind
STREAM_EVENT_KIND_SNAPSHOT: StreamEventKind
STREAM_EVENT_KIND_UPDATE: StreamEventKind
STREAM_EVENT_KIND_HEARTBEAT: StreamEventKind
STREAM_EVENT_KIND_STALE: StreamEventKind
STREAM_EVENT_KIND_RECONNECTED: StreamEventKind
STREAM_EVENT_KIND_ERROR: StreamEventKind
STREAM_EVENT_KIND_END: StreamEventKind
SUBSCRIPTION_STATUS_UNSPECIFIED: SubscriptionStatus
SUBSCRIPTION_STATUS_ACCEPTED: SubscriptionStatus
SUBSCRIPTION_STATUS_NO_DATA_YET: SubscriptionStatus
SUBSCRIPTION_STATUS_UNKNOWN: SubscriptionStatus
SUBSCRIPTION_STATUS_REMOVED: SubscriptionStatus

class SymbolSubscription(_message.Message):
    __slots__ = ("requested_symbol", "symbol", "streamer_symbol", "status", "detail")
    REQUESTED_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    requested_symbol: str
    symbol: str
    streamer_symbol: str
    status: SubscriptionStatus
    detail: str
    def __init__(self, requested_symbol: _Optional[str] = ..., symbol: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., status: _Optional[_Union[SubscriptionStatus, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class StreamError(_message.Message):
    __slots__ = ("reason", "detail", "status")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    detail: str
    status: int
    def __init__(self, reason: _Optional[str] = ..., detail: _Optional[str] = ..., status: _Optional[int] = ...) -> None: ...

class StreamNotice(_message.Message):
    __slots__ = ("sent_at", "subscriptions", "symbols", "error", "conflated", "last_received_at", "detail", "cursor")
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CONFLATED_FIELD_NUMBER: _ClassVar[int]
    LAST_RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    sent_at: _timestamp_pb2.Timestamp
    subscriptions: _containers.RepeatedCompositeFieldContainer[SymbolSubscription]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    error: StreamError
    conflated: int
    last_received_at: _timestamp_pb2.Timestamp
    detail: str
    cursor: str
    def __init__(self, sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subscriptions: _Optional[_Iterable[_Union[SymbolSubscription, _Mapping]]] = ..., symbols: _Optional[_Iterable[str]] = ..., error: _Optional[_Union[StreamError, _Mapping]] = ..., conflated: _Optional[int] = ..., last_received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., detail: _Optional[str] = ..., cursor: _Optional[str] = ...) -> None: ...

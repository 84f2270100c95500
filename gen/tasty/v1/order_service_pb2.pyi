from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import account_event_pb2 as _account_event_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import method_policy_pb2 as _method_policy_pb2
from tasty.v1 import order_pb2 as _order_pb2
from tasty.v1 import order_placement_pb2 as _order_placement_pb2
from tasty.v1 import stream_pb2 as _stream_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListLiveOrdersRequest(_message.Message):
    __slots__ = ("account_id", "include_terminal")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TERMINAL_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    include_terminal: bool
    def __init__(self, account_id: _Optional[str] = ..., include_terminal: _Optional[bool] = ...) -> None: ...

class ListLiveOrdersResponse(_message.Message):
    __slots__ = ("orders", "table", "skipped")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    table: str
    skipped: int
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., table: _Optional[str] = ..., skipped: _Optional[int] = ...) -> None: ...

class ListOrderHistoryRequest(_message.Message):
    __slots__ = ("account_id", "days", "underlying_symbol", "page_size", "page_token")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    days: int
    underlying_symbol: str
    page_size: int
    page_token: str
    def __init__(self, account_id: _Optional[str] = ..., days: _Optional[int] = ..., underlying_symbol: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrderHistoryResponse(_message.Message):
    __slots__ = ("orders", "table", "next_page_token", "skipped")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    table: str
    next_page_token: str
    skipped: int
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., table: _Optional[str] = ..., next_page_token: _Optional[str] = ..., skipped: _Optional[int] = ...) -> None: ...

class GetOrderRequest(_message.Message):
    __slots__ = ("account_id", "order_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    order_id: str
    def __init__(self, account_id: _Optional[str] = ..., order_id: _Optional[str] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class StreamAccountEventsRequest(_message.Message):
    __slots__ = ("account_id", "cursor", "heartbeat_interval")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    cursor: str
    heartbeat_interval: float
    def __init__(self, account_id: _Optional[str] = ..., cursor: _Optional[str] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamAccountEventsResponse(_message.Message):
    __slots__ = ("kind", "notice", "events")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    events: _containers.RepeatedCompositeFieldContainer[_account_event_pb2.AccountEvent]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_account_event_pb2.AccountEvent, _Mapping]]] = ...) -> None: ...

from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Watchlist(_message.Message):
    __slots__ = ("name", "group_name", "order_index", "watchlist_entries")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_NAME_FIELD_NUMBER: _ClassVar[int]
    ORDER_INDEX_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    group_name: str
    order_index: int
    watchlist_entries: _containers.RepeatedCompositeFieldContainer[WatchlistEntry]
    def __init__(self, name: _Optional[str] = ..., group_name: _Optional[str] = ..., order_index: _Optional[int] = ..., watchlist_entries: _Optional[_Iterable[_Union[WatchlistEntry, _Mapping]]] = ...) -> None: ...

class WatchlistEntry(_message.Message):
    __slots__ = ("symbol", "instrument_type")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    instrument_type: str
    def __init__(self, symbol: _Optional[str] = ..., instrument_type: _Optional[str] = ...) -> None: ...

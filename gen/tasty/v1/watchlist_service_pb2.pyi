from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import watchlist_pb2 as _watchlist_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListWatchlistsRequest(_message.Message):
    __slots__ = ("watchlist_type", "name")
    WATCHLIST_TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    watchlist_type: str
    name: str
    def __init__(self, watchlist_type: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListWatchlistsResponse(_message.Message):
    __slots__ = ("watchlists",)
    WATCHLISTS_FIELD_NUMBER: _ClassVar[int]
    watchlists: _containers.RepeatedCompositeFieldContainer[_watchlist_pb2.Watchlist]
    def __init__(self, watchlists: _Optional[_Iterable[_Union[_watchlist_pb2.Watchlist, _Mapping]]] = ...) -> None: ...

class ManageWatchlistRequest(_message.Message):
    __slots__ = ("action", "symbols", "name")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    action: str
    symbols: _containers.RepeatedCompositeFieldContainer[_watchlist_pb2.WatchlistEntry]
    name: str
    def __init__(self, action: _Optional[str] = ..., symbols: _Optional[_Iterable[_Union[_watchlist_pb2.WatchlistEntry, _Mapping]]] = ..., name: _Optional[str] = ...) -> None: ...

class ManageWatchlistResponse(_message.Message):
    __slots__ = ("success", "action", "watchlist", "symbols_count", "watchlist_entries", "not_found")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_COUNT_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NOT_FOUND_FIELD_NUMBER: _ClassVar[int]
    success: bool
    action: str
    watchlist: str
    symbols_count: int
    watchlist_entries: _containers.RepeatedCompositeFieldContainer[_watchlist_pb2.WatchlistEntry]
    not_found: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, success: _Optional[bool] = ..., action: _Optional[str] = ..., watchlist: _Optional[str] = ..., symbols_count: _Optional[int] = ..., watchlist_entries: _Optional[_Iterable[_Union[_watchlist_pb2.WatchlistEntry, _Mapping]]] = ..., not_found: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteWatchlistRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteWatchlistResponse(_message.Message):
    __slots__ = ("success", "watchlist")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    success: bool
    watchlist: str
    def __init__(self, success: _Optional[bool] = ..., watchlist: _Optional[str] = ...) -> None: ...

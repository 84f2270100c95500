from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import greeks_pb2 as _greeks_pb2
from tasty.v1 import instrument_pb2 as _instrument_pb2
from tasty.v1 import market_data_stream_pb2 as _market_data_stream_pb2
from tasty.v1 import method_policy_pb2 as _method_policy_pb2
from tasty.v1 import quote_pb2 as _quote_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetQuotesRequest(_message.Message):
    __slots__ = ("instruments", "timeout", "analyze")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ANALYZE_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    timeout: float
    analyze: bool
    def __init__(self, instruments: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., timeout: _Optional[float] = ..., analyze: _Optional[bool] = ...) -> None: ...

class GetQuotesResponse(_message.Message):
    __slots__ = ("quotes", "table", "claude_analysis", "claude_error", "errors")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ERROR_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    table: str
    claude_analysis: str
    claude_error: str
    errors: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.SymbolError]
    def __init__(self, quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ..., table: _Optional[str] = ..., claude_analysis: _Optional[str] = ..., claude_error: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[_instrument_pb2.SymbolError, _Mapping]]] = ...) -> None: ...

class GetGreeksRequest(_message.Message):
    __slots__ = ("options", "timeout", "analyze")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ANALYZE_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    timeout: float
    analyze: bool
    def __init__(self, options: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., timeout: _Optional[float] = ..., analyze: _Optional[bool] = ...) -> None: ...

class GetGreeksResponse(_message.Message):
    __slots__ = ("greeks", "table", "claude_analysis", "claude_error", "errors")
    GREEKS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ERROR_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    greeks: _containers.RepeatedCompositeFieldContainer[_greeks_pb2.Greeks]
    table: str
    claude_analysis: str
    claude_error: str
    errors: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.SymbolError]
    def __init__(self, greeks: _Optional[_Iterable[_Union[_greeks_pb2.Greeks, _Mapping]]] = ..., table: _Optional[str] = ..., claude_analysis: _Optional[str] = ..., claude_error: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[_instrument_pb2.SymbolError, _Mapping]]] = ...) -> None: ...

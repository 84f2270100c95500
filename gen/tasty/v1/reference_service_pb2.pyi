from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import instrument_pb2 as _instrument_pb2
from tasty.v1 import market_metrics_pb2 as _market_metrics_pb2
from tasty.v1 import market_session_pb2 as _market_session_pb2
from tasty.v1 import option_chain_pb2 as _option_chain_pb2
from tasty.v1 import symbol_pb2 as _symbol_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetMarketMetricsRequest(_message.Message):
    __slots__ = ("symbols", "analyze")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    ANALYZE_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    analyze: bool
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., analyze: _Optional[bool] = ...) -> None: ...

class GetMarketMetricsResponse(_message.Message):
    __slots__ = ("metrics", "table", "claude_analysis", "claude_error", "errors")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    CLAUDE_ERROR_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[_market_metrics_pb2.MarketMetrics]
    table: str
    claude_analysis: str
    claude_error: str
    errors: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.SymbolError]
    def __init__(self, metrics: _Optional[_Iterable[_Union[_market_metrics_pb2.MarketMetrics, _Mapping]]] = ..., table: _Optional[str] = ..., claude_analysis: _Optional[str] = ..., claude_error: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[_instrument_pb2.SymbolError, _Mapping]]] = ...) -> None: ...

class GetMarketStatusRequest(_message.Message):
    __slots__ = ("exchanges",)
    EXCHANGES_FIELD_NUMBER: _ClassVar[int]
    exchanges: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, exchanges: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMarketStatusResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[_market_session_pb2.MarketSession]
    def __init__(self, sessions: _Optional[_Iterable[_Union[_market_session_pb2.MarketSession, _Mapping]]] = ...) -> None: ...

class SearchSymbolsRequest(_message.Message):
    __slots__ = ("symbol",)
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    def __init__(self, symbol: _Optional[str] = ...) -> None: ...

class SearchSymbolsResponse(_message.Message):
    __slots__ = ("results", "table")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_symbol_pb2.SymbolMatch]
    table: str
    def __init__(self, results: _Optional[_Iterable[_Union[_symbol_pb2.SymbolMatch, _Mapping]]] = ..., table: _Optional[str] = ...) -> None: ...

class GetOptionChainRequest(_message.Message):
    __slots__ = ("symbol", "expiration_date", "min_dte", "max_dte", "option_type", "min_strike", "max_strike", "all_options")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_DATE_FIELD_NUMBER: _ClassVar[int]
    MIN_DTE_FIELD_NUMBER: _ClassVar[int]
    MAX_DTE_FIELD_NUMBER: _ClassVar[int]
    OPTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    MIN_STRIKE_FIELD_NUMBER: _ClassVar[int]
    MAX_STRIKE_FIELD_NUMBER: _ClassVar[int]
    ALL_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    expiration_date: str
    min_dte: int
    max_dte: int
    option_type: str
    min_strike: float
    max_strike: float
    all_options: bool
    def __init__(self, symbol: _Optional[str] = ..., expiration_date: _Optional[str] = ..., min_dte: _Optional[int] = ..., max_dte: _Optional[int] = ..., option_type: _Optional[str] = ..., min_strike: _Optional[float] = ..., max_strike: _Optional[float] = ..., all_options: _Optional[bool] = ...) -> None: ...

class GetOptionChainResponse(_message.Message):
    __slots__ = ("symbol", "total_expirations", "total_options", "expiration_dates", "chain", "all_options", "table")
    class ChainEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _option_chain_pb2.Expiration
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_option_chain_pb2.Expiration, _Mapping]] = ...) -> None: ...
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EXPIRATIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_DATES_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    ALL_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    total_expirations: int
    total_options: int
    expiration_dates: _containers.RepeatedScalarFieldContainer[str]
    chain: _containers.MessageMap[str, _option_chain_pb2.Expiration]
    all_options: _containers.RepeatedCompositeFieldContainer[_option_chain_pb2.OptionContract]
    table: str
    def __init__(self, symbol: _Optional[str] = ..., total_expirations: _Optional[int] = ..., total_options: _Optional[int] = ..., expiration_dates: _Optional[_Iterable[str]] = ..., chain: _Optional[_Mapping[str, _option_chain_pb2.Expiration]] = ..., all_options: _Optional[_Iterable[_Union[_option_chain_pb2.OptionContract, _Mapping]]] = ..., table: _Optional[str] = ...) -> None: ...

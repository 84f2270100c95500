from google.api import field_behavior_pb2 as _field_behavior_pb2
from tasty.v1 import candle_pb2 as _candle_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import greeks_pb2 as _greeks_pb2
from tasty.v1 import quote_pb2 as _quote_pb2
from tasty.v1 import stream_pb2 as _stream_pb2
from tasty.v1 import subscription_pb2 as _subscription_pb2
from tasty.v1 import trade_pb2 as _trade_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamQuotesRequest(_message.Message):
    __slots__ = ("symbols", "min_interval", "heartbeat_interval")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    min_interval: float
    heartbeat_interval: float
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamQuotesResponse(_message.Message):
    __slots__ = ("kind", "notice", "quotes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ...) -> None: ...

class StreamGreeksRequest(_message.Message):
    __slots__ = ("symbols", "min_interval", "heartbeat_interval")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    min_interval: float
    heartbeat_interval: float
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamGreeksResponse(_message.Message):
    __slots__ = ("kind", "notice", "greeks")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    GREEKS_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    greeks: _containers.RepeatedCompositeFieldContainer[_greeks_pb2.Greeks]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., greeks: _Optional[_Iterable[_Union[_greeks_pb2.Greeks, _Mapping]]] = ...) -> None: ...

class StreamTradesRequest(_message.Message):
    __slots__ = ("symbols", "min_interval", "heartbeat_interval")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    min_interval: float
    heartbeat_interval: float
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamTradesResponse(_message.Message):
    __slots__ = ("kind", "notice", "trades")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    trades: _containers.RepeatedCompositeFieldContainer[_trade_pb2.Trade]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., trades: _Optional[_Iterable[_Union[_trade_pb2.Trade, _Mapping]]] = ...) -> None: ...

class StreamCandlesRequest(_message.Message):
    __slots__ = ("symbols", "min_interval", "heartbeat_interval", "interval", "start_time", "extended_trading_hours")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTENDED_TRADING_HOURS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    min_interval: float
    heartbeat_interval: float
    interval: str
    start_time: str
    extended_trading_hours: bool
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ..., interval: _Optional[str] = ..., start_time: _Optional[str] = ..., extended_trading_hours: _Optional[bool] = ...) -> None: ...

class StreamCandlesResponse(_message.Message):
    __slots__ = ("kind", "notice", "candles")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    CANDLES_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    notice: _stream_pb2.StreamNotice
    candles: _containers.RepeatedCompositeFieldContainer[_candle_pb2.Candle]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., candles: _Optional[_Iterable[_Union[_candle_pb2.Candle, _Mapping]]] = ...) -> None: ...

class StreamMarketDataRequest(_message.Message):
    __slots__ = ("action", "symbols", "event_types", "request_id", "min_interval", "heartbeat_interval")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    action: _subscription_pb2.SubscriptionAction
    symbols: _containers.RepeatedScalarFieldContainer[str]
    event_types: _containers.RepeatedScalarFieldContainer[_subscription_pb2.MarketEventType]
    request_id: int
    min_interval: float
    heartbeat_interval: float
    def __init__(self, action: _Optional[_Union[_subscription_pb2.SubscriptionAction, str]] = ..., symbols: _Optional[_Iterable[str]] = ..., event_types: _Optional[_Iterable[_Union[_subscription_pb2.MarketEventType, str]]] = ..., request_id: _Optional[int] = ..., min_interval: _Optional[float] = ..., heartbeat_interval: _Optional[float] = ...) -> None: ...

class StreamMarketDataResponse(_message.Message):
    __slots__ = ("kind", "request_id", "notice", "quotes", "greeks", "trades")
    KIND_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    GREEKS_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    kind: _stream_pb2.StreamEventKind
    request_id: int
    notice: _stream_pb2.StreamNotice
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    greeks: _containers.RepeatedCompositeFieldContainer[_greeks_pb2.Greeks]
    trades: _containers.RepeatedCompositeFieldContainer[_trade_pb2.Trade]
    def __init__(self, kind: _Optional[_Union[_stream_pb2.StreamEventKind, str]] = ..., request_id: _Optional[int] = ..., notice: _Optional[_Union[_stream_pb2.StreamNotice, _Mapping]] = ..., quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ..., greeks: _Optional[_Iterable[_Union[_greeks_pb2.Greeks, _Mapping]]] = ..., trades: _Optional[_Iterable[_Union[_trade_pb2.Trade, _Mapping]]] = ...) -> None: ...

from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OptionContract(_message.Message):
    __slots__ = ("strike_price", "option_type", "streamer_symbol", "expiration_date", "symbol", "days_to_expiration", "settlement_type", "expiration_type", "root_symbol")
    STRIKE_PRICE_FIELD_NUMBER: _ClassVar[int]
    OPTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAMER_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_DATE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DAYS_TO_EXPIRATION_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_TYPE_FIELD_NUMBER: _ClassVar[int]
    ROOT_SYMBOL_FIELD_NUMBER: _ClassVar[int]
    strike_price: float
    option_type: str
    streamer_symbol: str
    expiration_date: str
    symbol: str
    days_to_expiration: int
    settlement_type: str
    expiration_type: str
    root_symbol: str
    def __init__(self, strike_price: _Optional[float] = ..., option_type: _Optional[str] = ..., streamer_symbol: _Optional[str] = ..., expiration_date: _Optional[str] = ..., symbol: _Optional[str] = ..., days_to_expiration: _Optional[int] = ..., settlement_type: _Optional[str] = ..., expiration_type: _Optional[str] = ..., root_symbol: _Optional[str] = ...) -> None: ...

class Expiration(_message.Message):
    __slots__ = ("calls", "puts", "strikes", "total_options")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    PUTS_FIELD_NUMBER: _ClassVar[int]
    STRIKES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[OptionContract]
    puts: _containers.RepeatedCompositeFieldContainer[OptionContract]
    strikes: _containers.RepeatedScalarFieldContainer[float]
    total_options: int
    def __init__(self, calls: _Optional[_Iterable[_Union[OptionContract, _Mapping]]] = ..., puts: _Optional[_Iterable[_Union[OptionContract, _Mapping]]] = ..., strikes: _Optional[_Iterable[float]] = ..., total_options: _Optional[int] = ...) -> None: ...

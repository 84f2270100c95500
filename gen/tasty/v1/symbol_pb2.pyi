from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SymbolMatch(_message.Message):
    __slots__ = ("symbol", "description", "instrument_type", "listed_market", "options")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    LISTED_MARKET_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    description: str
    instrument_type: str
    listed_market: str
    options: bool
    def __init__(self, symbol: _Optional[str] = ..., description: _Optional[str] = ..., instrument_type: _Optional[str] = ..., listed_market: _Optional[str] = ..., options: _Optional[bool] = ...) -> None: ...

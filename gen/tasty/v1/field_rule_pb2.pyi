from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FORMAT_UNSPECIFIED: _ClassVar[Format]
    FORMAT_DECIMAL: _ClassVar[Format]
    FORMAT_DATE: _ClassVar[Format]
    FORMAT_DATE_TIME: _ClassVar[Format]
FORMAT_UNSPECIFIED: Format
FORMAT_DECIMAL: Format
FORMAT_DATE: Format
FORMAT_DATE_TIME: Format
RULE_FIELD_NUMBER: int
rule: _descriptor.FieldDescriptor

class FieldRule(_message.Message):
    __slots__ = ("format", "values", "default", "minimum", "maximum", "example", "not_empty", "above", "pattern", "expected", "max_length", "max_items", "secret")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    NOT_EMPTY_FIELD_NUMBER: _ClassVar[int]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    format: Format
    values: _containers.RepeatedScalarFieldContainer[str]
    default: str
    minimum: float
    maximum: float
    example: str
    not_empty: bool
    above: float
    pattern: str
    expected: str
    max_length: int
    max_items: int
    secret: bool
    def __init__(self, format: _Optional[_Union[Format, str]] = ..., values: _Optional[_Iterable[str]] = ..., default: _Optional[str] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., example: _Optional[str] = ..., not_empty: _Optional[bool] = ..., above: _Optional[float] = ..., pattern: _Optional[str] = ..., expected: _Optional[str] = ..., max_length: _Optional[int] = ..., max_items: _Optional[int] = ..., secret: _Optional[bool] = ...) -> None: ...

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Authentication(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTHENTICATION_UNSPECIFIED: _ClassVar[Authentication]
    AUTHENTICATION_NONE: _ClassVar[Authentication]
    AUTHENTICATION_KEY_OR_ADMIN: _ClassVar[Authentication]
AUTHENTICATION_UNSPECIFIED: Authentication
AUTHENTICATION_NONE: Authentication
AUTHENTICATION_KEY_OR_ADMIN: Authentication
POLICY_FIELD_NUMBER: int
policy: _descriptor.FieldDescriptor

class MethodPolicy(_message.Message):
    __slots__ = ("authentication", "no_tool_because", "grpc_only_because", "strict")
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    NO_TOOL_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    GRPC_ONLY_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    authentication: Authentication
    no_tool_because: str
    grpc_only_because: str
    strict: bool
    def __init__(self, authentication: _Optional[_Union[Authentication, str]] = ..., no_tool_because: _Optional[str] = ..., grpc_only_because: _Optional[str] = ..., strict: _Optional[bool] = ...) -> None: ...

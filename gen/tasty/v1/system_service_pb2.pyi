from google.api import annotations_pb2 as _annotations_pb2
from tasty.v1 import field_rule_pb2 as _field_rule_pb2
from tasty.v1 import method_policy_pb2 as _method_policy_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetHealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetHealthResponse(_message.Message):
    __slots__ = ("status", "service", "broker", "version", "mcp")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    BROKER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MCP_FIELD_NUMBER: _ClassVar[int]
    status: str
    service: str
    broker: str
    version: str
    mcp: str
    def __init__(self, status: _Optional[str] = ..., service: _Optional[str] = ..., broker: _Optional[str] = ..., version: _Optional[str] = ..., mcp: _Optional[str] = ...) -> None: ...

class GetCurrentTimeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCurrentTimeResponse(_message.Message):
    __slots__ = ("current_time_nyc",)
    CURRENT_TIME_NYC_FIELD_NUMBER: _ClassVar[int]
    current_time_nyc: str
    def __init__(self, current_time_nyc: _Optional[str] = ...) -> None: ...

"""Makes the descriptor set for Envoy, and reads the calls that it causes.

Envoy's transcoder drops unknown JSON fields and keeps the last of doubled keys: `"dry_rum": true`
would trade. It takes "0x10", "+1" and "NaN" for numbers, and a bare `5.` too. So in the descriptors
made for it, and only there, what is in the body is replaced by a `google.api.HttpBody` under the
field number RAW_BODY: the server gets the caller's very bytes and reads them strictly.

A call through REST and a native one arrive on the same gRPC path and are told apart by that field:
Envoy sets RAW_BODY, which the public message does not have, and never the public body field; a
native client does it the other way round. Both at once is refused.

The other way there are answers that the server prints, because Envoy would take longest over that.
"""

from __future__ import annotations

__all__ = ["RAW_BODY", "descriptors_for_envoy", "has_raw_body", "is_printed", "unpack"]

from typing import Any, TypeVar

from google.api import annotations_pb2, httpbody_pb2
from google.protobuf import any_pb2, unknown_fields
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from google.protobuf.message import DecodeError, Message

from server.contract import strict
from server.contract.catalog import PACKAGE, Contract, Effect, Method, is_required
from server.errors import InvalidBody

RAW_BODY = 536_870_911
"""The highest field number that exists: no public message will ever want it."""

RAW_BODY_NAME = "raw_body"
LENGTH_DELIMITED = 2
EMPTY = "it is empty. Expected a JSON object"

Request = TypeVar("Request", bound=Message)

_HTTP_BODY = f".{httpbody_pb2.HttpBody.DESCRIPTOR.full_name}"


def descriptors_for_envoy(contract: Contract) -> bytes:
    """Answers the serialized descriptor set that Envoy's transcoder is given.

    Beside the raw bodies, and the answers that come printed, it differs in two ways:
    `response_body` of a repeated field is gone, which Envoy 1.40 refuses to start with (a filter
    unwraps the answer instead), and so are the comments, which Envoy would only carry around.
    """
    edge = FileDescriptorSet()
    edge.CopyFrom(contract.files)
    raw_paths = {method.path for method in contract.methods if has_raw_body(method)}
    printed_paths = {method.path for method in contract.methods if is_printed(method)}

    for file in edge.file:
        file.ClearField("source_code_info")

        if file.package != PACKAGE:
            continue

        for service in file.service:
            for method in service.method:
                _strip_response_body(method)

                path = f"/{PACKAGE}.{service.name}/{method.name}"
                if path in raw_paths:
                    _bind_raw_body(edge, method)

                if path in printed_paths:
                    method.output_type = _HTTP_BODY
                    _import_http_body(file)

    _put_first(edge, any_pb2.DESCRIPTOR, httpbody_pb2.DESCRIPTOR)
    return edge.SerializeToString(deterministic=True)


def is_printed(method: Method) -> bool:
    """Tells whether the server answers a call through REST with an HttpBody that holds the JSON.

    So it is for reads that answer with lists. Envoy takes 13 us to print one quote and 170 ms for
    an SPX chain; the server knows more of what it prints, and may print it once for many. What is
    small is not worth it.
    """
    return (
        method.http is not None
        and not method.http.response_body
        and not method.streams
        and method.effect is Effect.READS
        and any(field.is_repeated and field.message_type for field in method.response.fields)
    )


def has_raw_body(method: Method) -> bool:
    """Tells whether the server gets the body of a call through REST as the caller wrote it."""
    return method.http is not None and bool(method.http.body)


def unpack(method: Method, request: Request) -> Request:
    """Answers the public request of a method with a body, whichever way it came.

    `request` is the public message as the standard deserializer made it of the bytes: it keeps
    fields that it does not know, and RAW_BODY is one of those. Raises `InvalidBody`, `UnknownField`
    or `InvalidField`. Of a native call nothing is changed, but on a strict method fields unknown to
    this server are refused: they meant something to the caller.
    """
    raw: list[bytes] = []

    for field in _unknown_fields(request):
        if field.field_number == RAW_BODY and field.wire_type == LENGTH_DELIMITED:
            raw.append(field.data)
        elif method.strict:
            raise InvalidBody(f"field number {field.field_number} is not known to this server")

    if raw and has_raw_body(method):
        return _with_body(method, request, raw)

    if method.strict:
        _refuse_unknown(request)

    return request


def _with_body(method: Method, request: Request, raw: list[bytes]) -> Request:
    content = _content(raw)
    public = type(request)()
    public.CopyFrom(request)
    public.DiscardUnknownFields()
    _fill(method, public, content)
    return public


def _fill(method: Method, public: Message, content: bytes) -> None:
    """Reads a body into the request, or into the field of it that is the body."""
    assert method.http is not None  # noqa: S101 - a method without a rule has no raw body
    lenient = not method.strict  # where money moves, a null could be meant either way

    if method.http.body == "*":
        if public.ByteSize():
            raise InvalidBody("it came twice")

        if not content.strip():
            raise InvalidBody(EMPTY)

        strict.read(content, public, null_is_absent=lenient)
        return

    body = public.DESCRIPTOR.fields_by_name[method.http.body]

    if len(getattr(public, body.name)) if body.is_repeated else public.HasField(body.name):
        raise InvalidBody("it came twice")

    if body.is_repeated:
        # An empty body is an empty list, of which its rule says what it thinks.
        strict.read_list(content.strip() or b"[]", public, body.name, null_is_absent=lenient)
    elif content.strip():
        target = getattr(public, body.name)
        target.SetInParent()
        strict.read(content, target, null_is_absent=lenient)
    else:
        _refuse_empty(method, public)


def _content(raw: list[bytes]) -> bytes:
    """Answers the caller's bytes out of the pieces of the HttpBody.

    Envoy sends two: one that holds what the query bound below the field (nothing), and one with
    content type and data. Data in more than one means that somebody slipped in another body.
    """
    try:
        pieces = [httpbody_pb2.HttpBody.FromString(piece).data for piece in raw]
    except DecodeError:
        raise InvalidBody("it cannot be read") from None

    filled = [piece for piece in pieces if piece]

    if len(filled) > 1:
        raise InvalidBody("it came twice")

    return filled[0] if filled else b""


def _refuse_empty(method: Method, request: Message) -> None:
    """Lets an empty body pass only where the query says what to do instead."""
    assert method.http is not None  # noqa: S101 - as above
    body = method.request.fields_by_name[method.http.body]
    said = any(not is_required(field) for field, _ in request.ListFields())

    if is_required(body) or not said:
        raise InvalidBody(EMPTY)


def _refuse_unknown(message: Message, where: str = "") -> None:
    for unknown in _unknown_fields(message):
        raise InvalidBody(f"field number {unknown.field_number}{where} is not known to this server")

    for field, value in message.ListFields():
        if field.message_type is None:
            continue

        for item in value if field.is_repeated else [value]:
            _refuse_unknown(item, f" of {field.name}")


def _unknown_fields(message: Message) -> list[Any]:  # the stubs give the items no type
    found = unknown_fields.UnknownFieldSet(message)
    return [found[index] for index in range(len(found))]


def _strip_response_body(method: MethodDescriptorProto) -> None:
    if method.options.HasExtension(annotations_pb2.http):
        method.options.Extensions[annotations_pb2.http].ClearField("response_body")


def _bind_raw_body(edge: FileDescriptorSet, method: MethodDescriptorProto) -> None:
    """Replaces what the body holds of the request by an HttpBody, and binds the body to that."""
    file, message = _find(edge, method.input_type)
    rule = method.options.Extensions[annotations_pb2.http]

    if rule.body == "*":
        if "{" in getattr(rule, str(rule.WhichOneof("pattern"))):
            raise ValueError(f"{method.name}: a path variable beside a body of all fields")

        del message.field[:]
        del message.oneof_decl[:]
    else:
        public = next(field for field in message.field if field.name == rule.body)

        if public.HasField("oneof_index"):
            raise ValueError(
                f"{method.input_type}.{public.name} must not be optional: it is a body"
            )

        message.field.remove(public)

    rule.body = RAW_BODY_NAME
    message.field.add(
        name=RAW_BODY_NAME,
        number=RAW_BODY,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=_HTTP_BODY,
        json_name="rawBody",
    )
    _import_http_body(file)


def _import_http_body(file: FileDescriptorProto) -> None:
    dependency = httpbody_pb2.DESCRIPTOR.name

    if dependency not in file.dependency:
        file.dependency.append(dependency)


def _find(files: FileDescriptorSet, type_name: str) -> tuple[FileDescriptorProto, DescriptorProto]:
    for file in files.file:
        for message in file.message_type:
            if f".{file.package}.{message.name}" == type_name:
                return file, message

    raise LookupError(type_name)


def _put_first(files: FileDescriptorSet, *wanted: FileDescriptor) -> None:
    """Adds files in front, in their order: whoever reads the set wants imports first."""
    present = {file.name for file in files.file}
    added = FileDescriptorSet()

    for descriptor in wanted:
        if descriptor.name not in present:
            descriptor.CopyToProto(added.file.add())

    added.MergeFrom(files)
    files.CopyFrom(added)

"""Reads methods, rules and comments out of a compiled descriptor set.

`load()` answers the contract of this checkout, whose message classes are the generated ones.
`Contract.of(bytes)` reads any other descriptor set into a pool of its own: its classes are then
strangers to the generated ones, which is right for tests and generators and wrong for a server.
"""

from __future__ import annotations

__all__ = [
    "Authentication",
    "Contract",
    "Effect",
    "HttpRule",
    "Method",
    "is_required",
    "load",
    "rule_of",
]

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, field_behavior_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import (
    FieldOptions,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)
from tasty.v1 import field_rule_pb2, method_policy_pb2

from server.contract.comments import read_comments

PACKAGE = "tasty.v1"
DESCRIPTORS = Path(__file__).resolve().parents[2] / "gen" / "descriptors.pb"
VERBS = ("get", "post", "put", "patch", "delete")


class Effect(StrEnum):
    """What a call does to the world, from its `idempotency_level`."""

    READS = "reads"
    """Nothing: run it as often as you like."""

    REPEATABLE = "repeatable"
    """It changes something, and doing it twice is like doing it once."""

    ONCE = "once"
    """It changes something, and doing it twice does it twice."""


class Authentication(StrEnum):
    """Whose key a call needs."""

    KEY = "key"
    NONE = "none"
    KEY_OR_ADMIN = "key_or_admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRule:
    """How a method is reached over REST."""

    verb: str
    """Lower case, as in the annotation: "get", "post", "delete"."""

    path: str
    body: str
    """The request field that the body is; "*" for the whole request, "" for no body."""

    response_body: str
    """The response field that the answer is; "" for the whole response."""

    @property
    def path_variables(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\{(\w+)\}", self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One rpc with all that the protos say of it."""

    name: str
    service: str
    """The full name, such as "tasty.v1.OrderService"."""

    comment: str
    http: HttpRule | None
    effect: Effect
    authentication: Authentication
    strict: bool
    """Whether anything unexpected in a request is refused."""

    no_tool_because: str
    grpc_only_because: str
    request: Descriptor
    response: Descriptor
    client_streaming: bool
    server_streaming: bool
    idempotency_is_set: bool

    @property
    def path(self) -> str:
        """The gRPC path, such as "/tasty.v1.OrderService/PlaceOrder"."""
        return f"/{self.service}/{self.name}"

    @property
    def needs_key(self) -> bool:
        return self.authentication is not Authentication.NONE

    @property
    def streams(self) -> bool:
        return self.client_streaming or self.server_streaming

    @property
    def title(self) -> str:
        """The name in words: "Get option chain"."""
        words = re.findall(r"[A-Z][a-z]*|[A-Z]+(?![a-z])", self.name)
        return " ".join([words[0], *(word.lower() for word in words[1:])])

    @property
    def snake_name(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()

    @property
    def query_fields(self) -> tuple[FieldDescriptor, ...]:
        """The request fields that REST takes from the query: all that path and body leave."""
        if self.http is None or self.http.body == "*":
            return ()

        elsewhere = {*self.http.path_variables, self.http.body}
        return tuple(field for field in self.request.fields if field.name not in elsewhere)


class Contract:
    """The methods of a descriptor set, in the order of files and declarations."""

    def __init__(self, files: FileDescriptorSet, pool: descriptor_pool.DescriptorPool) -> None:
        self.files = files
        self._comments = dict(read_comments(files, PACKAGE))
        self.methods: tuple[Method, ...] = tuple(self._methods(pool))
        self._by_path = {method.path: method for method in self.methods}

    @classmethod
    def of(cls, serialized: bytes) -> Contract:
        files = FileDescriptorSet.FromString(serialized)
        pool = descriptor_pool.DescriptorPool()

        for file in files.file:
            pool.Add(file)

        return cls(files, pool)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(method.service for method in self.methods))

    @property
    def open_paths(self) -> frozenset[str]:
        """The gRPC paths that need no key."""
        return frozenset(method.path for method in self.methods if not method.needs_key)

    def method(self, path: str) -> Method | None:
        """Finds a method by its gRPC path."""
        return self._by_path.get(path)

    def named(self, name: str) -> Method:
        """Finds a method by its bare name; names are unique over all services."""
        return next(method for method in self.methods if method.name == name)

    def comment(self, full_name: str) -> str:
        """Answers the comment of anything by its full name, as one text; "" if it has none."""
        return self._comments.get(full_name, "")

    @property
    def comments(self) -> Mapping[str, str]:
        return self._comments

    def _methods(self, pool: descriptor_pool.DescriptorPool) -> Iterator[Method]:
        for file in self.files.file:
            if file.package != PACKAGE:
                continue

            for service in file.service:
                found = pool.FindServiceByName(f"{PACKAGE}.{service.name}")

                for method in service.method:
                    yield self._method(method, found.methods_by_name[method.name])

    def _method(self, method: MethodDescriptorProto, found: MethodDescriptor) -> Method:
        service = found.containing_service.full_name
        policy = _extension(method.options, method_policy_pb2.policy)
        return Method(
            name=method.name,
            service=service,
            comment=self.comment(f"{service}.{method.name}"),
            http=_http_rule(method.options),
            effect=_EFFECTS[method.options.idempotency_level],
            authentication=_AUTHENTICATION[policy.authentication],
            strict=policy.strict,
            no_tool_because=policy.no_tool_because,
            grpc_only_because=policy.grpc_only_because,
            request=found.input_type,
            response=found.output_type,
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            idempotency_is_set=method.options.HasField("idempotency_level"),
        )


@cache
def load() -> Contract:
    """Reads the contract of this checkout."""
    files = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())

    for file in files.file:
        if file.package == PACKAGE:
            import_module(file.name.replace("/", ".").replace(".proto", "_pb2"))

    return Contract(files, descriptor_pool.Default())


def rule_of(field: FieldDescriptor) -> field_rule_pb2.FieldRule:
    """Answers the rule of a field; an empty one if it has none."""
    rule: field_rule_pb2.FieldRule = _extension(_options(field), field_rule_pb2.rule)
    return rule


def is_required(field: FieldDescriptor) -> bool:
    behaviors = _extension(_options(field), field_behavior_pb2.field_behavior)
    return field_behavior_pb2.REQUIRED in behaviors


_EFFECTS = {
    MethodOptions.IDEMPOTENCY_UNKNOWN: Effect.ONCE,
    MethodOptions.NO_SIDE_EFFECTS: Effect.READS,
    MethodOptions.IDEMPOTENT: Effect.REPEATABLE,
}
_AUTHENTICATION = {
    method_policy_pb2.AUTHENTICATION_UNSPECIFIED: Authentication.KEY,
    method_policy_pb2.AUTHENTICATION_NONE: Authentication.NONE,
    method_policy_pb2.AUTHENTICATION_KEY_OR_ADMIN: Authentication.KEY_OR_ADMIN,
}


def _http_rule(options: MethodOptions) -> HttpRule | None:
    if not options.HasExtension(annotations_pb2.http):
        return None

    rule = _extension(options, annotations_pb2.http)
    verb = rule.WhichOneof("pattern")
    return HttpRule(
        verb=verb, path=getattr(rule, verb), body=rule.body, response_body=rule.response_body
    )


def _extension(options: FieldOptions | MethodOptions, extension: FieldDescriptor) -> Any:
    return options.Extensions[extension]  # type: ignore[index] # protoc types extensions loosely


def _options(field: FieldDescriptor) -> FieldOptions:
    # Through bytes, because the options of a pool of its own are strangers to our extensions.
    return FieldOptions.FromString(field.GetOptions().SerializeToString())

"""What the edge must know of the contract, read from its descriptors: there is no second list.

The transcoder reads the same descriptors by itself. This is for what it does not do: timeouts of
streams and orders, 405 for a known path, and the answers that are unwrapped.
"""

from __future__ import annotations

__all__ = ["Routes", "read_routes", "with_error_details"]

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import (
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)
from google.rpc import error_details_pb2

VARIABLE = re.compile(r"\{[^}]+\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The rpcs of the contract as the edge sees them. An rpc is named `/package.Service/Method`."""

    services: tuple[str, ...]
    """Services with at least one rpc over REST."""
    streaming: tuple[str, ...]
    """Rpcs that stream in any direction."""
    effects: tuple[str, ...]
    """Rpcs that are not declared to be free of side effects."""
    unwrapped: dict[str, str]
    """Rpc → the field that is all that a REST caller gets."""
    methods: dict[str, tuple[str, ...]]
    """Path template → the HTTP methods that it has."""

    def pattern(self, template: str) -> str:
        """Returns the regular expression that a template's paths match."""
        return VARIABLE.sub("[^/]+", "/".join(_escaped(part) for part in template.split("/")))

    def allowed(self, template: str) -> tuple[str, ...]:
        """Returns the methods of every path that looks like `template`, sorted.

        `/watchlists/private/manage` is also a `/watchlists/private/{name}`.
        """
        found = set(self.methods[template])
        if not VARIABLE.search(template):
            for other, methods in self.methods.items():
                if re.fullmatch(self.pattern(other), template):
                    found.update(methods)
        return tuple(sorted(found))


def read_routes(descriptors: bytes, full_descriptors: bytes | None = None) -> Routes:
    """Reads a serialized `FileDescriptorSet`: the one made for Envoy.

    That one has no `response_body` (Envoy does not start with it), so the second set, the
    contract's own, says what is unwrapped.
    """
    services: dict[str, None] = {}
    streaming: list[str] = []
    effects: list[str] = []
    methods: dict[str, set[str]] = {}
    for service, rpc, method in _methods(descriptors):
        if method.client_streaming or method.server_streaming:
            streaming.append(rpc)
        if method.options.idempotency_level != MethodOptions.NO_SIDE_EFFECTS:
            effects.append(rpc)
        for rule in _rules(method):
            services[service] = None
            verb = rule.WhichOneof("pattern")
            if verb in ("get", "put", "post", "delete", "patch"):
                methods.setdefault(getattr(rule, verb), set()).add(verb.upper())
    return Routes(
        services=tuple(services),
        streaming=tuple(streaming),
        effects=tuple(effects),
        unwrapped=_unwrapped(full_descriptors if full_descriptors is not None else descriptors),
        methods={path: tuple(sorted(verbs)) for path, verbs in methods.items()},
    )


def with_error_details(descriptors: bytes) -> bytes:
    """Returns the set with the types that an error's details have.

    Without them the transcoder cannot print an error, and one that comes after the headers of its
    answer would have no body.
    """
    have = {file.name for file in FileDescriptorSet.FromString(descriptors).file}
    more = FileDescriptorSet()

    def add(file: FileDescriptor) -> None:
        if file.name not in have:
            have.add(file.name)
            for dependency in file.dependencies:  # first: Envoy builds them in this order
                add(dependency)
            file.CopyToProto(more.file.add())

    add(error_details_pb2.DESCRIPTOR)
    # The bytes of two messages, one after the other, are the bytes of both put together.
    return descriptors + more.SerializeToString()


def _unwrapped(descriptors: bytes) -> dict[str, str]:
    fields = {
        f".{file.package}.{message.name}": [field.name for field in message.field]
        for file in FileDescriptorSet.FromString(descriptors).file
        for message in file.message_type
    }
    found: dict[str, str] = {}
    for _, rpc, method in _methods(descriptors):
        for rule in _rules(method):
            if not rule.response_body:
                continue
            if fields[method.output_type] != [rule.response_body]:
                raise ValueError(
                    f"{rpc}: response_body '{rule.response_body}' must be the only field of "
                    f"{method.output_type}, because the edge cuts it out of the JSON text"
                )
            found[rpc] = rule.response_body
    return found


def _methods(descriptors: bytes) -> Iterator[tuple[str, str, MethodDescriptorProto]]:
    for file in FileDescriptorSet.FromString(descriptors).file:
        for service in file.service:
            name = f"{file.package}.{service.name}"
            for method in service.method:
                yield name, f"/{name}/{method.name}", method


def _rules(method: MethodDescriptorProto) -> Iterator[http_pb2.HttpRule]:
    if method.options.HasExtension(annotations_pb2.http):
        rule = method.options.Extensions[annotations_pb2.http]
        yield rule
        yield from rule.additional_bindings


def _escaped(part: str) -> str:
    return part if VARIABLE.fullmatch(part) else re.escape(part)

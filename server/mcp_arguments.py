"""Turns the arguments of a tool into the REST request that the tool stands for.

They are read into the request message of its rpc by the reader that judges bodies of orders, and
the request is then made from that message. So nothing is sent that was not checked: a name that the
contract does not have, a value of another type and a doubled key end here.
"""

from __future__ import annotations

__all__ = ["RestCall", "checked", "rest_call"]

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.contract import strict
from server.contract.catalog import load
from server.contract.tools import Tool

VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestCall:
    """One tool call as the REST request that it stands for."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = field(default=None, repr=False)


def checked(tool: Tool, arguments: bytes) -> Message:
    """Returns the request that a JSON object of arguments means; raises BadInput."""
    method = load().method(tool.rpc)
    assert method is not None  # noqa: S101 - the tools are made from this contract
    request: Message = GetMessageClass(method.request)()
    strict.read(arguments, request)
    return request


def rest_call(tool: Tool, request: Message) -> RestCall:
    """Returns the REST request; raises ValueError where the path would lack a part."""
    verb, template = next((verb, path) for verb, path in tool.http.items() if verb != "body")
    rest = _plain(request)

    def part(match: re.Match[str]) -> str:
        text = str(rest.pop(match[1], ""))
        if text in ("", ".", ".."):
            raise ValueError(f"Invalid {match[1]} '{text}'. Expected the name of something.")

        return quote(text, safe="")

    path = VARIABLE.sub(part, template)
    named = tool.http.get("body", "")
    body: Any = None
    if named == "*":
        body, rest = rest, {}
    elif named:
        repeated = request.DESCRIPTOR.fields_by_name[named].is_repeated
        body = rest.pop(named, [] if repeated else {})

    return RestCall(method=verb.upper(), path=path, query=tuple(_query(rest)), body=body)


def _plain(message: Message) -> dict[str, Any]:
    """Returns what is set in a message, by the names of the contract, decimals as text."""
    return {
        field.name: [_value(item) for item in value] if field.is_repeated else _value(value)
        for field, value in message.ListFields()
    }


def _value(value: Any) -> Any:
    return _plain(value) if isinstance(value, Message) else value


def _query(rest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in rest.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, each if isinstance(each, str) else json.dumps(each)

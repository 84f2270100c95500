"""Judges the query of a REST call by the path that the client really sent.

Envoy's transcoder lets a query parameter override a path variable: `DELETE /orders/1?order_id=2`
would cancel 2. It reads "0x10", "+1", "1e1" and "1\n" as numbers. By the time the server sees the
message nothing of that shows, so the original path (`x-envoy-original-path`) is read again here.
"""

from __future__ import annotations

__all__ = ["refuse_strange_query"]

from urllib.parse import parse_qsl, urlsplit

from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import Method
from server.contract.spelling import decimal_of, double_of, whole_of
from server.errors import InvalidBody, InvalidField, UnknownField

MAX_PARAMETERS = 1000
"""A stream of 500 symbols fits; a flood of empty parameters does not."""


def refuse_strange_query(method: Method, original_path: str) -> None:
    """Raises for a query that says again what path or body say, or says one thing twice.

    A number must be spelled as a number is everywhere else. On strict methods, and where all
    fields are in the body, a name that is no query parameter raises `UnknownField`. Elsewhere
    unknown names are ignored, as the guide's server did.
    """
    if method.http is None:
        return

    query = urlsplit(original_path).query

    if not query:
        return

    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise InvalidBody(f"the query has more than {MAX_PARAMETERS} parameters") from None

    in_path = {_plain(name): name for name in method.http.path_variables}

    for name, value in given:
        # Envoy knows a field by its camelCase name too, and a nested one by a dotted path.
        if (variable := in_path.get(_plain(name.partition(".")[0]))) is not None:
            raise InvalidField(variable, value, "it in the path only, not in the query")

    if method.strict or method.http.body == "*":
        _refuse_unknown(method, given)

    _refuse_odd_numbers(method, given)

    if len(given) > 1:
        _refuse_doubled(method, given)


def _refuse_odd_numbers(method: Method, given: list[tuple[str, str]]) -> None:
    """Envoy has read these as numbers already, each in its way; they must be so in ours too."""
    numbers = {_plain(each.name): each for each in method.query_fields if _is_number(each)}

    if not numbers:
        return

    for spelled, text in given:
        field = numbers.get(_plain(spelled))

        if field is None:
            continue

        if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
            if whole_of(text) is None:
                raise InvalidField(field.name, text, "a whole number")
        elif (exact := decimal_of(text)) is None or double_of(exact) is None:
            raise InvalidField(field.name, text, "a number")


def _is_number(field: FieldDescriptor) -> bool:
    return field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_DOUBLE)


def _refuse_unknown(method: Method, given: list[tuple[str, str]]) -> None:
    allowed = [field.name for field in method.query_fields]

    for name, _ in given:
        if name not in allowed:
            raise UnknownField(name, allowed)


def _refuse_doubled(method: Method, given: list[tuple[str, str]]) -> None:
    """Envoy would take the last one; another reader of the same URL might take the first."""
    single = {_plain(each.name): each.name for each in method.query_fields if not each.is_repeated}
    seen: set[str] = set()

    for spelled, value in given:
        name = single.get(_plain(spelled))

        if name in seen:
            raise InvalidField(name, value, "one value, but it is given twice")

        if name is not None:
            seen.add(name)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()

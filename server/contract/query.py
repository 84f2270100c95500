"""Judges the query of a REST call by the path that the client really sent.

Envoy's transcoder lets a query parameter override a path variable: `DELETE /orders/1?order_id=2`
would cancel 2. It reads "0x10", "+1", "1e1" and "1\n" as numbers. By the time the server sees the
message nothing of that shows, so the original path (`x-envoy-original-path`) is read again here.
"""

from __future__ import annotations

__all__ = ["QueryRules"]

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import Method
from server.contract.spelling import decimal_of, double_of, is_plain, whole_of
from server.errors import InvalidBody, InvalidField, UnknownField

MAX_PARAMETERS = 1000
"""A stream of 500 symbols fits; a flood of empty parameters does not."""

NUMBERS = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_DOUBLE)


class QueryRules:
    """What may stand in the query of one method's REST route, compiled once.

    A number must be spelled as a number is everywhere else. On strict methods, and where all
    fields are in the body, unknown names are refused. Elsewhere they are ignored, as the guide's
    server did.
    """

    def __init__(self, method: Method) -> None:
        fields = method.query_fields
        all_in_body = method.http is not None and method.http.body == "*"
        self._has_route = method.http is not None
        self._closed = method.strict or all_in_body
        self._names = tuple(field.name for field in fields)
        # Envoy knows a field by its camelCase name too, and a nested one by a dotted path.
        self._in_path: Mapping[str, str] = {
            _plain(name): name for name in (method.http.path_variables if method.http else ())
        }
        self._single = {_plain(each.name): each.name for each in fields if not each.is_repeated}
        self._numbers = {_plain(each.name): each for each in fields if each.cpp_type in NUMBERS}

    def check(self, original_path: str) -> None:
        """Raises BadInput for a query that says again what the path says, or one thing twice.

        And for one that says what is no parameter, where such are refused, or spells a number in a
        way that is none.
        """
        query = urlsplit(original_path).query

        if not self._has_route or not query:
            return

        try:
            given = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError:
            raise InvalidBody(f"the query has more than {MAX_PARAMETERS} parameters") from None

        for name, value in given:
            if (variable := self._in_path.get(_plain(name.partition(".")[0]))) is not None:
                raise InvalidField(variable, value, "it in the path only, not in the query")

            if self._closed and name not in self._names:
                raise UnknownField(name, self._names)

            if (number := self._numbers.get(_plain(name))) is not None:
                _check_number(number, value)

        if len(given) > 1:
            self._refuse_doubled(given)

    def _refuse_doubled(self, given: list[tuple[str, str]]) -> None:
        """Envoy would take the last one; another reader of the same URL might take the first."""
        seen: set[str] = set()

        for spelled, value in given:
            name = self._single.get(_plain(spelled))

            if name in seen:
                raise InvalidField(name, value, "one value, but it is given twice")

            if name is not None:
                seen.add(name)


def _check_number(field: FieldDescriptor, text: str) -> None:
    """Envoy has read it as a number already, in its own way; it must be one in ours too."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT32:
        if whole_of(text) is None:
            raise InvalidField(field.name, text, "a whole number")

        return

    if is_plain(text):
        return

    exact = decimal_of(text)

    if exact is None or double_of(exact) is None:
        raise InvalidField(field.name, text, "a number")


def _plain(name: str) -> str:
    return name.replace("_", "").lower()

"""No mutant of an order body is taken for an order: each is refused, none is bent into shape."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tasty.v1.new_order_pb2 import NewComplexOrder, NewOrder

from server.contract import strict
from server.contract.spelling import decimal_of
from server.errors import BadInput, InvalidBody, InvalidField, UnknownField

LEG = {
    "symbol": "SPY",
    "option_type": "P",
    "action": "Buy to Open",
    "quantity": 1,
    "strike_price": 685.0,
    "expiration_date": "2025-12-19",
}
ORDER = {
    "legs": [LEG],
    "price": -4.50,
    "time_in_force": "Day",
    "dry_run": False,
    "order_type": "Limit",
    "client_order_id": "a-1",
}
NULLABLE = {
    "price",
    "client_order_id",
    "legs[0].option_type",
    "legs[0].quantity",
    "legs[0].strike_price",
    "legs[0].expiration_date",
}
"""Where null is the same as leaving the field out, and leaving it out is no trap."""


def read(content: bytes | str) -> NewOrder:
    order = NewOrder()
    strict.read(content.encode() if isinstance(content, str) else content, order)
    return order


def body(**changes: Any) -> str:
    return json.dumps({**ORDER, **changes})


def with_leg(**changes: Any) -> str:
    return body(legs=[{**LEG, **changes}])


def test_a_right_body_is_read_whole() -> None:
    order = read(json.dumps(ORDER).replace("-4.5", "-4.50"))
    assert order.price == "-4.50"
    assert order.legs[0].strike_price == 685.0
    assert order.HasField("dry_run")
    assert not order.dry_run
    assert not order.HasField("stop_trigger")


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("-4.50", "-4.50"),
        ("0.1", "0.1"),
        ('"-4.50"', "-4.50"),
        ("4e0", "4"),
        ("1.25E1", "12.5"),
        ("12E-1", "1.2"),
        ("1234567890.12345678", "1234567890.12345678"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
def test_decimals_are_taken_digit_by_digit(text: str, price: str) -> None:
    assert read(f'{{"price": {text}}}').price == price


@settings(derandomize=True)
@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6
    )
)
def test_any_decimal_survives(value: Decimal) -> None:
    as_number = read(f'{{"price": {value:f}}}').price
    as_text = read(f'{{"price": "{value:f}"}}').price
    assert Decimal(as_number) == Decimal(as_text) == value


WRONG: list[tuple[str, str, type[BadInput]]] = [
    ("empty", "", InvalidBody),
    ("a list", "[]", InvalidBody),
    ("null", "null", InvalidBody),
    ("a text", '"order"', InvalidBody),
    ("cut off", '{"price": -4.5', InvalidBody),
    ("two bodies", "{}{}", InvalidBody),
    ("a trailing comma", '{"price": 1,}', InvalidBody),
    ("a comment", '{"price": 1} // limit', InvalidBody),
    ("NaN", '{"price": NaN}', InvalidBody),
    ("Infinity", '{"price": -Infinity}', InvalidBody),
    ("NaN in quotes", '{"price": "NaN"}', InvalidField),
    ("1e400", '{"price": 1e400}', InvalidField),
    ("1e-400", '{"price": 1e-400}', InvalidField),
    ("an endless exponent", '{"price": 1e999999999999999999999}', InvalidField),
    ("a long exponent", '{"price": 1e999999999}', InvalidField),
    ("too many digits", '{"price": 0.1234567890123456789}', InvalidField),
    ("a number with a plus", '{"price": "+4.5"}', InvalidField),
    ("a padded number", '{"price": " 4.5"}', InvalidField),
    ("a number in other digits", '{"price": "٤"}', InvalidField),
    ("a comma in a number", '{"price": "4,50"}', InvalidField),
    ("hexadecimal", '{"price": "0x10"}', InvalidField),
    ("a doubled key", '{"price": -1, "price": -2}', InvalidBody),
    ("a doubled key below", '{"legs": [{"symbol": "A", "symbol": "B"}]}', InvalidBody),
    ("a typo", '{"dry_rum": true}', UnknownField),
    ("camel case", '{"dryRun": true}', UnknownField),
    ("another case", '{"Price": -1}', UnknownField),
    ("an unknown name below", '{"legs": [{"symbl": "SPY"}]}', UnknownField),
    ("an empty name", '{"": 1}', UnknownField),
    ("null for dry_run", '{"dry_run": null}', InvalidField),
    ("null for legs", '{"legs": null}', InvalidField),
    ("null in legs", '{"legs": [null]}', InvalidField),
    ("text for dry_run", '{"dry_run": "true"}', InvalidField),
    ("a number for dry_run", '{"dry_run": 1}', InvalidField),
    ("text for a quantity", '{"legs": [{"quantity": "1"}]}', InvalidField),
    ("true for a quantity", '{"legs": [{"quantity": true}]}', InvalidField),
    ("a quantity no double holds", '{"legs": [{"quantity": 0.12345678901234567}]}', InvalidField),
    ("a number for a symbol", '{"legs": [{"symbol": 5}]}', InvalidField),
    ("an object for legs", '{"legs": {}}', InvalidField),
    ("a list for a price", '{"price": [-1]}', InvalidField),
    ("an object for a price", '{"price": {"value": "-1"}}', InvalidField),
    ("half a surrogate pair", '{"client_order_id": "\\ud800"}', InvalidField),
    ("no UTF-8", '{"client_order_id": "\udcff"}', InvalidBody),
    ("a byte order mark", "\ufeff{}", InvalidBody),
    ("nested without end", '{"legs":' + "[" * 100_000, InvalidBody),
    ("nested and closed", '{"legs":' + "[" * 90_000 + "]" * 90_000 + "}", InvalidBody),
]


@pytest.mark.parametrize(
    ("text", "error"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_body_is_refused(text: str, error: type[BadInput]) -> None:
    with pytest.raises(error):
        read(text.encode("utf-8", "surrogateescape"))


def test_the_sentence_names_the_place() -> None:
    with pytest.raises(
        InvalidField, match=r"Invalid legs\[1\]\.quantity 'x'\. Expected a number\."
    ):
        read(body(legs=[LEG, {**LEG, "quantity": "x"}]))

    with pytest.raises(
        UnknownField, match=r"Unknown field 'legs\[0\]\.strike'\. Allowed: action, "
    ):
        read(with_leg(strike=1))

    with pytest.raises(InvalidBody, match="line 2 column 3"):
        read("{\n  price: 1}")


def paths(value: Any, here: str = "") -> list[str]:
    if isinstance(value, dict):
        below = [p for k, v in value.items() for p in paths(v, f"{here}.{k}".lstrip("."))]
        return [*([here] if here else []), *below]

    if isinstance(value, list):
        return [here, *(p for i, v in enumerate(value) for p in paths(v, f"{here}[{i}]"))]

    return [here]


def changed(path: str, value: Any) -> Any:
    """The order with another value at a path."""
    order: Any = json.loads(json.dumps(ORDER))
    steps = path.replace("[", ".[").split(".")
    here: Any = order

    for step in steps[:-1]:
        here = here[int(step[1:-1])] if step.startswith("[") else here[step]

    last = steps[-1]
    here[int(last[1:-1]) if last.startswith("[") else last] = value
    return order


PATHS = paths(ORDER)


def kind(value: Any) -> str:
    return (
        "number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else type(value).__name__
    )


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    st.sampled_from(PATHS),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    ),
)
def test_a_value_of_another_type_is_refused(path: str, value: Any) -> None:
    original: Any = ORDER

    for step in path.replace("[", ".[").split("."):
        original = original[int(step[1:-1])] if step.startswith("[") else original[step]

    if kind(value) == kind(original) or (value is None and path in NULLABLE):
        return  # no other type

    if path == "price" and isinstance(value, str) and decimal_of(value) is not None:
        return  # a decimal text is as good as a number

    with pytest.raises(BadInput):
        read(json.dumps(changed(path, value)))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_a_mutated_name_is_refused(data: st.DataObject) -> None:
    text = json.dumps(ORDER)
    name = data.draw(st.sampled_from([*ORDER, *LEG]))
    letter = data.draw(st.integers(0, len(name) - 1))
    other = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_ABC"))
    mutant = name[:letter] + other + name[letter + 1 :]

    if mutant == name or mutant in ORDER or mutant in LEG:
        return

    with pytest.raises(UnknownField):
        read(text.replace(f'"{name}":', f'"{mutant}":'))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_a_doubled_key_is_refused_wherever_it_is(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*ORDER, *LEG]))
    value = data.draw(st.sampled_from(["1", '"x"', "null", "[]", "{}", "true"]))

    with pytest.raises(InvalidBody, match="twice"):
        read(json.dumps(ORDER).replace(f'"{name}":', f'"{name}": {value}, "{name}":'))


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=60))
def test_bytes_of_any_kind_end_in_a_clean_refusal(content: bytes) -> None:
    try:
        order = read(content)
    except BadInput:
        return

    assert json.loads(content) == {} or order.ByteSize() > 0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_a_flipped_byte_never_becomes_another_order(data: st.DataObject) -> None:
    """What is read after all says what the mutated text says, and nothing else."""
    content = bytearray(json.dumps(ORDER).encode())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        order = read(bytes(content))
    except BadInput:
        return

    said = json.loads(bytes(content))
    got = json_format.MessageToDict(order, preserving_proto_field_name=True)

    if (price := said.pop("price", None)) is not None:
        assert Decimal(got.pop("price")) == Decimal(str(price))

    assert got == said


def test_complex_orders_are_read_just_as_strictly() -> None:
    order = NewComplexOrder()
    strict.read(
        b'{"type":"OTO","trigger_order":{"legs":[{"symbol":"A","action":"Buy","quantity":2}],'
        b'"price":-1.10},"orders":[{"price":1.30}]}',
        order,
    )
    assert order.trigger_order.price == "-1.10"
    assert order.orders[0].price == "1.30"

    with pytest.raises(UnknownField, match=r"trigger_order\.dry_run"):
        strict.read(b'{"trigger_order":{"dry_run":true}}', NewComplexOrder())

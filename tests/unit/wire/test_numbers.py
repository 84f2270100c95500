"""Decimals on the wire: exact both ways, with cents where it is money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.spelling import fits
from server.errors import InvalidField
from server.wire.numbers import decimal_from, decimal_text, money, number

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)


@given(DECIMALS)
def test_text_and_decimal_turn_into_each_other(value: Decimal) -> None:
    for text in (decimal_text(value), money(value)):
        assert "E" not in text
        if fits(Decimal(text)):
            assert decimal_from(text, field="price") == value


@given(DECIMALS)
def test_money_has_cents(value: Decimal) -> None:
    _, point, digits = money(value).partition(".")
    assert point
    assert len(digits) >= 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("14000", "14000.00"),
        ("14000.0", "14000.00"),
        ("1E+4", "10000.00"),
        ("4.5", "4.50"),
        ("0", "0.00"),
        ("-0.0", "0.00"),
        ("0.125", "0.125"),
        ("1.0200", "1.02"),
        ("-75", "-75.00"),
        ("0.00001", "0.00001"),
    ],
)
def test_money_as_the_guide_shows_it(value: str, expected: str) -> None:
    assert money(Decimal(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("100.0", "100"), ("1E+2", "100"), ("-0.680", "-0.68"), ("1E-7", "0.0000001"), ("-0.0", "0")],
)
def test_other_decimals_have_the_digits_that_count(value: str, expected: str) -> None:
    assert decimal_text(Decimal(value)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "NaN",
        "Infinity",
        "1e1",
        "1e400",
        "1" * 19,
        "1,5",
        "0x10",
        " 1",
        "1_1",
        "١",
        "1\n",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidField, match="Expected a decimal number"):
        decimal_from(text, field="price")


def test_json_numbers_are_floats_or_absent() -> None:
    assert number(Decimal("240.0")) == 240.0
    assert number(None) is None

"""Option chains: read from the broker's nested answer, searched, and cut down."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.instruments.chains import ChainFilter, OptionChain, read_chain
from server.errors import NoOptions, OptionNotFound

TODAY = date(2026, 6, 12)
FRIDAY = date(2026, 6, 19)


def strike(root: str, day: date, price: str) -> dict[str, Any]:
    occ = f"{root:<6}{day:%y%m%d}%s{int(Decimal(price) * 1000):08d}"
    return {
        "strike-price": price,
        "call": occ % "C",
        "put": occ % "P",
        "call-streamer-symbol": f".{root}{day:%y%m%d}C{price}",
        "put-streamer-symbol": f".{root}{day:%y%m%d}P{price}",
    }


def expiration(root: str, day: date, settles: str, *prices: str) -> dict[str, Any]:
    return {
        "expiration-type": "Regular",
        "expiration-date": day.isoformat(),
        "settlement-type": settles,
        "strikes": [strike(root, day, price) for price in prices],
    }


def chain(
    *roots: tuple[str, list[dict[str, Any]]], faults: ParseFaults | None = None
) -> OptionChain:
    faults = faults or ParseFaults()
    items = [
        JsonReader(
            {"root-symbol": root, "expirations": each, "tick-sizes": [{"value": "0.05"}]}, faults
        )
        for root, each in roots
    ]
    return read_chain("SPX", TODAY, items)


@pytest.fixture
def spx() -> OptionChain:
    return chain(
        ("SPX", [expiration("SPX", FRIDAY, "AM", "5000.0", "5100.0", "12.35")]),
        (
            "SPXW",
            [expiration("SPXW", FRIDAY, "PM", "5000.0"), expiration("SPXW", TODAY, "PM", "1")],
        ),
    )


def test_contracts_are_ordered_and_complete(spx: OptionChain) -> None:
    assert spx.expirations == (TODAY, FRIDAY)
    assert len(spx.contracts) == 10
    keys = [(each.expiration, each.strike, each.option_type) for each in spx.contracts]
    assert keys == sorted(keys)


def test_the_contract_that_settles_in_the_evening_is_meant(spx: OptionChain) -> None:
    both = spx.find(FRIDAY, Decimal(5000), "C")
    assert (both.root_symbol, both.settlement_type) == ("SPXW", "PM")
    only_am = spx.find(FRIDAY, Decimal(5100), "C")
    assert (only_am.root_symbol, only_am.settlement_type) == ("SPX", "AM")


def test_strikes_that_no_float_equals_are_found(spx: OptionChain) -> None:
    assert spx.find(FRIDAY, Decimal("12.350"), "P").symbol == "SPX   260619P00012350"


def test_what_is_missing_is_told_with_the_choices(spx: OptionChain) -> None:
    with pytest.raises(NoOptions, match=r"Available: \['2026-06-12', '2026-06-19'\]"):
        spx.find(date(2026, 7, 1), Decimal(5000), "C")

    with pytest.raises(OptionNotFound, match=r"Available strikes: \['12.35', '5000', '5100'\]"):
        spx.find(FRIDAY, Decimal(4999), "C")


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (ChainFilter(), 10),
        (ChainFilter(expiration=FRIDAY), 8),
        (ChainFilter(min_dte=1), 8),
        (ChainFilter(max_dte=0), 2),
        (ChainFilter(min_dte=1, max_dte=6), 0),
        (ChainFilter(option_type="C"), 5),
        (ChainFilter(min_strike=Decimal(5000)), 6),
        (ChainFilter(max_strike=Decimal("12.35")), 4),
        (ChainFilter(expiration=FRIDAY, option_type="P", min_strike=Decimal(5100)), 1),
    ],
)
def test_filters(spx: OptionChain, wanted: ChainFilter, count: int) -> None:
    assert len(spx.only(wanted).contracts) == count


def test_a_filter_for_an_expiration_that_is_not_listed(spx: OptionChain) -> None:
    with pytest.raises(NoOptions):
        spx.only(ChainFilter(expiration=date(2026, 7, 1)))


def test_an_odd_strike_costs_itself_only() -> None:
    faults = ParseFaults()
    odd = expiration("SPX", FRIDAY, "AM", "5000.0")
    odd["strikes"] += [{}, {"strike-price": "NaN"}, {"strike-price": "-1"}, "x", None]
    odd["strikes"] += [{"strike-price": "Infinity", "call": "X"}, {"strike-price": "1E+400"}]
    odd["strikes"].append({"strike-price": "5100", "call": "SPX   260619C05100000"})
    odd["strikes"].append({"strike-price": "5200", "call": 7, "put": ["SPX"]})
    broken = {"expiration-date": FRIDAY.isoformat(), "strikes": 5}
    read = chain(("SPX", [odd, {"strikes": []}, "y", broken]), faults=faults)

    assert [each.symbol for each in read.contracts] == [
        "SPX   260619C05000000",
        "SPX   260619P05000000",
        "SPX   260619C05100000",
    ]
    # What the broker left out is spelled from the symbol.
    assert read.contracts[-1].streamer_symbol == ".SPX260619C5100"
    # Seven odd strikes, one odd expiration, one without a list of strikes.
    assert faults.total == 9

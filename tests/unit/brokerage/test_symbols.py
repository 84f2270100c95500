"""Spellings of instruments: every form is read, and OCC and dxFeed turn into each other exactly."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.brokerage.instruments.symbols import (
    InstrumentKind,
    occ_symbol,
    occ_to_streamer,
    parse,
    streamer_option_symbol,
    streamer_to_occ,
)
from server.errors import InvalidField

ROOTS = st.from_regex(r"[A-Z]{1,5}[0-9]?", fullmatch=True)
DAYS = st.integers(0, 40_000 - 1).map(lambda n: date(2000, 1, 1) + timedelta(days=n % 36_000))
STRIKES = st.integers(1, 99_999_999).map(lambda thousandths: Decimal(thousandths) / 1000)
TYPES = st.sampled_from("CP")


@given(root=ROOTS, day=DAYS, kind=TYPES, strike=STRIKES)
def test_occ_and_dxfeed_turn_into_each_other(
    root: str, day: date, kind: str, strike: Decimal
) -> None:
    occ = occ_symbol(root, day, kind, strike)
    streamer = streamer_option_symbol(root, day, kind, strike)

    assert len(occ) == 21
    assert occ_to_streamer(occ) == streamer
    assert streamer_to_occ(streamer) == occ


@given(root=ROOTS, day=DAYS, kind=TYPES, strike=STRIKES)
def test_every_spelling_of_an_option_is_the_same_instrument(
    root: str, day: date, kind: str, strike: Decimal
) -> None:
    occ = occ_symbol(root, day, kind, strike)
    unpadded = occ.replace(" ", "")
    spellings = [occ, unpadded, occ.lower(), streamer_option_symbol(root, day, kind, strike)]
    instruments = {parse(each) for each in spellings}

    assert len(instruments) == 1
    (only,) = instruments
    assert (only.root, only.expiration, only.option_type, only.strike) == (root, day, kind, strike)
    assert only.symbol == occ


@pytest.mark.parametrize(
    ("occ", "streamer"),
    [
        ("SPY   251219P00685000", ".SPY251219P685"),
        ("AAPL  260612C00257500", ".AAPL260612C257.5"),
        # Where the SDK's converter gives another contract, or none.
        ("XYZ   250117C00012050", ".XYZ250117C12.05"),
        ("XYZ   250117C00012250", ".XYZ250117C12.25"),
        ("AAPL1 250117C00100000", ".AAPL1250117C100"),
        ("F     250117C00000500", ".F250117C0.5"),
    ],
)
def test_known_pairs(occ: str, streamer: str) -> None:
    assert occ_to_streamer(occ) == streamer
    assert streamer_to_occ(streamer) == occ


@pytest.mark.parametrize(
    ("text", "kind", "symbol", "streamer"),
    [
        ("spy", InstrumentKind.EQUITY, "SPY", "SPY"),
        (" AAPL ", InstrumentKind.EQUITY, "AAPL", "AAPL"),
        ("BRK/B", InstrumentKind.EQUITY, "BRK/B", "BRK/B"),
        ("BRK.B", InstrumentKind.EQUITY, "BRK/B", "BRK/B"),
        ("SPX", InstrumentKind.INDEX, "SPX", "SPX"),
        ("vix", InstrumentKind.INDEX, "VIX", "VIX"),
        ("/ESZ6", InstrumentKind.FUTURE, "/ESZ6", None),
        ("/ESZ26:XCME", InstrumentKind.FUTURE, "/ESZ26:XCME", "/ESZ26:XCME"),
        (
            "./ESZ6 EW4U6 250926P6000",
            InstrumentKind.FUTURE_OPTION,
            "./ESZ6 EW4U6 250926P6000",
            None,
        ),
        (
            "./EW4U25P6000:XCME",
            InstrumentKind.FUTURE_OPTION,
            "./EW4U25P6000:XCME",
            "./EW4U25P6000:XCME",
        ),
        ("BTC/USD", InstrumentKind.CRYPTOCURRENCY, "BTC/USD", None),
        ("BTC/USD:CXTALP", InstrumentKind.CRYPTOCURRENCY, "BTC/USD:CXTALP", "BTC/USD:CXTALP"),
    ],
)
def test_other_instruments(
    text: str, kind: InstrumentKind, symbol: str, streamer: str | None
) -> None:
    instrument = parse(text)
    assert (instrument.kind, instrument.symbol, instrument.streamer_symbol) == (
        kind,
        symbol,
        streamer,
    )


def test_the_root_of_a_future_is_its_product() -> None:
    assert {parse(each).root for each in ("/ESZ6", "/ESZ26", "/ESZ26:XCME")} == {"/ES"}
    assert parse("/6EZ6").root == "/6E"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "SP Y",
        "SPY\x00",
        "ＳＰＹ",
        "../etc",
        "SPY   251319P00685000",  # no such month
        "SPY   250230C00685000",  # no such day
        "SPY   251219P00000000",  # no strike
        "SPY   251219X00685000",
        ".SPY251219P685.1234",
        "A" * 65,
        "'; DROP TABLE",
        "/",
        "1INCH",
    ],
)
def test_nonsense_is_refused_with_the_field_named(text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse(text, field="legs[0].symbol")

    assert raised.value.field == "legs[0].symbol"


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        instrument = parse(text)
    except InvalidField:
        return

    # What was read is spelled as the broker spells it, and reads as the same again.
    assert parse(instrument.symbol) == instrument


@pytest.mark.parametrize("strike", ["0", "-1", "100000", "0.0001"])
def test_a_strike_without_an_occ_form_has_none(strike: str) -> None:
    with pytest.raises(ValueError, match="no OCC form"):
        occ_symbol("SPY", date(2025, 12, 19), "C", Decimal(strike))

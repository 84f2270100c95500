"""The text tables: the guide's own widths, and plain columns that say what the messages say."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tabulate import tabulate
from tasty.v1 import order_pb2, position_pb2, symbol_pb2

from server.brokerage.instruments.chains import OptionChain, OptionContract
from server.tables.option_chain import option_chain_table
from server.tables.orders import orders_table
from server.tables.plain import plain_table

TODAY = date(2024, 12, 23)


def contract(day: date, kind: str, strike: int) -> OptionContract:
    return OptionContract(
        symbol="",
        streamer_symbol="",
        option_type=kind,
        strike=Decimal(strike),
        expiration=day,
        root_symbol="TSLA",
        settlement_type="PM",
        expiration_type="Weekly",
    )


def test_the_summary_of_a_chain_is_the_guides_to_the_letter() -> None:
    day = TODAY + timedelta(days=4)
    strikes = range(240, 250)
    contracts = [contract(day, "C", each) for each in strikes]
    contracts += [contract(day, "P", each) for each in strikes]
    chain = OptionChain(symbol="TSLA", today=TODAY, contracts=tuple(contracts))

    assert option_chain_table(chain) == (
        "Complete Option Chain for TSLA\n"
        "Expiration   DTE    Calls    Puts     Strikes   Total   \n"
        "------------------------------------------------------------\n"
        "2024-12-27   4      10       10       10        20      "
    )


def test_a_plain_table_has_the_fields_names_and_the_exact_texts() -> None:
    table = plain_table(
        [
            position_pb2.Position(symbol="SPY   251219P00685000", quantity=1, mark="4.50"),
            position_pb2.Position(symbol="AAPL", quantity=100.5, delta="-0.10"),
        ]
    )
    header, first, second = table.splitlines()
    assert header.split() == ["symbol", "quantity", "delta", "mark"]
    assert first.split() == ["SPY", "251219P00685000", "1", "4.50"]
    assert second.split() == ["AAPL", "100.5", "-0.10"]


CELLS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_the_layout_is_tabulates(lines: list[tuple[str, str, str]]) -> None:
    names = ("symbol", "description", "listed_market")
    messages = [symbol_pb2.SymbolMatch(**dict(zip(names, line, strict=True))) for line in lines]
    shown = [i for i in range(3) if any(line[i] for line in lines)]
    expected = tabulate(
        [[line[i] for i in shown] for line in lines],
        headers=[names[i] for i in shown],
        tablefmt="plain",
        disable_numparse=True,
    )
    table = plain_table(messages)
    if shown:
        assert [line.rstrip() for line in table.splitlines()] == [
            line.rstrip() for line in expected.splitlines()
        ]


def test_a_cell_is_one_line() -> None:
    table = plain_table([symbol_pb2.SymbolMatch(symbol="A", description="two\nlines\tof it")])
    assert table.splitlines()[1].split(maxsplit=1)[1] == "two lines of it"


def test_nothing_is_no_data() -> None:
    assert plain_table([]) == "No data"
    assert orders_table([]) == "No data"


def test_legs_stand_in_one_cell() -> None:
    order = order_pb2.Order(
        id="7",
        legs=[
            order_pb2.OrderLeg(action="Buy to Open", quantity=1, symbol="SPY"),
            order_pb2.OrderLeg(action="Sell to Open", quantity=0.5, symbol="BTC/USD"),
        ],
    )
    assert "Buy to Open 1 SPY; Sell to Open 0.5 BTC/USD" in orders_table([order])

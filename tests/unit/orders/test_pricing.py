"""The arithmetic of prices, held against a second implementation that knows no cleverness.

The naive one works in whole ten-thousandths of a dollar, finds the greatest common divisor by
trying, and the nearest tick by walking up and down from the price.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from server.brokerage.instruments.chains import TickSize
from server.orders.model.pricing import LegQuote, PricedLeg, flaw_of, price, units_of
from server.orders.model.ticks import Grid

UNIT = 10_000
"""Ten-thousandths: every tick and every quote is a whole number of them."""

PENNIES = (TickSize(value=Decimal("0.01"), threshold=None),)
PILOT = (
    TickSize(value=Decimal("0.01"), threshold=Decimal(3)),
    TickSize(value=Decimal("0.05"), threshold=None),
)
CLASSIC = (
    TickSize(value=Decimal("0.05"), threshold=Decimal(3)),
    TickSize(value=Decimal("0.10"), threshold=None),
)
STOCK = (
    TickSize(value=Decimal("0.0001"), threshold=Decimal(1)),
    TickSize(value=Decimal("0.01"), threshold=None),
)
FUTURE = (TickSize(value=Decimal("0.25"), threshold=None),)
TABLES = (PENNIES, PILOT, CLASSIC, STOCK, FUTURE)


def quote(bid: int | None, ask: int | None, *, stale: bool = False) -> LegQuote:
    """Returns a quote, its prices in cents."""
    return LegQuote(
        symbol="X",
        bid=None if bid is None else Decimal(bid) / 100,
        ask=None if ask is None else Decimal(ask) / 100,
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        age=timedelta(seconds=0.3),
        source="stream",
        stale=stale,
    )


@st.composite
def legs(draw: st.DrawFn) -> list[PricedLeg]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        bid = draw(st.integers(1, 30_000))
        found.append(
            PricedLeg(
                buys=draw(st.booleans()),
                quantity=Decimal(draw(st.integers(1, 60))),
                quote=quote(bid, bid + draw(st.integers(0, 400))),
            )
        )
    return found


def naive_units(quantities: list[int]) -> int:
    return max(n for n in range(1, min(quantities) + 1) if all(q % n == 0 for q in quantities))


def naive_net(given: list[PricedLeg], side: str) -> Fraction:
    """Returns what one unit of the order brings, in ten-thousandths."""
    units = naive_units([int(leg.quantity) for leg in given])
    total = Fraction(0)
    for leg in given:
        assert leg.quote.bid is not None
        assert leg.quote.ask is not None
        bid, ask = Fraction(leg.quote.bid) * UNIT, Fraction(leg.quote.ask) * UNIT
        if side == "natural":
            paid = ask if leg.buys else bid
        elif side == "passive":
            paid = bid if leg.buys else ask
        else:
            paid = (bid + ask) / 2
        total += (-paid if leg.buys else paid) * int(leg.quantity) / units
    return total


def naive_tick(table: tuple[TickSize, ...], size: Fraction) -> int:
    """Returns the tick at a price, read from the last row to the first."""
    found = int(table[-1].value * UNIT)
    for row in reversed(table):
        if row.threshold is not None and size < Fraction(row.threshold) * UNIT:
            found = int(row.value * UNIT)
    return found


def naive_on_grid(table: tuple[TickSize, ...], price_: int) -> bool:
    return price_ % naive_tick(table, Fraction(abs(price_))) == 0


def naive_below(table: tuple[TickSize, ...], price_: Fraction) -> int:
    walk = price_.numerator // price_.denominator
    while not naive_on_grid(table, walk):
        walk -= 1
    return walk


def naive_above(table: tuple[TickSize, ...], price_: Fraction) -> int:
    walk = -(-price_.numerator // price_.denominator)
    while not naive_on_grid(table, walk):
        walk += 1
    return walk


@given(legs(), st.sampled_from(TABLES))
def test_natural_mid_and_passive_are_those_of_the_naive_way(
    given_legs: list[PricedLeg], table: tuple[TickSize, ...]
) -> None:
    found = price(given_legs, Grid((table,) * len(given_legs)))
    assert found is not None

    natural, passive = naive_net(given_legs, "natural"), naive_net(given_legs, "passive")
    assert int(found.natural * UNIT) == naive_below(table, natural)
    assert int(found.passive * UNIT) == naive_above(table, passive)

    middle = naive_net(given_legs, "mid")
    below, above = naive_below(table, middle), naive_above(table, middle)
    nearest = above if above - middle <= middle - below else below
    assert int(found.mid * UNIT) == nearest


@given(legs(), st.sampled_from(TABLES))
def test_the_mid_stands_on_the_grid_between_natural_and_passive(
    given_legs: list[PricedLeg], table: tuple[TickSize, ...]
) -> None:
    grid = Grid((table,) * len(given_legs))
    found = price(given_legs, grid)
    assert found is not None
    assert found.natural <= found.mid <= found.passive
    assert all(grid.holds(each) for each in (found.natural, found.mid, found.passive))


@given(legs())
def test_turning_every_leg_round_turns_the_sign(given_legs: list[PricedLeg]) -> None:
    turned = [
        PricedLeg(buys=not leg.buys, quantity=leg.quantity, quote=leg.quote) for leg in given_legs
    ]
    grid = Grid((PENNIES,) * len(given_legs))
    one, other = price(given_legs, grid), price(turned, grid)
    assert one is not None
    assert other is not None
    assert one.natural == -other.passive
    assert one.passive == -other.natural
    assert abs(one.mid + other.mid) <= Decimal("0.01")  # a tie goes to whoever asks


@given(legs(), st.integers(2, 9))
def test_more_units_cost_the_same_each(given_legs: list[PricedLeg], times: int) -> None:
    more = [
        PricedLeg(buys=leg.buys, quantity=leg.quantity * times, quote=leg.quote)
        for leg in given_legs
    ]
    grid = Grid((PILOT,) * len(given_legs))
    assert price(given_legs, grid) == price(more, grid)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=4))
def test_units_are_the_greatest_common_divisor(quantities: list[int]) -> None:
    assert units_of([Decimal(each) for each in quantities]) == naive_units(quantities)


@given(st.sampled_from(TABLES), st.decimals(-500, 500, places=6))
@example(CLASSIC, Decimal("2.99"))
@example(CLASSIC, Decimal("3.04"))
@example(CLASSIC, Decimal(-3))
@example(PILOT, Decimal("-2.999999"))
@example(STOCK, Decimal("0.99995"))
def test_rounding_is_that_of_the_naive_walk(table: tuple[TickSize, ...], value: Decimal) -> None:
    grid, exact = Grid((table,)), Fraction(value) * UNIT
    assert int(grid.below(value) * UNIT) == naive_below(table, exact)
    assert int(grid.above(value) * UNIT) == naive_above(table, exact)
    assert grid.holds(value) == (exact.denominator == 1 and naive_on_grid(table, int(exact)))


@given(legs())
def test_all_bought_is_a_debit_and_all_sold_a_credit(given_legs: list[PricedLeg]) -> None:
    found = price(given_legs, Grid((PENNIES,) * len(given_legs)))
    assert found is not None
    if all(leg.buys for leg in given_legs):
        assert found.natural < 0
        assert found.mid <= 0
    if not any(leg.buys for leg in given_legs):
        assert found.passive > 0
        assert found.mid >= 0


def test_a_threshold_holds_below_it_and_not_at_it() -> None:
    grid = Grid((CLASSIC,))
    assert [grid.tick_at(Decimal(each)) for each in ("1.63", "2.99", "3.00", "5.00")] == [
        Decimal("0.05"),
        Decimal("0.05"),
        Decimal("0.10"),
        Decimal("0.10"),
    ]


def test_a_hundred_shares_cost_one_share() -> None:
    bought = PricedLeg(buys=True, quantity=Decimal(100), quote=quote(19_998, 20_002))
    found = price([bought], Grid((PENNIES,)))
    assert found is not None
    assert (found.natural, found.mid, found.passive) == (
        Decimal("-200.02"),
        Decimal("-200.00"),
        Decimal("-199.98"),
    )


def test_a_tie_pays_less() -> None:
    bought = PricedLeg(buys=True, quantity=Decimal(1), quote=quote(100, 101))
    sold = PricedLeg(buys=False, quantity=Decimal(1), quote=quote(100, 101))
    mids = [price([each], Grid((PENNIES,))) for each in (bought, sold)]
    assert [each.mid for each in mids if each] == [Decimal("-1.00"), Decimal("1.01")]


def test_the_finest_tick_of_the_legs_holds_for_the_net_price() -> None:
    grid = Grid((PILOT, CLASSIC))
    assert grid.tick_at(Decimal("-1.20")) == Decimal("0.01")
    assert grid.tick_at(Decimal("4.00")) == Decimal("0.05")


def test_without_ticks_of_the_broker_prices_are_in_cents_and_none_is_refused() -> None:
    grid = Grid(((),))
    assert not grid.known
    assert grid.nearest(Decimal("1.234")) == Decimal("1.23")


def test_a_fraction_of_a_coin_is_priced_by_the_coin() -> None:
    bought = PricedLeg(buys=True, quantity=Decimal("0.0013"), quote=quote(100_000, 100_100))
    found = price([bought], Grid((PENNIES,)))
    assert found is not None
    assert found.mid == Decimal("-1000.50")


def test_flaws_name_the_numbers() -> None:
    assert flaw_of(quote(100, 110)) is None
    assert flaw_of(quote(110, 110)) is None  # locked, which happens and trades
    for bad, words in (
        (quote(None, 110), "X has no bid (ask 1.1, 0.3 s old)"),
        (quote(0, 110), "X has no bid (ask 1.1, 0.3 s old)"),
        (quote(100, None), "X has no offer (bid 1, 0.3 s old)"),
        (quote(None, None), "X has no bid (nothing is quoted)"),
        (quote(120, 110), "the market of X is crossed (bid 1.2, ask 1.1, 0.3 s old)"),
        (quote(100, 110, stale=True), "the quote of X is stale (bid 1, ask 1.1, 0.3 s old)"),
    ):
        assert flaw_of(bad) == words


@given(legs())
def test_one_side_missing_gives_no_price(given_legs: list[PricedLeg]) -> None:
    assume(given_legs)
    first = given_legs[0]
    broken = PricedLeg(buys=first.buys, quantity=first.quantity, quote=quote(None, 110))
    assert price([broken, *given_legs[1:]], Grid((PENNIES,) * len(given_legs))) is None

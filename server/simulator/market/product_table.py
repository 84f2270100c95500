"""Lists the futures products of the simulated market, and the options on them.

Prices are spot prices; the price of a contract follows from its carry, or from its index.
"""

from __future__ import annotations

__all__ = ["OPTION_PRODUCTS", "PRODUCTS"]

from decimal import Decimal

from server.simulator.market.products import MONTHS, OptionProduct, Product, Weekday

_WEEKDAYS: tuple[Weekday, ...] = (0, 1, 2, 3)


def _es_options() -> tuple[OptionProduct, ...]:
    fridays = (
        OptionProduct(root=f"EW{week}", schedule="week", week=week, clearing_code=f"W{week}")
        for week in (1, 2, 3, 4)
    )
    others = (
        OptionProduct(
            root=f"E{week}{'ABCD'[weekday]}",
            schedule="week",
            week=week,
            weekday=weekday,
            clearing_code=f"{'ABCD'[weekday]}{week}",
        )
        for week in (1, 2, 3, 4, 5)
        for weekday in _WEEKDAYS
    )
    return (
        OptionProduct(root="ES", schedule="quarterly", am_settled=True, clearing_code="ES"),
        OptionProduct(root="EW", schedule="month-end", clearing_code="EW"),
        *fridays,
        *others,
    )


def _weeklies(prefix: str, weeks: int = 4) -> tuple[OptionProduct, ...]:
    return tuple(
        OptionProduct(
            root=f"{prefix}{week}", schedule="week", week=week, clearing_code=f"{prefix[0]}{week}"
        )
        for week in range(1, weeks + 1)
    )


_INDEX_TICKS: tuple[tuple[str | None, str], ...] = (
    ("5.0", "0.05"),
    ("20.0", "0.1"),
    ("100.0", "0.25"),
    (None, "0.5"),
)
_EVEN, _QUARTERS, _ALL = "GJMQVZ", "HMUZ", MONTHS
_CENT = Decimal("0.01")
_POINT_32 = Decimal("0.03125")


def _index(
    code: str,
    description: str,
    leader: str,
    multiplier: str,
    volume: float,
    *,
    tick: str = "0.25",
    options: tuple[OptionProduct, ...] = (),
    step: float = 0.0,
    etf: tuple[str, int] | None = None,
    price: float = 0.0,
    volatility: float = 0.0,
    exchange: str = "XCME",
    small: bool = False,
    identifier: str = "",
) -> Product:
    return Product(
        code=code,
        description=description,
        exchange="CME",
        streamer_exchange=exchange,
        price=price,
        leader=leader,
        volatility=volatility,
        tick=Decimal(tick),
        multiplier=Decimal(multiplier),
        display_factor=_CENT,
        months=_QUARTERS,
        listed=8,
        rule="index",
        sector="Equity Index",
        option_ticks=_INDEX_TICKS,
        spread_tick=Decimal("0.05"),
        options=options,
        strike_step=step,
        identifier=identifier or leader,
        etf=etf,
        small=small,
        volume=volume,
    )


PRODUCTS: dict[str, Product] = {
    product.code: product
    for product in (
        _index(
            "ES", "E Mini S&P", "SPX", "50", 1400, options=_es_options(), step=10, etf=("SPY", 500)
        ),
        _index(
            "NQ",
            "E Mini Nasdaq 100",
            "NDX",
            "20",
            600,
            options=(
                OptionProduct(root="NQ", schedule="quarterly", am_settled=True, clearing_code="NQ"),
                OptionProduct(root="QNE", schedule="month-end", clearing_code="QN"),
                *_weeklies("QN"),
            ),
            step=50,
            etf=("QQQ", 800),
        ),
        _index("MES", "Micro E Mini S&P", "SPX", "5", 1100, small=True, etf=("SPY", 50)),
        _index("MNQ", "Micro E Mini Nasdaq 100", "NDX", "2", 1500, small=True, etf=("QQQ", 80)),
        _index("RTY", "E Mini Russell 2000", "RUT", "50", 180, tick="0.1", etf=("IWM", 500)),
        _index(
            "YM",
            "E Mini Dow ($5)",
            "SPX",
            "5",
            110,
            tick="1",
            price=47_000,
            exchange="XCBT",
            etf=("DIA", 500),
            identifier="DJX",
        ),
        Product(
            code="CL",
            description="Crude Oil",
            exchange="CME",
            streamer_exchange="XNYM",
            price=62,
            volatility=0.34,
            carry=-0.015,
            tick=_CENT,
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_ALL,
            listed=18,
            rule="oil",
            sector="Energy",
            option_ticks=((None, "0.01"),),
            spread_tick=_CENT,
            options=(
                OptionProduct(root="LO", schedule="monthly", clearing_code="LO"),
                *_weeklies("LO", 5),
            ),
            strike_step=0.5,
            etf=("USO", 900),
            roll_days=2,
            cash_settled=False,
            volume=350,
        ),
        Product(
            code="GC",
            description="Gold",
            exchange="CME",
            streamer_exchange="XCEC",
            price=4100,
            volatility=0.18,
            carry=0.04,
            tick=Decimal("0.1"),
            multiplier=Decimal(100),
            display_factor=Decimal("0.1"),
            months=_EVEN,
            listed=9,
            rule="gold",
            sector="Metals",
            option_ticks=((None, "0.1"),),
            spread_tick=Decimal("0.1"),
            options=(
                OptionProduct(root="OG", schedule="monthly", clearing_code="OG"),
                *_weeklies("OG", 5),
            ),
            strike_step=10,
            etf=("GLD", 1080),
            roll_days=20,
            cash_settled=False,
            volume=200,
        ),
        Product(
            code="ZB",
            description="US 30 Year Treasury Bond",
            exchange="CME",
            streamer_exchange="XCBT",
            price=117,
            volatility=0.11,
            tick=_POINT_32,
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_QUARTERS,
            listed=3,
            rule="bond",
            sector="Interest Rates",
            option_ticks=((None, "0.015625"),),
            spread_tick=_POINT_32,
            options=(
                OptionProduct(root="OZB", schedule="monthly", clearing_code="17"),
                *_weeklies("ZB", 5),
            ),
            strike_step=0.5,
            etf=("TLT", 1300),
            roll_days=17,
            cash_settled=False,
            main_fraction=_POINT_32,
            volume=320,
        ),
        Product(
            code="6E",
            description="Euro FX",
            exchange="CME",
            streamer_exchange="XCME",
            price=1.155,
            volatility=0.075,
            carry=0.018,
            tick=Decimal("0.00005"),
            multiplier=Decimal(125_000),
            display_factor=Decimal("0.0001"),
            months=_QUARTERS,
            listed=4,
            rule="currency",
            sector="FX",
            roll_days=2,
            cash_settled=False,
            volume=190,
        ),
        Product(
            code="VX",
            description="CBOE Volatility Index Futures",
            exchange="CFE",
            streamer_exchange="XCBF",
            price=17,
            leader="VIX",
            tick=Decimal("0.05"),
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_ALL,
            listed=8,
            rule="volatility",
            sector="Volatility",
            spread_tick=_CENT,
            identifier="VIX",
            roll_days=2,
            volume=120,
        ),
        Product(
            code="S5C",
            description="Smalls Liquidity Allocation",
            exchange="SMALLS",
            streamer_exchange="SMFE",
            price=42,
            leader="SPX",
            tick=_CENT,
            multiplier=Decimal(100),
            display_factor=Decimal(1),
            months=_ALL,
            listed=2,
            rule="small",
            sector="Equity Index",
            roll_days=2,
            small=True,
            volume=1,
        ),
    )
}

OPTION_PRODUCTS: dict[str, tuple[Product, OptionProduct]] = {
    option.root: (product, option) for product in PRODUCTS.values() for option in product.options
}

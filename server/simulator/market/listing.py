"""Finds instruments by either of their names, and loads their rows at the first request.

An option exists if its expiration is listed and its strike is on the ladder. Expirations are loaded
one by one, so that finding one contract does not build a chain.
"""

from __future__ import annotations

__all__ = ["Listing", "chain_day"]

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from server.simulator.market import symbols, underlyings
from server.simulator.market.brownian import Floats
from server.simulator.market.calendar import NEW_YORK, is_half_day
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.expirations import (
    Expiration,
    list_future_option_expirations,
    list_stock_option_expirations,
)
from server.simulator.market.futures import FutureContract, list_contracts, parse_contract
from server.simulator.market.instrument import Clock, Instrument
from server.simulator.market.options import describe_option, make_option_columns
from server.simulator.market.price_series import RATE, PriceSeries
from server.simulator.market.product_table import OPTION_PRODUCTS
from server.simulator.market.products import Product
from server.simulator.market.rows import Rows
from server.simulator.market.stocks import STOCKS, Stock
from server.simulator.market.strikes import build_future_ladder, build_stock_ladder
from server.simulator.market.ticks import TickTables


class Listing:
    """Lists the instruments of the market and their rows."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.rows = Rows()
        self.ticks = TickTables()
        self.series = PriceSeries(seed)
        self._seed = seed
        self._clock = clock
        self._instruments: dict[int, Instrument] = {}
        self._by_symbol: dict[str, int] = {}
        self._by_streamer: dict[str, int] = {}
        self._contracts: dict[int, FutureContract] = {}
        self._blocks: dict[tuple[str, date], ExpirationBlock] = {}
        self._firsts: list[int] = []
        self._ordered: list[ExpirationBlock] = []
        self._spot_instruments = list(
            underlyings.load_underlyings(self.rows, self.ticks, self.series, seed)
        )
        for instrument in self._spot_instruments:
            self._remember(instrument)

    def today(self) -> date:
        """Returns today's date in New York."""
        return self._clock.now().astimezone(NEW_YORK).date()

    def chain_day(self) -> date:
        """Returns the day whose chains are listed: tomorrow from the close on."""
        return chain_day(self._clock.now())

    def row(self, symbol: str) -> int | None:
        """Returns the row of a broker symbol, or None."""
        if (row := self._by_symbol.get(symbol)) is not None:
            return row

        if symbol.startswith("./"):
            row = self._future_option(symbols.parse_future_option(symbol))
        elif symbol.startswith("/"):
            # Not cached: one digit of the year means another contract some day.
            return self._future(symbol)
        elif not symbol.startswith("."):
            row = self._option(symbols.parse_option(symbol))

        if row is not None:
            self._by_symbol[symbol] = row

        return row

    def streamer_row(self, symbol: str) -> int | None:
        """Returns the row of a dxLink symbol, or None."""
        if (row := self._by_streamer.get(symbol)) is not None:
            return row

        if symbol.startswith("./"):
            row = self._future_option(symbols.parse_future_option(symbol), streamer=symbol)
        elif symbol.startswith("."):
            row = self._option(symbols.parse_option(symbol))
        elif symbol.startswith("/") and ":" in symbol:
            return self._future(symbol)

        if row is not None:
            # A subscription to a whole chain asks for tens of thousands of symbols, again at each
            # change.
            self._by_streamer[symbol] = row

        return row

    def instrument(self, row: int) -> Instrument:
        """Returns the instrument of a row; makes it at the first call."""
        if row not in self._instruments:
            self._instruments[row] = describe_option(self.block(row), row)

        return self._instruments[row]

    def block(self, row: int) -> ExpirationBlock:
        """Returns the block of the expiration that an option's row belongs to."""
        return self._ordered[bisect_right(self._firsts, row) - 1]

    def contract(self, row: int) -> FutureContract:
        """Returns the contract of a future's row."""
        return self._contracts[row]

    def futures(self, product: Product) -> list[Instrument]:
        """Returns the listed contracts of a product, by expiration."""
        listed = list_contracts(product, self.today())
        return [self.instrument(self._add_future(contract)) for contract in listed]

    def chain(self, underlying: Instrument) -> list[ExpirationBlock]:
        """Returns the listed contracts on a stock, fund or index, by expiration."""
        if underlying.symbol not in STOCKS:
            return []

        stock = STOCKS[underlying.symbol]
        listed = list_stock_option_expirations(stock.symbol, self.chain_day())
        return [self._block(stock, expiration) for expiration in listed]

    def future_chain(self, product: Product) -> list[ExpirationBlock]:
        """Returns the listed contracts on the futures of a product, by expiration."""
        listed = list_future_option_expirations(product, self.chain_day())
        now = self._clock.now()
        # Some expire hours before the stock market's close, which ends a chain's day.
        return [self._future_block(product, each) for each in listed if each.expires_at > now]

    def spot_instruments(self) -> Sequence[Instrument]:
        """Returns stocks, funds, indices, cryptocurrencies, warrants and currency pairs."""
        return self._spot_instruments

    def _remember(self, instrument: Instrument) -> int:
        row = instrument.row
        self._instruments[row] = instrument
        if instrument.instrument_type != "Future":
            self._by_symbol[instrument.symbol] = row

        # Currency pairs are streamed under their own symbols.
        self._by_streamer[instrument.streamer_symbol] = row
        return row

    def _future(self, symbol: str) -> int | None:
        contract = parse_contract(symbol, self.today())
        return None if contract is None else self._add_future(contract)

    def _add_future(self, contract: FutureContract) -> int:
        row = self._by_streamer.get(contract.streamer_symbol)
        if row is None:
            active = list_contracts(contract.product, self.today())[0]
            instrument = underlyings.add_future(
                self.rows, self.ticks, self.series, self._seed, contract, active
            )
            row = self._remember(instrument)
            self._contracts[row] = contract

        return row

    def _option(self, name: symbols.OptionSymbol | None) -> int | None:
        if name is None or name.day is None:
            return None

        block = self._blocks.get((name.root, name.day))
        if block is None:
            block = self._find_block(name.root, name.day)

        return None if block is None else block.row(name.strike, name.option_type)

    def _find_block(self, root: str, day: date) -> ExpirationBlock | None:
        stock = _ROOTS.get(root)
        if stock is None:
            return None

        # An expired contract was listed on the day before it expired.
        for seen in (self.chain_day(), min(self.chain_day(), day - timedelta(days=1))):
            for expiration in list_stock_option_expirations(stock.symbol, seen):
                if expiration.root == root and expiration.day == day:
                    return self._block(stock, expiration)

        return None

    def _future_option(
        self, name: symbols.OptionSymbol | None, *, streamer: str = ""
    ) -> int | None:
        root = name.root[:-2] if name else ""
        if name is None or root not in OPTION_PRODUCTS:
            return None

        product, _ = OPTION_PRODUCTS[root]
        listed: tuple[Expiration, ...] = ()
        for seen in {self.chain_day(), min(self.chain_day(), name.day or date.max)}:
            listed += list_future_option_expirations(product, seen)

        for expiration in listed:
            future = expiration.underlying.symbol if expiration.underlying else ""
            if (
                expiration.contract_code == name.root
                and (name.day is None or name.day == expiration.day)
                and (not name.future or name.future == future)
                and (not streamer or streamer.endswith(f":{product.streamer_exchange}"))
            ):
                return self._future_block(product, expiration).row(name.strike, name.option_type)

        return None

    def _block(self, stock: Stock, expiration: Expiration) -> ExpirationBlock:
        underlying = self.instrument(self._by_symbol[stock.symbol])
        series = self.series.index[stock.symbol]
        carry = RATE - stock.dividend_yield if stock.symbol != "VIX" else 0.0
        return self._load(
            underlying,
            expiration,
            lambda: build_stock_ladder(stock.symbol, expiration.root),
            series=series,
            carry=carry,
        )

    def _future_block(self, product: Product, expiration: Expiration) -> ExpirationBlock:
        if expiration.underlying is None:
            raise TypeError(f"{expiration.root} is no option on a future")

        underlying = self.instrument(self._add_future(expiration.underlying))
        series = self.series.product(product)
        return self._load(
            underlying,
            expiration,
            lambda: build_future_ladder(product, float(self.series.base[series])),
            series=series,
            carry=float(self.rows.carry[underlying.row]),
        )

    def _load(
        self,
        underlying: Instrument,
        expiration: Expiration,
        ladder: Callable[[], Floats],
        *,
        series: int,
        carry: float,
    ) -> ExpirationBlock:
        key = (expiration.root, expiration.day)
        block = self._blocks.get(key)
        if block is None:
            strikes = ladder()
            first = self.rows.add(
                2 * len(strikes),
                **make_option_columns(
                    underlying,
                    expiration,
                    strikes,
                    base=float(self.series.base[series]),
                    volatility=float(self.series.usual_volatility[series]),
                    ticks=self.ticks,
                    seed=self._seed,
                ),
                series=series,
                carry=carry,
            )
            block = self._blocks[key] = ExpirationBlock(
                first=first,
                expiration=expiration,
                underlying=underlying,
                strikes=strikes,
                places={strike: place for place, strike in enumerate(strikes.tolist())},
            )
            self._firsts.append(first)
            self._ordered.append(block)

        return block


def chain_day(now: datetime) -> date:
    """Returns the day whose chains are listed at an instant."""
    here = now.astimezone(NEW_YORK)
    close = time(13) if is_half_day(here.date()) else time(16)
    return here.date() + timedelta(days=1) if here.time() >= close else here.date()


def _map_roots() -> dict[str, Stock]:
    roots = {symbol.replace("/", ""): stock for symbol, stock in STOCKS.items()}
    weekly = {"SPXW": "SPX", "NDXP": "NDX", "RUTW": "RUT", "VIXW": "VIX"}
    return roots | {root: STOCKS[symbol] for root, symbol in weekly.items()}


_ROOTS = _map_roots()

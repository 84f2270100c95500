"""Lists the stocks, funds and indices of the simulated market, and those that misbehave on purpose.

A listing's price starts at the price given here and stays near it; strikes are laid out around it,
so a changed price moves a chain. The names are real, the market is made up.

| symbol | on purpose |
|---|---|
| `VIX` | an index without a market: Trade, Summary, no Quote; REST has no `bid`, `ask`, `mid` |
| `SPX` | quoted with sizes `NaN` (dxLink) and `0.0` (REST), as are `NDX` and `RUT` |
| `ZVZZT` | crossed: its bid is above its ask |
| `ZWZZT` | halted since the last open: a frozen quote, `HALTED` in Profile, `is-trading-halted` |
| `ZXZZT` | sizes are `NaN` although both prices are there |
| `ZJZZT` | no bid: `bidPrice` is `NaN`, REST has no `bid` and no `mid` |
| `ZBZZT` | below a dollar: its tick is 0.0001 |
| `ZCZZT` | closing only |
| far options | no bid where they are worth less than a tick, as on the real market |

Nasdaq reserves the `Z.ZZT` symbols for tests. None of them has options.
"""

from __future__ import annotations

__all__ = ["STOCKS", "VIX", "Quirk", "Stock"]

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

VIX = "VIX"
"""Computed as 100 times the 30-day at-the-money volatility of `SPX`; it has no path of its own."""


class Quirk(StrEnum):
    """Names what is wrong with a symbol, on purpose."""

    UNQUOTED = "unquoted"
    UNSIZED = "unsized"
    CROSSED = "crossed"
    HALTED = "halted"
    NO_BID = "no bid"
    CLOSING_ONLY = "closing only"


Cycle = Literal["daily", "thrice", "weekly", "monthly", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Describes one listing of the stock market."""

    symbol: str
    name: str
    kind: Literal["stock", "etf", "index"]
    price: float
    volatility: float
    """Per year, of its own path beside `beta` times its leader's."""

    beta: float
    leader: str
    """Series whose path it follows: `SPX` for nearly all, gold for `GLD`."""

    dividend: float
    """Dividend per quarter."""

    market: str
    cycle: Cycle
    """Which expirations its options have."""

    ticks: Literal["all-penny", "penny", "nickel"]
    """Tick table of its options: .01; .01 below 3 and .05 above; .05 below 3 and .10 above."""

    sector: str
    industry: str
    shares: float
    """Shares outstanding, in millions."""

    earnings: float
    """Earnings per share and year."""

    volume: float
    """Shares traded per day, in millions."""

    quirk: Quirk | None = None

    @property
    def dividend_yield(self) -> float:
        return 4 * self.dividend / self.price


_CYCLES: dict[str, Cycle] = {
    "D": "daily",
    "T": "thrice",
    "W": "weekly",
    "M": "monthly",
    "-": "none",
}

_TICKS: dict[str, Literal["all-penny", "penny", "nickel"]] = {
    "a": "all-penny",
    "p": "penny",
    "n": "nickel",
}

_MARKETS = {"Q": "XNAS", "N": "XNYS", "P": "ARCX", "Z": "BATS", "O": "OTC"}

# symbol price volatility beta dividend market cycle ticks shares earnings volume name
# / sector / industry
_COMPANIES = """
AAPL 275 .20 1.05 .26 Q T p 14700 7.46 45 Apple Inc. / Technology / Consumer Electronics
MSFT 500 .18 1.0 .91 Q T p 7430 14.1 21 Microsoft Corporation / Technology / Software
NVDA 190 .32 1.7 .01 Q T p 24300 4.05 180 NVIDIA Corporation / Technology / Semiconductors
AMZN 230 .24 1.3 0 Q T p 10700 7.08 42 Amazon.com, Inc. / Consumer Cyclical / Internet Retail
GOOGL 280 .24 1.1 .21 Q T p 12100 10.1 33 Alphabet Inc. Class A / Communication Services / Internet
META 600 .27 1.25 .525 Q T p 2520 22.6 16 Meta Platforms, Inc. / Communication Services / Internet
TSLA 400 .48 2.0 0 Q T p 3320 1.45 85 Tesla, Inc. / Consumer Cyclical / Auto Manufacturers
AVGO 350 .34 1.5 .59 Q T p 4720 3.9 24 Broadcom Inc. / Technology / Semiconductors
AMD 230 .42 1.9 0 Q W p 1630 2.02 50 Advanced Micro Devices, Inc. / Technology / Semiconductors
NFLX 110 .28 1.1 0 Q W p 4240 2.4 38 Netflix, Inc. / Communication Services / Entertainment
INTC 38 .44 1.2 0 Q W p 4770 .04 90 Intel Corporation / Technology / Semiconductors
MU 240 .46 1.5 .115 Q W p 1120 7.59 26 Micron Technology, Inc. / Technology / Semiconductors
CSCO 75 .19 .9 .41 Q W p 3950 2.61 21 Cisco Systems, Inc. / Technology / Communication Equipment
ORCL 220 .38 1.4 .5 N W p 2850 4.3 22 Oracle Corporation / Technology / Software
CRM 240 .28 1.25 .416 N W p 952 7.2 8 Salesforce, Inc. / Technology / Software
PLTR 175 .52 1.6 0 Q W p 2380 .43 55 Palantir Technologies Inc. / Technology / Software
MSTR 200 .66 2.2 0 Q W p 287 24.4 15 Strategy Inc / Technology / Software
SHOP 150 .42 1.9 0 Q W p 1300 1.37 9 Shopify Inc. / Technology / Software
COIN 290 .55 2.3 0 Q W p 270 11.5 11 Coinbase Global, Inc. / Financial Services / Capital Markets
HOOD 125 .58 2.2 0 Q W p 900 2.3 30 Robinhood Markets, Inc. / Financial Services / Capital Markets
SOFI 28 .52 1.8 0 Q W p 1210 .53 60 SoFi Technologies, Inc. / Financial Services / Credit Services
JPM 305 .17 1.05 1.5 N W p 2720 20.2 9 JPMorgan Chase & Co. / Financial Services / Banks
BAC 53 .19 1.1 .28 N W p 7300 3.67 38 Bank of America Corporation / Financial Services / Banks
V 335 .15 .85 .67 N W p 1690 10.2 6 Visa Inc. / Financial Services / Credit Services
BRK/B 500 .12 .75 0 N W p 1380 31.2 5 Berkshire Hathaway Inc. Class B / Financials / Insurance
UNH 330 .32 .6 2.21 N W p 906 19.2 9 UnitedHealth Group Incorporated / Healthcare / Healthcare Plans
JNJ 195 .14 .45 1.3 N W p 2410 10.4 8 Johnson & Johnson / Healthcare / Drug Manufacturers
LLY 1000 .28 .6 1.5 N W n 945 20.4 4 Eli Lilly and Company / Healthcare / Drug Manufacturers
PFE 25 .22 .5 .43 N W p 5690 1.72 45 Pfizer, Inc. / Healthcare / Drug Manufacturers
XOM 117 .19 .5 1.03 N W p 4220 6.9 15 Exxon Mobil Corporation / Energy / Oil & Gas Integrated
CVX 155 .19 .55 1.71 N W p 2010 7.1 8 Chevron Corporation / Energy / Oil & Gas Integrated
DIS 105 .22 1.05 .5 N W p 1790 6.85 10 Walt Disney Company / Communication Services / Entertainment
KO 70 .12 .4 .51 N W p 4300 3.03 15 Coca-Cola Company / Staples / Beverages
WMT 105 .17 .65 .235 N W p 7970 2.86 17 Walmart Inc. / Staples / Discount Stores
COST 920 .18 .95 1.3 Q W n 443 18.2 2 Costco Wholesale Corporation / Staples / Discount Stores
HD 350 .19 1.0 2.3 N W p 995 14.7 4 Home Depot, Inc. / Consumer Cyclical / Home Improvement
NKE 65 .3 1.1 .41 N W p 1480 1.95 14 NIKE, Inc. / Consumer Cyclical / Footwear
F 13 .3 1.2 .15 N W p 3980 1.16 60 Ford Motor Company / Consumer Cyclical / Auto Manufacturers
GE 300 .24 1.25 .36 N W p 1050 7.6 5 GE Aerospace / Industrials / Aerospace & Defense
BA 190 .32 1.3 0 N W p 760 -13.2 8 Boeing Company / Industrials / Aerospace & Defense
CAT 560 .24 1.25 1.51 N W p 468 19.5 4 Caterpillar Inc. / Industrials / Farm & Heavy Machinery
T 26 .17 .5 .2775 N W p 7100 3.05 35 AT&T Inc. / Communication Services / Telecom Services
UBER 92 .3 1.2 0 N W p 2080 7.8 17 Uber Technologies, Inc. / Technology / Software
GME 22 .6 1.4 0 N W p 448 .77 9 GameStop Corp. Class A / Consumer Cyclical / Specialty Retail
BABA 160 .38 .7 0 N W p 2390 8.2 15 Alibaba Group ADS / Consumer Cyclical / Internet Retail
WEN 9 .3 .6 .14 Q M n 191 .96 6 Wendy's Company / Consumer Cyclical / Restaurants
ZVZZT 12 .2 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (crossed) / Test / Test
ZWZZT 14 .2 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (halted) / Test / Test
ZXZZT 10 .2 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (no sizes) / Test / Test
ZJZZT 11 .2 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (no bid) / Test / Test
ZBZZT .45 .4 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (below a dollar) / Test / Test
ZCZZT 13 .2 .5 0 Q - n 10 0 .1 NASDAQ Test Stock (closing only) / Test / Test
"""

# symbol price volatility beta dividend market cycle ticks shares leader volume name
_FUNDS = """
SPY 687 .002 1 1.85 P D a 1050 SPX 75 SPDR S&P 500 ETF Trust
QQQ 613 .003 1 .70 Q D a 640 NDX 55 Invesco QQQ Trust
IWM 240 .003 1 .62 P D a 295 RUT 35 iShares Russell 2000 ETF
DIA 470 .035 .9 .62 P W p 87 SPX 5 SPDR Dow Jones Industrial Average ETF Trust
GLD 380 .004 1 0 P T p 360 /GC 14 SPDR Gold Shares
SLV 46 .2 1.4 0 P W p 520 /GC 30 iShares Silver Trust
TLT 90 .02 1.1 .31 Q T p 540 /ZB 35 iShares 20+ Year Treasury Bond ETF
USO 70 .04 .9 0 P T p 12 /CL 8 United States Oil Fund
XLE 90 .12 .55 .73 P W p 300 /CL 16 Energy Select Sector SPDR Fund
XLF 53 .07 .95 .19 P W p 1010 SPX 38 Financial Select Sector SPDR Fund
XLK 285 .07 1.25 .38 P W p 320 SPX 6 Technology Select Sector SPDR Fund
XLV 150 .08 .6 .6 P W p 250 SPX 9 Health Care Select Sector SPDR Fund
SMH 350 .14 1.7 .31 Q W p 100 SPX 8 VanEck Semiconductor ETF
EEM 54 .1 .85 .33 P W p 330 SPX 28 iShares MSCI Emerging Markets ETF
FXI 40 .22 .6 .25 P W p 160 SPX 28 iShares China Large-Cap ETF
HYG 80 .03 .3 .38 P W p 220 SPX 40 iShares iBoxx $ High Yield Corporate Bond ETF
ARKK 80 .2 1.8 0 Z W p 95 SPX 9 ARK Innovation ETF
"""

# symbol price volatility beta yearly-dividend-yield cycle leader name
_INDICES = """
SPX 6870 .16 1 .0108 D - S&P 500 Index
NDX 25100 .07 1.2 .0046 D SPX NASDAQ 100 Index
RUT 2400 .11 1.15 .0103 D SPX Russell 2000 Index
VIX 17 0 -7 0 W - CBOE Volatility Index
"""

_QUIRKS = {
    "VIX": Quirk.UNQUOTED,
    "SPX": Quirk.UNSIZED,
    "NDX": Quirk.UNSIZED,
    "RUT": Quirk.UNSIZED,
    "ZVZZT": Quirk.CROSSED,
    "ZWZZT": Quirk.HALTED,
    "ZXZZT": Quirk.UNSIZED,
    "ZJZZT": Quirk.NO_BID,
    "ZCZZT": Quirk.CLOSING_ONLY,
}


def _parse_company(line: str) -> Stock:
    head, sector, industry = line.split(" / ")
    symbol, price, vol, beta, paid, market, cycle, ticks, shares, eps, volume, name = head.split(
        " ", 11
    )
    return Stock(
        symbol=symbol,
        name=name,
        kind="stock",
        price=float(price),
        volatility=float(vol),
        beta=float(beta),
        leader="SPX",
        dividend=float(paid),
        market=_MARKETS[market],
        cycle=_CYCLES[cycle],
        ticks=_TICKS[ticks],
        sector=sector,
        industry=industry,
        shares=float(shares),
        earnings=float(eps),
        volume=float(volume),
        quirk=_QUIRKS.get(symbol),
    )


def _parse_fund(line: str) -> Stock:
    symbol, price, vol, beta, paid, market, cycle, ticks, shares, leader, volume, name = line.split(
        " ", 11
    )
    return Stock(
        symbol=symbol,
        name=name,
        kind="etf",
        price=float(price),
        volatility=float(vol),
        beta=float(beta),
        leader=leader,
        dividend=float(paid),
        market=_MARKETS[market],
        cycle=_CYCLES[cycle],
        ticks=_TICKS[ticks],
        sector="Financial Services",
        industry="Exchange Traded Fund",
        shares=float(shares),
        earnings=0.0,
        volume=float(volume),
    )


def _parse_index(line: str) -> Stock:
    symbol, price, vol, beta, dividend_yield, cycle, leader, name = line.split(" ", 7)
    return Stock(
        symbol=symbol,
        name=name,
        kind="index",
        price=float(price),
        volatility=float(vol),
        beta=float(beta),
        leader="" if leader == "-" else leader,
        dividend=float(price) * float(dividend_yield) / 4,
        market=_MARKETS["O"],
        cycle=_CYCLES[cycle],
        ticks="nickel",
        sector="Index",
        industry="Index",
        shares=0.0,
        earnings=0.0,
        volume=0.0,
        quirk=_QUIRKS[symbol],
    )


STOCKS: dict[str, Stock] = {
    stock.symbol: stock
    for stock in (
        *map(_parse_index, _INDICES.strip().splitlines()),
        *map(_parse_fund, _FUNDS.strip().splitlines()),
        *map(_parse_company, _COMPANIES.strip().splitlines()),
    )
}

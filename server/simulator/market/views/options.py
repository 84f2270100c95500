"""Renders options and their chains as bytes, because a chain has tens of thousands of contracts.

What the contracts of one expiration share is serialized once and copied, which takes a tenth of the
second that `json.dumps` needs for a large chain. No text here needs escaping: symbols are letters,
digits, dots and spaces.
"""

from __future__ import annotations

__all__ = ["compact_chain", "flat_chain", "nested_chain", "option_json"]

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

import orjson

from server.simulator.market import symbols
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.expirations import Expiration
from server.simulator.market.instrument import Instrument
from server.simulator.market.options import find_option_ticks
from server.simulator.market.strikes import format_strike
from server.simulator.market.views.decimals import format_decimal, format_offset
from server.simulator.market.views.equities import ticks_json


def option_json(block: ExpirationBlock, row: int, today: date) -> bytes:
    """Renders one contract."""
    place = row - block.first
    strike = float(block.strikes[place // 2])
    kind = "P" if place % 2 else "C"
    return _contract(block.expiration, kind, strike, _shared(block, today)).encode()


def flat_chain(blocks: Sequence[ExpirationBlock], today: date) -> bytes:
    """Renders every contract as an object of its own, in an array."""
    return f"[{','.join(_flat(blocks, today))}]".encode()


def nested_chain(blocks: Sequence[ExpirationBlock], today: date) -> bytes:
    """Renders an array of roots with their expirations, and strikes with both symbols."""
    chains = []
    for root, mine in _by_root(blocks):
        head = orjson.dumps(_root_json(mine[0].underlying, root)).decode()
        expirations = ",".join(_nested(block, today) for block in mine)
        chains.append(f'{head[:-1]},"expirations":[{expirations}]}}')

    return f"[{','.join(chains)}]".encode()


def compact_chain(blocks: Sequence[ExpirationBlock]) -> bytes:
    """Renders two parallel lists of symbols for each root and kind of expiration."""
    items = []
    for root, mine in _by_root(blocks):
        kinds = sorted({(block.expiration.kind, block.expiration.settlement) for block in mine})
        for kind, settlement in kinds:
            names, streamers = [], []
            for block in mine:
                if (block.expiration.kind, block.expiration.settlement) == (kind, settlement):
                    for name, streamer in _names(block):
                        names.append(name)
                        streamers.append(streamer)

            items.append(
                {
                    "underlying-symbol": mine[0].underlying.symbol,
                    "root-symbol": root,
                    "option-chain-type": "Standard",
                    "settlement-type": settlement,
                    "shares-per-contract": 100,
                    "expiration-type": kind,
                    **_deliverables(mine[0].underlying, root),
                    "symbols": names,
                    "streamer-symbols": streamers,
                }
            )

    return orjson.dumps(items)


def _flat(blocks: Sequence[ExpirationBlock], today: date) -> Iterator[str]:
    for block in blocks:
        shared = _shared(block, today)
        for strike in block.strikes.tolist():
            yield _contract(block.expiration, "C", strike, shared)
            yield _contract(block.expiration, "P", strike, shared)


def _shared(block: ExpirationBlock, today: date) -> tuple[str, str, str]:
    """Returns the three parts that all contracts of a block share: before, between and after."""
    expiration = block.expiration
    stock_style = "European" if block.underlying.is_index else "American"
    head = (
        f'{{"active":true,"days-to-expiration":{(expiration.day - today).days},'
        f'"exercise-style":"{stock_style}","expiration-date":"{expiration.day}",'
        f'"expiration-type":"{expiration.kind}",'
        f'"expires-at":"{format_offset(expiration.expires_at)}",'
        '"instrument-type":"Equity Option","is-closing-only":false,'
        '"market-time-instrument-collection":"Equity Option","option-chain-type":"Standard",'
    )
    middle = (
        f'"root-symbol":"{expiration.root}","settlement-type":"{expiration.settlement}",'
        '"shares-per-contract":100,'
        f'"stops-trading-at":"{format_offset(expiration.stops_trading_at)}",'
    )
    return head, middle, f'"underlying-symbol":"{block.underlying.symbol}"}}'


def _contract(
    expiration: Expiration, kind: str, strike: float, shared: tuple[str, str, str]
) -> str:
    head, middle, end = shared
    name = symbols.format_occ(expiration.root, expiration.day, kind, strike)
    streamer = symbols.format_streamer(expiration.root, expiration.day, kind, strike)
    return (
        f'{head}"option-type":"{kind}",{middle}"streamer-symbol":"{streamer}",'
        f'"strike-price":"{format_decimal(strike)}","symbol":"{name}",{end}'
    )


def _nested(block: ExpirationBlock, today: date) -> str:
    expiration = block.expiration
    day = f"{expiration.day:%y%m%d}"
    prefix, streamer = f"{expiration.root:<6}{day}", f".{expiration.root}{day}"
    strikes = []
    for strike in block.strikes.tolist():
        number, short = f"{round(strike * 1000):08d}", format_strike(strike)
        strikes.append(
            f'{{"strike-price":"{format_decimal(strike)}",'
            f'"call":"{prefix}C{number}","call-streamer-symbol":"{streamer}C{short}",'
            f'"put":"{prefix}P{number}","put-streamer-symbol":"{streamer}P{short}"}}'
        )

    return (
        f'{{"expiration-type":"{expiration.kind}","expiration-date":"{expiration.day}",'
        f'"days-to-expiration":{(expiration.day - today).days},'
        f'"settlement-type":"{expiration.settlement}","strikes":[{",".join(strikes)}]}}'
    )


def _names(block: ExpirationBlock) -> Iterator[tuple[str, str]]:
    expiration = block.expiration
    for strike in block.strikes.tolist():
        for kind in "CP":
            yield (
                symbols.format_occ(expiration.root, expiration.day, kind, strike),
                symbols.format_streamer(expiration.root, expiration.day, kind, strike),
            )


def _by_root(blocks: Sequence[ExpirationBlock]) -> Iterator[tuple[str, list[ExpirationBlock]]]:
    ordered = sorted(blocks, key=lambda block: block.expiration.root)  # stable: dates stay in order
    for root, mine in groupby(ordered, key=lambda block: block.expiration.root):
        yield root, list(mine)


def _root_json(underlying: Instrument, root: str) -> dict[str, object]:
    return {
        "underlying-symbol": underlying.symbol,
        "root-symbol": root,
        "option-chain-type": "Standard",
        "shares-per-contract": 100,
        "tick-sizes": ticks_json(find_option_ticks(underlying)),
        **_deliverables(underlying, root),
    }


def _deliverables(underlying: Instrument, root: str) -> dict[str, object]:
    if underlying.is_index:  # settled in cash: nothing is delivered
        return {}

    return {
        "deliverables": [
            {
                "id": underlying.row + 1,
                "amount": "100.0",
                "deliverable-type": "Shares",
                "description": f"100 shares of {underlying.symbol}",
                "instrument-type": "Equity",
                "percent": "100",
                "root-symbol": root,
                "symbol": underlying.symbol,
            }
        ]
    }

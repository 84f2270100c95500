"""The summary of an option chain, in the widths that the guide shows."""

from __future__ import annotations

__all__ = ["option_chain_table"]

from itertools import groupby

from server.brokerage.instruments.chains import OptionChain

HEADERS = ("Expiration", "DTE", "Calls", "Puts", "Strikes", "Total")
WIDTHS = (12, 6, 8, 8, 9, 8)
RULE = 60


def option_chain_table(chain: OptionChain) -> str:
    """Returns one line an expiration: days to go, and how many calls, puts, strikes, contracts."""
    lines = [f"Complete Option Chain for {chain.symbol}", _line(HEADERS), "-" * RULE]
    for day, group in groupby(chain.contracts, key=lambda each: each.expiration):
        contracts = tuple(group)
        calls = sum(each.option_type == "C" for each in contracts)
        strikes = len({each.strike for each in contracts})
        days = (day - chain.today).days
        lines.append(_line((day, days, calls, len(contracts) - calls, strikes, len(contracts))))

    return "\n".join(lines)


def _line(values: tuple[object, ...]) -> str:
    return " ".join(f"{value!s:<{width}}" for value, width in zip(values, WIDTHS, strict=True))

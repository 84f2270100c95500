"""Describes tool results in sentences, field by field, without adding or judging anything."""

from __future__ import annotations

__all__ = ["SIGNATURE", "describe_result", "describe_rows"]

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from server.simulator.messages.conversation import ToolResult

SIGNATURE = "(From the simulator's rule-based stand-in; no language model was asked.)"
MAX_ROWS = 20
MAX_FIELDS = 12

CHAIN = re.compile(
    r'"total_expirations":(\d+),"total_options":(\d+),"expiration_dates":\[([^\]]*)\]'
)

Data = Mapping[str, Any]


def describe_result(result: ToolResult) -> str:
    """Returns a result in words."""
    if result.failed:
        return f"{_name_tool(result)} failed: {_first_line(result.text)}"

    describe = _DESCRIBERS.get(result.tool)
    return describe(result, result.data) if describe else _describe_any(result, result.data)


def describe_rows(rows: Iterable[Data]) -> str:
    """Returns rows of data, one line each, with their first fields."""
    return "\n".join(f"- {_join_fields(row)}" for row in list(rows)[:MAX_ROWS])


def _balances(result: ToolResult, data: Data) -> str:
    return (
        f"Account {result.input.get('account_id', '')}: net liquidating value "
        f"${data.get('net_liquidating_value', '?')}, cash ${data.get('cash', '?')}, buying power "
        f"${data.get('buying_power', '?')}, day trading buying power "
        f"${data.get('day_trading_buying_power', '?')}."
    )


def _positions(result: ToolResult, data: Data) -> str:
    positions = data.get("positions", [])
    account = result.input.get("account_id", "")
    if not positions:
        return f"Account {account} has no open positions."

    lines = [f"Account {account} has {len(positions)} open position(s):"]
    lines += [_position(each) for each in positions[:MAX_ROWS]]
    return "\n".join(lines)


def _position(each: Data) -> str:
    greeks = ", ".join(f"{name} {each[name]}" for name in ("delta", "theta") if each.get(name))
    return (
        f"- {each.get('symbol')}: {each.get('quantity_direction', '')} {each.get('quantity')}, "
        f"entry ${each.get('average_open_price', '?')}, current ${each.get('current_price', '?')}, "
        f"unrealized P&L ${each.get('unrealized_pnl', '?')}" + (f" ({greeks})" if greeks else "")
    )


def _quotes(result: ToolResult, data: Data) -> str:
    lines = [
        f"{each.get('symbol')}: bid {each.get('bid_price', '-')}, "
        f"ask {each.get('ask_price', '-')}, last {each.get('last_price', '-')}."
        for each in data.get("quotes", [])
    ]
    return "\n".join(lines + _list_problems(data)) or "No quote came."


def _metrics(result: ToolResult, data: Data) -> str:
    lines = [
        f"{each.get('symbol')}: IV rank {_percent(each.get('iv_rank'))}, IV percentile "
        f"{_percent(each.get('iv_percentile'))}, beta {each.get('beta', '-')}, liquidity "
        f"{each.get('liquidity_rating', '-')}."
        for each in data.get("metrics", [])
    ]
    return "\n".join(lines + _list_problems(data)) or "No metrics came."


def _watchlists(result: ToolResult, data: Data) -> str:
    lines = [
        f"- {each.get('name')}: "
        + (
            ", ".join(str(entry.get("symbol")) for entry in each.get("watchlist_entries", []))
            or "-"
        )
        for each in data.get("watchlists", [])
    ]
    return "\n".join(["Watchlists:", *lines]) if lines else "There are no watchlists."


def _chain(result: ToolResult, data: Data) -> str:
    """Describes a chain from the start of its text; a model receives no more of it."""
    found = CHAIN.search(result.text)
    if found is None:
        return _describe_any(result, data)

    expirations, options, days = found.groups()
    shown = ", ".join(days.replace('"', "").split(",")[:MAX_ROWS])
    return (
        f"{result.input.get('symbol', '')}: {options} options on {expirations} expiration(s)"
        f"{': ' if shown else ''}{shown}."
    )


def _order(result: ToolResult, data: Data) -> str:
    if data.get("ticket"):
        return "The order is prepared and was checked by the broker; it is not placed."

    if data.get("dry_run"):
        return f"The broker checked the order and did not place it: {_join_fields(data)}"

    return f"The order was sent: number {data.get('id') or '?'}, status {data.get('status', '?')}."


def _describe_any(result: ToolResult, data: Data) -> str:
    lines = [f"{_name_tool(result)}:"]
    scalars = {name: value for name, value in data.items() if not isinstance(value, list | dict)}
    if scalars:
        lines.append(f"- {_join_fields(scalars)}")

    for name, value in data.items():
        if isinstance(value, list):
            lines.append(f"{name.replace('_', ' ')} ({len(value)}):")
            rows = [row if isinstance(row, dict) else {name: row} for row in value]
            lines += [describe_rows(rows)] if rows else []
        elif isinstance(value, dict):
            lines.append(f"- {name.replace('_', ' ')}: {_join_fields(value)}")

    return "\n".join(lines) if len(lines) > 1 else f"{_name_tool(result)}: nothing."


_DESCRIBERS: Mapping[str, Callable[[ToolResult, Data], str]] = {
    "get_balances": _balances,
    "list_positions": _positions,
    "get_quotes": _quotes,
    "get_market_metrics": _metrics,
    "get_option_chain": _chain,
    "list_watchlists": _watchlists,
    "place_order": _order,
}


def _name_tool(result: ToolResult) -> str:
    words = result.tool.replace("_", " ")
    account = result.input.get("account_id")
    return f"{words} ({account})" if account else words


def _join_fields(row: Data) -> str:
    plain = [
        f"{name} {value}"
        for name, value in row.items()
        if value not in ("", None) and not isinstance(value, list | dict)
    ]
    return ", ".join(plain[:MAX_FIELDS]) or "nothing"


def _list_problems(data: Data) -> list[str]:
    return [f"{each.get('symbol')}: {each.get('reason')}" for each in data.get("errors", [])]


def _percent(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) else "-"


def _first_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("<")]
    return lines[-1] if lines else "no reason was given"

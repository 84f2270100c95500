"""The guide's Python class with requests and its JavaScript class with axios, as they stand."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import need
from tests.compat.guide import Guide, assert_like

pytestmark = pytest.mark.usefixtures("priced")

PACKAGES = Path(__file__).parent / "js" / "node_modules"

PYTHON_TOO = """
import json
print(json.dumps([api.get_positions(), api.get_quotes(["SPY"]), api.get_option_chain("TSLA")]))
"""
"""What its own usage part does not call."""

JAVASCRIPT_TOO = """
(async () => {
  const all = [
    await api.getBalances(),
    await api.getPositions(),
    await api.getQuotes(['SPY', 'AAPL']),
    await api.getOptionChain('TSLA'),
    await api.placeOrder([{ symbol: 'AAPL', action: 'Buy', quantity: 1 }], null, 'Day', true),
  ];
  console.log(JSON.stringify(all));
})();
"""


def test_the_python_class(built: Callable[[str], None], guide: Guide, tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(guide.text("client.py") + PYTHON_TOO)
    ran = guide.execute([sys.executable, str(script)])
    assert ran.code == 0
    lines = ran.output.splitlines()
    assert_like(guide.reply("balances"), ast.literal_eval(lines[0]))
    quotes = ast.literal_eval(lines[1])
    assert_like(guide.reply("quotes"), quotes)
    assert [each["event_symbol"] for each in quotes["quotes"]] == ["SPY", "AAPL"]
    positions, one, chain = json.loads(lines[-1])
    assert_like(guide.reply("positions"), positions)
    assert_like(guide.reply("quotes"), one)
    assert_like(guide.reply("option-chain"), chain)
    assert f"Total expirations: {chain['total_expirations']}" in lines
    assert f"Total options: {chain['total_options']}" in lines
    built("PlaceOrder")
    order = ast.literal_eval(lines[-2])
    assert_checked_only(guide, order)


def test_the_javascript_class(built: Callable[[str], None], guide: Guide, tmp_path: Path) -> None:
    need("node", installed=PACKAGES)
    built("PlaceOrder")
    script = tmp_path / "client.js"
    script.write_text(guide.text("client.js") + JAVASCRIPT_TOO)
    ran = guide.execute(["node", str(script)], NODE_PATH=str(PACKAGES))
    assert ran.code == 0
    (line,) = [each for each in ran.output.splitlines() if each.startswith("[{")]
    balances, positions, quotes, chain, order = json.loads(line)
    assert_like(guide.reply("balances"), balances)
    assert_like(guide.reply("positions"), positions)
    assert_like(guide.reply("quotes"), quotes)
    assert_like(guide.reply("option-chain"), chain)
    assert f"Total expirations: {chain['total_expirations']}" in ran.output
    assert f"Total options: {chain['total_options']}" in ran.output
    assert_checked_only(guide, order)


def assert_checked_only(guide: Guide, order: dict[str, Any]) -> None:
    """A dry run has the names that the guide shows, and neither number nor fills."""
    assert_like({**guide.reply("place-order"), "id": "", "fills": []}, order)
    assert (order["id"], order["fills"], order["dry_run"]) == ("", [], True)

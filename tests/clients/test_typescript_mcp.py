"""The official TypeScript client of MCP, against the whole gateway.

Installed by tests/clients/javascript/install.sh; skipped with the reason without it, never in CI.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from server.contract.catalog import Effect
from server.contract.tools import load_tools
from tests.shared_gateway import SharedGateway

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent / "javascript"
PACKAGE = HERE / "node_modules" / "@modelcontextprotocol" / "sdk"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    missing = None
    if shutil.which("node") is None:
        missing = "node is not installed"
    elif not PACKAGE.is_dir():
        missing = "the packages are not installed: run tests/clients/javascript/install.sh"

    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}; in CI these tests are never skipped")

    if missing:
        pytest.skip(missing)


def test_the_typescript_client_lists_and_calls(shared_gateway: SharedGateway) -> None:
    gateway = shared_gateway.running()
    done = subprocess.run(
        ["node", str(HERE / "mcp.mjs"), gateway.url, gateway.api_key, gateway.account],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    reads = [tool.name for tool in load_tools().values() if tool.effect is Effect.READS]
    assert [each["name"] for each in report["tools"]] == reads
    assert all(each["annotations"]["readOnlyHint"] for each in report["tools"])

    assert float(report["balances"]["net_liquidating_value"]) > 0
    assert {"AAPL", "SPY"} <= {each["symbol"] for each in report["positions"]["positions"]}
    assert report["quotes"]["quotes"][0]["symbol"] == "SPY"
    assert 0 <= report["metrics"]["metrics"][0]["iv_rank"] <= 1
    assert "Account '5WT99999' not found." in report["refused"]["error"]

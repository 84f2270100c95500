"""The banner: what it tells to paste works when pasted, and it names what is at risk."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from server.settings import Settings
from server.supervisor.banner import banner

URL = "http://127.0.0.1:8000"


def shown(**settings: object) -> str:
    made = Settings.model_validate(settings)
    return banner(made, url=URL, grpc="127.0.0.1:50051", logs=Path("var/logs"))


@pytest.mark.parametrize("admin_key", ["", "the-administrators-own-key"])
def test_the_registration_of_a_real_broker_can_be_pasted(admin_key: str) -> None:
    said = shown(broker="production", admin_key=admin_key)
    begins = said.index("curl ")
    pasted = said[begins : said.index("\nEND\n") + len("\nEND\n")]
    script = 'curl() { printf "%s\\n" "$@" >&2; cat; }\n' + pasted + "echo after\n"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=10, check=True
    )
    body, after = done.stdout.splitlines()
    assert json.loads(body).keys() == {"api_key", "client_secret", "refresh_token"}
    assert after == "after"
    assert f"{URL}/api/v1/credentials" in done.stderr
    assert ("X-Admin-Key" in done.stderr) == bool(admin_key)
    assert "the-administrators-own-key" not in said


def test_what_is_at_risk_is_said_where_others_can_reach_the_port(tmp_path: Path) -> None:
    pem = tmp_path / "x.pem"
    pem.touch()
    assert "Mind:" not in shown()
    assert "Mind:" not in shown(broker="production")
    open_to_all = shown(host="0.0.0.0")
    assert "TASTY_ADMIN_KEY" in open_to_all
    assert "TASTY_TLS_KEY" in open_to_all
    assert open_to_all.count("Mind:") == 2
    kept = {"admin_key": "the-administrators-own-key", "tls_certificate": pem, "tls_key": pem}
    assert "Mind:" not in shown(host="0.0.0.0", **kept)


@pytest.mark.parametrize("mode", ["read", "trade"])
def test_mcp_before_a_real_account_is_said_to_be_unfinished(mode: str) -> None:
    assert "TASTY_MCP=off" in shown(broker="production", mcp=mode)
    assert "TASTY_MCP" not in shown(broker="production", mcp="off")
    assert "TASTY_MCP" not in shown(broker="simulator", mcp=mode)


@pytest.mark.parametrize("broker", ["simulator", "sandbox", "production"])
def test_the_last_line_names_the_address(broker: str) -> None:
    assert shown(broker=broker).splitlines()[-1] == f"ready: {URL}"
